extension Rope {
    /// Traps if the tree is not balanced, filled and counted as `RopeNode` promises.
    func checkInvariants() {
        root.checkInvariants(isRoot: true)
        let bytes = utf8(of: 0..<scalarCount)
        precondition(String(validating: bytes, as: UTF8.self) != nil, "A rope holds valid UTF-8.")
        precondition(bytes.count == utf8Count, "A rope's bytes are those of its leaves.")
    }
}

extension RopeNode {
    fileprivate func checkInvariants(isRoot: Bool) {
        if height == 0 {
            precondition(children.isEmpty, "A leaf has no children.")
            precondition(
                counts == TextCounts(bytes[...]),
                "A leaf's counts are those of its bytes."
            )
            precondition(bytes.count <= RopeNode.maximumByteCount, "A leaf is not too large.")
            precondition(
                isRoot || bytes.count >= RopeNode.minimumByteCount,
                "A leaf is not too small."
            )
            return
        }
        precondition(bytes.isEmpty, "An inner node has no bytes.")
        precondition(children.count <= RopeNode.maximumChildCount, "A node is not too full.")
        precondition(
            children.count >= (isRoot ? 2 : RopeNode.minimumChildCount),
            "A node is not too empty."
        )
        precondition(
            counts == children.reduce(into: .zero) { $0 += $1.counts },
            "A node's counts are the sum of its children's."
        )
        for child in children {
            precondition(child.height == height - 1, "All leaves lie equally deep.")
            child.checkInvariants(isRoot: false)
        }
    }
}
