import SennitWire

/// A place in a column that is read number by number. After an error it stays at `failed`, and
/// every further number is 0: loops check once a turn instead of at every number.
struct ColumnCursor {
    private(set) var index: Int
    let end: Int
    private(set) var hasFailed = false

    init(_ range: Range<Int>) {
        index = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { index == end }

    /// The next varint, in its shortest form.
    @inline(__always)
    mutating func next(_ bytes: Span<UInt8>) -> UInt64 {
        guard index < end else {
            hasFailed = true
            return 0
        }
        let byte = bytes[index]
        if byte < 0x80 {
            index += 1
            return UInt64(byte)
        }
        return long(bytes)
    }

    @inline(never)
    private mutating func long(_ bytes: Span<UInt8>) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while index < end, shift < 64 {
            let byte = bytes[index]
            index += 1
            if shift == 63 && byte > 1 { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                if byte == 0 { break }
                return value
            }
            shift += 7
        }
        hasFailed = true
        return 0
    }

    /// The next varint as a number of at most 62 bits, so that two of them can be added.
    @inline(__always)
    mutating func nextCount(_ bytes: Span<UInt8>) -> Int {
        let value = next(bytes)
        if value >> 62 != 0 { hasFailed = true }
        return Int(truncatingIfNeeded: value & (1 << 62 - 1))
    }

    /// The next so many bytes, as a range.
    mutating func nextRange(byteCount: Int) -> Range<Int> {
        guard byteCount <= end - index else {
            hasFailed = true
            return index..<index
        }
        defer { index += byteCount }
        return index..<(index + byteCount)
    }

    /// A length and as many bytes, at most `limit`.
    mutating func nextBlob(_ bytes: Span<UInt8>, limit: Int) -> Range<Int> {
        let count = nextCount(bytes)
        guard count <= limit else {
            hasFailed = true
            return index..<index
        }
        return nextRange(byteCount: count)
    }

    /// Passes over bytes, if there are so many.
    @inline(__always)
    mutating func skip(_ count: Int) -> Bool {
        guard count <= end - index else { return false }
        index += count
        return true
    }

    /// Passes over scalars of valid UTF-8, if there are so many.
    mutating func skipScalars(_ count: Int, _ bytes: Span<UInt8>) -> Bool {
        var at = index
        for _ in 0..<count {
            guard at < end else { return false }
            let byte = bytes[at]
            at += byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
        }
        index = at
        return true
    }
}

extension ByteWriter {
    /// A signed number as a varint: 0, -1, 1, -2, … become 0, 1, 2, 3, …
    mutating func writeSigned(_ value: Int) {
        writeVarint(UInt64(bitPattern: Int64(value << 1 ^ value >> 63)))
    }
}

extension Int {
    /// Undoes `writeSigned`.
    @inline(__always)
    init(unfolding value: UInt64) {
        self = Int(bitPattern: UInt(value >> 1)) ^ -Int(value & 1)
    }
}
