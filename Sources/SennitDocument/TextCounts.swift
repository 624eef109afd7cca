/// How long a piece of UTF-8 is in each unit that anybody counts text in.
struct TextCounts: Hashable, Sendable {
    var utf8: Int
    var utf16: Int
    var scalars: Int
    /// How many "\n" there are.
    var newlines: Int

    static let zero = TextCounts(utf8: 0, utf16: 0, scalars: 0, newlines: 0)

    init(utf8: Int, utf16: Int, scalars: Int, newlines: Int) {
        self.utf8 = utf8
        self.utf16 = utf16
        self.scalars = scalars
        self.newlines = newlines
    }

    /// Counts valid UTF-8 that begins and ends between scalars.
    init(_ bytes: ArraySlice<UInt8>) { self.init(bytes.span) }

    /// Counts valid UTF-8 that begins and ends between scalars.
    init(_ span: Span<UInt8>) {
        var continuations = 0
        var fourByteScalars = 0
        var newlines = 0
        let raw = unsafe span.bytes
        let ones: UInt64 = 0x0101_0101_0101_0101
        let lowBits: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        var index = 0
        // Eight bytes at a time: one at a time is not vectorised (docs/PERFORMANCE.md).
        while index + 8 <= span.count {
            // In bounds by the condition.
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            let difference = word ^ (ones &* UInt64(UInt8(ascii: "\n")))
            // The high bit of each byte that is zero, with no carry from byte to byte.
            let zeros = ~(((difference & lowBits) &+ lowBits) | difference | lowBits)
            newlines &+= zeros.nonzeroBitCount
            if word & ~lowBits != 0 {
                continuations &+= ((word >> 7) & ~(word >> 6) & ones).nonzeroBitCount
                let high = word & (word << 1) & (word << 2) & (word << 3)
                fourByteScalars &+= (high & ~lowBits).nonzeroBitCount
            }
            index += 8
        }
        while index < span.count {
            let byte = span[index]
            continuations &+= byte & 0xC0 == 0x80 ? 1 : 0
            fourByteScalars &+= byte >= 0xF0 ? 1 : 0
            newlines &+= byte == UInt8(ascii: "\n") ? 1 : 0
            index += 1
        }
        // None of the three can exceed the count of bytes, so nothing overflowed.
        let scalars = span.count - continuations
        self.init(
            utf8: span.count,
            utf16: scalars + fourByteScalars,
            scalars: scalars,
            newlines: newlines
        )
    }

    static func += (left: inout TextCounts, right: TextCounts) {
        left.utf8 += right.utf8
        left.utf16 += right.utf16
        left.scalars += right.scalars
        left.newlines += right.newlines
    }

    static func -= (left: inout TextCounts, right: TextCounts) {
        left.utf8 -= right.utf8
        left.utf16 -= right.utf16
        left.scalars -= right.scalars
        left.newlines -= right.newlines
    }

    static func + (left: TextCounts, right: TextCounts) -> TextCounts {
        var sum = left
        sum += right
        return sum
    }
}

/// A unit in which a place in a text may be given.
enum TextUnit {
    case utf8
    case utf16
    case scalars
}

extension TextCounts {
    /// The count in one unit.
    subscript(unit: TextUnit) -> Int {
        switch unit {
        case .utf8: utf8
        case .utf16: utf16
        case .scalars: scalars
        }
    }
}
