extension SpanTree {
    /// Every handle in order, with its weight.
    var sequence: [(handle: Handle, weight: Weight)] {
        var result: [(handle: Handle, weight: Weight)] = []
        var leaf: Int32 = 0
        while leaf >= 0 {
            let start = Int(leaf) * SpanTree.leafSlotCount
            for slot in start..<(start + leafCounts[Int(leaf)]) {
                result.append((leafHandles[slot], leafWeights[slot]))
            }
            leaf = leafSuccessors[Int(leaf)]
        }
        return result
    }

    /// Traps if the tree is not linked, counted and filled as the properties promise.
    func checkInvariants() {
        var leaves: [Int32] = []
        let sum = checkSubtree(root, level: height, parent: -1, leaves: &leaves)
        precondition(sum == total, "The total is the sum of all weights.")
        var leaf: Int32 = 0
        for expected in leaves {
            precondition(leaf == expected, "Leaves are linked in order, leaf 0 first.")
            leaf = leafSuccessors[Int(leaf)]
        }
        precondition(leaf == -1, "The last leaf has no successor.")
        for (handle, _) in sequence {
            let start = Int(leafOfHandle[Int(handle)]) * SpanTree.leafSlotCount
            let slots = start..<(start + SpanTree.leafSlotCount)
            precondition(leafHandles[slots].contains(handle), "A handle is in its leaf.")
        }
    }

    private func checkSubtree(
        _ index: Int32,
        level: Int,
        parent: Int32,
        leaves: inout [Int32]
    ) -> Weight {
        var sum = Weight.zero
        if level == 0 {
            leaves.append(index)
            let leaf = Int(index)
            precondition(leafParents[leaf] == parent, "A leaf knows its parent.")
            precondition(leafCounts[leaf] <= SpanTree.leafSlotCount, "A leaf is not too full.")
            precondition(leaves.count == 1 || leafCounts[leaf] > 0, "Only the first may be empty.")
            let start = leaf * SpanTree.leafSlotCount
            for slot in start..<(start + leafCounts[leaf]) { sum += leafWeights[slot] }
            return sum
        }
        precondition(nodeParents[Int(index)] == parent, "A node knows its parent.")
        let start = Int(index) * SpanTree.nodeSlotCount
        for slot in start..<(start + nodeCounts[Int(index)]) {
            let below = checkSubtree(
                nodeChildren[slot],
                level: level - 1,
                parent: index,
                leaves: &leaves
            )
            precondition(below == nodeWeights[slot], "A child weighs what is below it.")
            sum += below
        }
        return sum
    }
}
