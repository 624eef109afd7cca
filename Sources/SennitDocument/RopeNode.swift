// One node of the tree that `Rope` describes: a leaf of bytes or an inner node of children.

/// A subtree. A value: arrays are shared between copies until one of them is changed.
struct RopeNode: Sendable {
    /// The counts of everything below. Invariant: the sum of the children's, or those of `bytes`.
    var counts: TextCounts
    /// Levels below this one; 0 is a leaf. Invariant: all leaves lie equally deep.
    var height: Int
    /// UTF-8, cut between scalars. Empty in an inner node.
    var bytes: [UInt8]
    /// Empty in a leaf.
    var children: [RopeNode]

    /// A leaf holds at most this many bytes. A cost of moving bytes against a cost of depth.
    static let maximumByteCount = 1024
    /// A leaf that is not the root holds at least this many.
    static let minimumByteCount = 256
    /// A leaf that is built holds about this many: what each leaf costs besides is then a tenth.
    static let builtByteCount = 1000
    /// An inner node has at most this many children.
    static let maximumChildCount = 16
    /// An inner node that is not the root has at least this many.
    static let minimumChildCount = 8
    /// Text up to this size is inserted in place; more is built into a tree and joined.
    static let maximumInsertedByteCount = 512

    static let empty = RopeNode(leaf: [], counts: .zero)

    init(leaf bytes: [UInt8], counts: TextCounts) {
        self.counts = counts
        height = 0
        self.bytes = bytes
        children = []
    }

    init(leaf bytes: ArraySlice<UInt8>) {
        self.init(leaf: Array(bytes), counts: TextCounts(bytes))
    }

    init(children: [RopeNode], height: Int) {
        counts = children.reduce(into: .zero) { $0 += $1.counts }
        self.height = height
        bytes = []
        self.children = children
    }

    /// Builds a balanced tree over valid UTF-8.
    /// - Complexity: O(n).
    init(building bytes: ArraySlice<UInt8>) {
        guard bytes.count > RopeNode.maximumByteCount else {
            self.init(leaf: bytes)
            return
        }
        var nodes: [RopeNode] = []
        let leafCount =
            (bytes.count + RopeNode.builtByteCount - 1) / RopeNode.builtByteCount
        var start = bytes.startIndex
        for index in 1...leafCount {
            var end = bytes.startIndex + bytes.count * index / leafCount
            while end < bytes.endIndex && bytes[end] & 0xC0 == 0x80 { end += 1 }
            nodes.append(RopeNode(leaf: bytes[start..<end]))
            start = end
        }
        var height = 0
        while nodes.count > RopeNode.maximumChildCount {
            height += 1
            let groupCount = (nodes.count + 11) / 12
            nodes = (0..<groupCount).map { index in
                let start = nodes.count * index / groupCount
                let end = nodes.count * (index + 1) / groupCount
                return RopeNode(children: Array(nodes[start..<end]), height: height)
            }
        }
        self.init(children: nodes, height: height + 1)
    }
}

// MARK: - Changes in place

extension RopeNode {
    /// Inserts a short text; returns the right half if the node had to be split.
    mutating func insert(
        _ text: ArraySlice<UInt8>,
        counts textCounts: TextCounts,
        at scalarIndex: Int
    ) -> RopeNode? {
        counts += textCounts
        if height == 0 {
            // The counts already include the new text; a leaf of ASCII still needs no scan.
            let offset = byteOffset(of: scalarIndex, in: .scalars, isASCII: isASCII)
            bytes.replaceSubrange(offset..<offset, with: text)
            return bytes.count > RopeNode.maximumByteCount ? splitHalf() : nil
        }
        var before = 0
        var index = 0
        while index < children.count - 1 && scalarIndex > before + children[index].counts.scalars {
            before += children[index].counts.scalars
            index += 1
        }
        let extra = children[index].insert(text, counts: textCounts, at: scalarIndex - before)
        guard let extra else { return nil }
        children.insert(extra, at: index + 1)
        return children.count > RopeNode.maximumChildCount ? splitHalf() : nil
    }

    /// Replaces `range` if one leaf holds it all and then is neither too small nor too large.
    /// - Returns: What was removed; `nil` if nothing has changed.
    mutating func replaceInLeaf(
        _ range: Range<Int>,
        with text: ArraySlice<UInt8>,
        counts textCounts: TextCounts,
        isRoot: Bool
    ) -> TextCounts? {
        if height == 0 {
            let ascii = isASCII
            let start = byteOffset(of: range.lowerBound, in: .scalars, isASCII: ascii)
            let end = byteOffset(of: range.upperBound, in: .scalars, isASCII: ascii)
            let byteCount = bytes.count - (end - start) + text.count
            guard byteCount <= RopeNode.maximumByteCount,
                isRoot || byteCount >= RopeNode.minimumByteCount
            else { return nil }
            let removed = TextCounts(bytes[start..<end])
            bytes.replaceSubrange(start..<end, with: text)
            counts -= removed
            counts += textCounts
            return removed
        }
        var before = 0
        for index in children.indices {
            let end = before + children[index].counts.scalars
            if range.lowerBound < end {
                guard range.upperBound <= end else { return nil }
                let inner = (range.lowerBound - before)..<(range.upperBound - before)
                let removed = children[index].replaceInLeaf(
                    inner,
                    with: text,
                    counts: textCounts,
                    isRoot: false
                )
                guard let removed else { return nil }
                counts -= removed
                counts += textCounts
                return removed
            }
            before = end
        }
        return nil
    }

    /// Removes `range`, which is neither empty nor everything. The node may be too small then; if
    /// it has one child, that may be as well.
    /// - Returns: What was removed.
    mutating func remove(_ range: Range<Int>) -> TextCounts {
        if height == 0 {
            let ascii = isASCII
            let start = byteOffset(of: range.lowerBound, in: .scalars, isASCII: ascii)
            let end = byteOffset(of: range.upperBound, in: .scalars, isASCII: ascii)
            let removed = TextCounts(bytes[start..<end])
            bytes.removeSubrange(start..<end)
            counts -= removed
            return removed
        }
        var removed = TextCounts.zero
        var before = 0
        var index = 0
        while before + children[index].counts.scalars <= range.lowerBound {
            before += children[index].counts.scalars
            index += 1
        }
        let first = index
        var whole = first..<first
        while before < range.upperBound {
            let end = before + children[index].counts.scalars
            let low = max(range.lowerBound, before)
            let high = min(range.upperBound, end)
            if low == before && high == end {
                removed += children[index].counts
                whole = (whole.isEmpty ? index : whole.lowerBound)..<(index + 1)
            } else {
                removed += children[index].remove((low - before)..<(high - before))
            }
            before = end
            index += 1
        }
        counts -= removed
        children.removeSubrange(whole)
        // Two were cut at most: the first of the range, and the one behind it now.
        repair(at: first + 1)
        repair(at: first)
        return removed
    }

    /// Joins a child that is too small, if it is there, with a neighbour, if it has one.
    private mutating func repair(at index: Int) {
        guard index < children.count, children.count > 1, !children[index].isFullEnough
        else { return }
        let left = index + 1 < children.count ? index : index - 1
        let right = children.remove(at: left + 1)
        if let extra = children[left].absorb(right) { children.insert(extra, at: left + 1) }
    }

    /// Adds what the next node on the same level holds; returns the right half if that is too much.
    private mutating func absorb(_ next: RopeNode) -> RopeNode? {
        let end = children.count
        counts += next.counts
        if height == 0 {
            bytes += next.bytes
            return bytes.count > RopeNode.maximumByteCount ? splitHalf() : nil
        }
        children += next.children
        // An only child may be too small, and has neighbours now.
        repair(at: end)
        repair(at: end - 1)
        return children.count > RopeNode.maximumChildCount ? splitHalf() : nil
    }

    private mutating func splitHalf() -> RopeNode {
        if height == 0 {
            var middle = bytes.count / 2
            while bytes[middle] & 0xC0 == 0x80 { middle -= 1 }
            let right = RopeNode(leaf: bytes[middle...])
            bytes.removeSubrange(middle...)
            counts -= right.counts
            return right
        }
        let middle = children.count / 2
        let right = RopeNode(children: Array(children[middle...]), height: height)
        children.removeSubrange(middle...)
        counts -= right.counts
        return right
    }
}

// MARK: - Split and join

extension RopeNode {
    /// Cuts a tree in two before `scalarIndex`. Either part may be an underfull root.
    /// - Complexity: O(log n).
    func split(at scalarIndex: Int) -> (left: RopeNode, right: RopeNode) {
        if height == 0 {
            let offset = byteOffset(of: scalarIndex, in: .scalars, isASCII: isASCII)
            return (RopeNode(leaf: bytes[..<offset]), RopeNode(leaf: bytes[offset...]))
        }
        var before = 0
        var index = 0
        while index < children.count - 1 && scalarIndex > before + children[index].counts.scalars {
            before += children[index].counts.scalars
            index += 1
        }
        let (left, right) = children[index].split(at: scalarIndex - before)
        return (
            RopeNode.join(RopeNode.root(of: children[..<index], height: height), left),
            RopeNode.join(right, RopeNode.root(of: children[(index + 1)...], height: height))
        )
    }

    /// Puts one tree behind another.
    /// - Complexity: O(difference of the heights + 1).
    static func join(_ left: RopeNode, _ right: RopeNode) -> RopeNode {
        if left.counts.utf8 == 0 { return right }
        if right.counts.utf8 == 0 { return left }
        if left.height == right.height { return joinEqual(left, right) }
        if left.height > right.height {
            var children = left.children
            let last = children.removeLast()
            let joined = join(last, right)
            return root(adding: joined, to: children, height: left.height) { $0 + $1 }
        }
        var children = right.children
        let first = children.removeFirst()
        let joined = join(left, first)
        return root(adding: joined, to: children, height: right.height) { $1 + $0 }
    }

    private static func joinEqual(_ left: RopeNode, _ right: RopeNode) -> RopeNode {
        if left.isFullEnough && right.isFullEnough {
            return RopeNode(children: [left, right], height: left.height + 1)
        }
        if left.height == 0 {
            var whole = RopeNode(leaf: left.bytes + right.bytes, counts: left.counts + right.counts)
            guard whole.bytes.count > maximumByteCount else { return whole }
            let half = whole.splitHalf()
            return RopeNode(children: [whole, half], height: 1)
        }
        return root(over: left.children + right.children, height: left.height)
    }

    /// `joined` came back from the level below `height`, or, if it grew, from `height` itself.
    private static func root(
        adding joined: RopeNode,
        to children: [RopeNode],
        height: Int,
        order: ([RopeNode], [RopeNode]) -> [RopeNode]
    ) -> RopeNode {
        let added = joined.height == height ? joined.children : [joined]
        return root(over: order(children, added), height: height)
    }

    private static func root(over children: [RopeNode], height: Int) -> RopeNode {
        guard children.count > maximumChildCount else {
            return RopeNode(children: children, height: height)
        }
        let middle = children.count / 2
        return RopeNode(
            children: [
                RopeNode(children: Array(children[..<middle]), height: height),
                RopeNode(children: Array(children[middle...]), height: height),
            ],
            height: height + 1
        )
    }

    private static func root(of children: ArraySlice<RopeNode>, height: Int) -> RopeNode {
        guard let first = children.first else { return .empty }
        return children.count == 1 ? first : RopeNode(children: Array(children), height: height)
    }

    private var isFullEnough: Bool {
        height == 0
            ? bytes.count >= RopeNode.minimumByteCount
            : children.count >= RopeNode.minimumChildCount
    }
}

// MARK: - Reading

extension RopeNode {
    private var isASCII: Bool { counts.utf8 == counts.scalars }

    /// Where in this leaf's bytes the place `target` of `unit` lies. A place inside a scalar
    /// counts as the scalar's beginning.
    private func byteOffset(of target: Int, in unit: TextUnit, isASCII: Bool) -> Int {
        if isASCII { return Swift.min(target, bytes.count) }
        var counted = 0
        var offset = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            let byteCount = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            let width =
                switch unit {
                case .utf8: byteCount
                case .utf16: byteCount == 4 ? 2 : 1
                case .scalars: 1
                }
            if counted + width > target { break }
            counted += width
            offset += byteCount
        }
        return offset
    }

    /// The counts of the text before the place `target` of `unit`.
    /// - Complexity: O(log n).
    func counts(before target: Int, in unit: TextUnit) -> TextCounts {
        if height == 0 {
            let offset = byteOffset(of: target, in: unit, isASCII: isASCII)
            return offset == bytes.count ? counts : TextCounts(bytes[..<offset])
        }
        var before = TextCounts.zero
        for index in children.indices {
            let counts = children[index].counts
            if target < before[unit] + counts[unit] {
                return before + children[index].counts(before: target - before[unit], in: unit)
            }
            before += counts
        }
        return before
    }

    /// The counts of the text up to and including newline `ordinal`, counted from 1.
    /// - Complexity: O(log n).
    func counts(throughNewline ordinal: Int) -> TextCounts {
        if height == 0 {
            var rest = ordinal
            for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
                rest -= 1
                if rest == 0 { return TextCounts(bytes[...offset]) }
            }
            return counts
        }
        var before = TextCounts.zero
        for index in children.indices {
            let counts = children[index].counts
            if ordinal <= before.newlines + counts.newlines {
                return before + children[index].counts(throughNewline: ordinal - before.newlines)
            }
            before += counts
        }
        return before
    }

    /// Appends everything.
    func append(to output: inout String) {
        if height == 0 {
            output += String(decoding: bytes, as: UTF8.self)
            return
        }
        for index in children.indices { children[index].append(to: &output) }
    }

    /// Appends the bytes of the scalars of `range`.
    func appendBytes(of range: Range<Int>, to output: inout [UInt8]) {
        if height == 0 {
            let ascii = isASCII
            let start = byteOffset(of: range.lowerBound, in: .scalars, isASCII: ascii)
            let end = byteOffset(of: range.upperBound, in: .scalars, isASCII: ascii)
            output.append(contentsOf: bytes[start..<end])
            return
        }
        var before = 0
        for index in children.indices {
            let end = before + children[index].counts.scalars
            if range.upperBound <= before { return }
            if range.lowerBound < end {
                let low = Swift.max(range.lowerBound, before) - before
                let high = Swift.min(range.upperBound, end) - before
                children[index].appendBytes(of: low..<high, to: &output)
            }
            before = end
        }
    }
}
