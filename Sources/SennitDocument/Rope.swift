// Text as a balanced tree of short pieces.
//
// A Swift `String` finds its n-th scalar by walking from the start and inserts by moving what
// follows. A rope does both in O(log n): it cuts the text into leaves of at most 1 KiB of UTF-8
// and hangs them into a B-tree whose nodes know how long everything below them is, in UTF-8,
// UTF-16, scalars and lines. So a place in any of these units is found by walking down once.
//
//     inner  [9 scalars, 1 newline | 7 scalars, 0 newlines]
//               /                        \
//     leaf  "Hello,\nth"            leaf  "e world"
//
// Inserting " new" at scalar 10 walks down with 10, passes the left leaf (9), and inserts at 1
// of the right one. A leaf that grows past its limit is halved; the parent gets one more child,
// and so on upwards. A removal takes out what lies whole inside it, cuts at most two nodes on each
// level, and joins with a neighbour what is then too small.
//
// Nodes are values over copy-on-write arrays: a copy of a rope costs nothing, and changing it
// copies the path from the root to one leaf.
//
// Source: Boehm, Atkinson, Plass, "Ropes: an alternative to strings" (1995), as a B-tree.

/// A text that is cheap to edit anywhere, cheap to copy, and counted in every usual unit.
///
/// Places are counts of Unicode scalars unless a name says otherwise. A value type.
public struct Rope: Sendable {
    var root: RopeNode

    /// The empty text.
    public init() { root = .empty }

    /// The text of `text`.
    /// - Complexity: O(n).
    public init(_ text: String) {
        root = RopeNode(building: Array(text.utf8)[...])
    }

    /// The text of valid UTF-8.
    /// - Complexity: O(n).
    init(utf8 bytes: ArraySlice<UInt8>) {
        root = RopeNode(building: bytes)
    }

    /// How many Unicode scalars there are.
    public var scalarCount: Int { root.counts.scalars }

    /// How many bytes the text has as UTF-8.
    public var utf8Count: Int { root.counts.utf8 }

    /// How many code units the text has as UTF-16.
    public var utf16Count: Int { root.counts.utf16 }

    /// How many lines there are: one more than there are "\n".
    public var lineCount: Int { root.counts.newlines + 1 }

    /// The whole text.
    /// - Complexity: O(n).
    public var string: String {
        // Leaf by leaf, so that the bytes don't lie in memory a third time.
        var string = ""
        string.reserveCapacity(utf8Count)
        root.append(to: &string)
        return string
    }

    /// The scalars of `range`, which lies within 0...scalarCount.
    /// - Complexity: O(log n + length of the range).
    public func slice(_ range: Range<Int>) -> String {
        String(decoding: utf8(of: range), as: UTF8.self)
    }

    /// The UTF-8 of the scalars of `range`, which lies within 0...scalarCount.
    func utf8(of range: Range<Int>) -> [UInt8] {
        requireRange(range)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        root.appendBytes(of: range, to: &bytes)
        return bytes
    }
}

extension Rope {
    /// Inserts `text` before the scalar at `scalarIndex`, which lies in 0...scalarCount.
    /// - Complexity: O(log n + length of the text).
    public mutating func insert(_ text: String, at scalarIndex: Int) {
        insert(utf8: Array(text.utf8)[...], at: scalarIndex)
    }

    /// Inserts valid UTF-8 before the scalar at `scalarIndex`.
    mutating func insert(utf8 bytes: ArraySlice<UInt8>, at scalarIndex: Int) {
        requireRange(scalarIndex..<scalarIndex)
        if bytes.isEmpty { return }
        guard bytes.count <= RopeNode.maximumInsertedByteCount else {
            let (left, right) = root.split(at: scalarIndex)
            root = .join(.join(left, RopeNode(building: bytes)), right)
            return
        }
        if let extra = root.insert(bytes, counts: TextCounts(bytes), at: scalarIndex) {
            root = RopeNode(children: [root, extra], height: root.height + 1)
        }
    }

    /// Removes the scalars of `range`, which lies within 0...scalarCount.
    /// - Complexity: O(log n).
    public mutating func remove(_ range: Range<Int>) {
        requireRange(range)
        if range.isEmpty { return }
        if range.count == scalarCount {
            root = .empty
            return
        }
        _ = root.remove(range)
        while root.height > 0 && root.children.count == 1 { root = root.children[0] }
    }

    /// Replaces the scalars of `range`, which lies within 0...scalarCount, by valid UTF-8.
    mutating func replace(_ range: Range<Int>, withUTF8 bytes: ArraySlice<UInt8>) {
        requireRange(range)
        if range.isEmpty { return insert(utf8: bytes, at: range.lowerBound) }
        if root.replaceInLeaf(range, with: bytes, counts: TextCounts(bytes), isRoot: true) != nil {
            return
        }
        remove(range)
        insert(utf8: bytes, at: range.lowerBound)
    }

    /// Replaces the scalars of the patch's range by its text.
    /// - Complexity: O(log n + length of the text).
    public mutating func apply(_ patch: Patch) {
        remove(patch.range)
        insert(patch.text, at: patch.range.lowerBound)
    }

    private func requireRange(_ range: Range<Int>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= scalarCount,
            "A place in a rope lies between 0 and its scalar count."
        )
    }
}

// MARK: - Places in other units

extension Rope {
    /// The line, from 0, in which the place before the scalar at `index` lies.
    ///
    /// The place right after a "\n" belongs to the next line.
    /// - Complexity: O(log n).
    public func lineIndex(ofScalar index: Int) -> Int {
        counts(before: index, in: .scalars).newlines
    }

    /// The scalars of a line, without its "\n"; `lineIndex` lies in 0..<lineCount.
    /// - Complexity: O(log n).
    public func lineRange(_ lineIndex: Int) -> Range<Int> {
        precondition((0..<lineCount).contains(lineIndex), "A line index lies within 0..<lineCount.")
        let start = lineIndex == 0 ? 0 : root.counts(throughNewline: lineIndex).scalars
        let isLast = lineIndex == lineCount - 1
        let end = isLast ? scalarCount : root.counts(throughNewline: lineIndex + 1).scalars - 1
        return start..<end
    }

    /// How many bytes of UTF-8 lie before the scalar at `scalarIndex`.
    /// - Complexity: O(log n).
    public func utf8Offset(ofScalar scalarIndex: Int) -> Int {
        counts(before: scalarIndex, in: .scalars).utf8
    }

    /// How many scalars lie before the byte at `utf8Offset`; within a scalar, its own index.
    /// - Complexity: O(log n).
    public func scalarIndex(ofUTF8 utf8Offset: Int) -> Int {
        counts(before: utf8Offset, in: .utf8).scalars
    }

    /// How many code units of UTF-16 lie before the scalar at `scalarIndex`.
    /// - Complexity: O(log n).
    public func utf16Offset(ofScalar scalarIndex: Int) -> Int {
        counts(before: scalarIndex, in: .scalars).utf16
    }

    /// How many scalars lie before the code unit at `utf16Offset`; within a surrogate pair, the
    /// index of its scalar.
    /// - Complexity: O(log n).
    public func scalarIndex(ofUTF16 utf16Offset: Int) -> Int {
        counts(before: utf16Offset, in: .utf16).scalars
    }

    private func counts(before target: Int, in unit: TextUnit) -> TextCounts {
        precondition(
            (0...root.counts[unit]).contains(target),
            "A place in a rope lies between 0 and its count in that unit."
        )
        return root.counts(before: target, in: unit)
    }
}

extension Rope: Equatable {
    /// Whether both have the same scalars.
    /// - Complexity: O(n).
    public static func == (left: Rope, right: Rope) -> Bool {
        left.root.counts == right.root.counts
            && left.utf8(of: 0..<left.scalarCount) == right.utf8(of: 0..<right.scalarCount)
    }
}

extension Rope: CustomStringConvertible {
    /// The whole text.
    public var description: String { string }
}
