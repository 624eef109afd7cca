extension SpanTree {
    /// Every handle in order, with its weight.
    var sequence: [(handle: Handle, weight: Weight)] {
        var result: [(handle: Handle, weight: Weight)] = []
        var leaf: Int32 = 0
        while leaf >= 0 {
            let start = Int(leaf) * SpanTree.leafSlotCount
            for slot in start..<(start + Int(leaves[Int(leaf)].count)) {
                result.append((handles[slot], weights[slot]))
            }
            leaf = leaves[Int(leaf)].successor
        }
        return result
    }

    /// Traps if the tree is not linked, counted and filled as the properties promise.
    func checkInvariants() {
        var found: [Int32] = []
        let sum = checkSubtree(root, level: height, parent: SpanTree.none, slot: 0, &found)
        precondition(sum == total, "The total is the sum of all weights.")
        var leaf: Int32 = 0
        for expected in found {
            precondition(leaf == expected, "Leaves are linked in order, leaf 0 first.")
            leaf = leaves[Int(leaf)].successor
        }
        precondition(leaf == SpanTree.none, "The last leaf has no successor.")
        for view in 0..<sideViews.count {
            let sum = checkSideView(view, below: root, level: height)
            precondition(sum == sideViews.totals[view], "A view's total is the sum of all sizes.")
        }
        for (handle, _) in sequence {
            let start = Int(leafOfHandle[Int(handle)]) * SpanTree.leafSlotCount
            let slots = start..<(start + SpanTree.leafSlotCount)
            precondition(handles[cursor(of: handle).slot] == handle, "A handle is findable.")
            precondition(slots.contains(cursor(of: handle).slot), "A handle is in its leaf.")
        }
    }

    private func checkSideView(_ view: Int, below index: Int32, level: Int) -> UInt32 {
        var sum: UInt32 = 0
        let count = Int(level == 0 ? leaves[index].count : nodes[index].count)
        if level == 0 {
            let bits = sideViews.visible[Int(index) * sideViews.count + view]
            precondition(
                bits >> UInt32(count) == 0 || count == 32,
                "Only what is there is visible."
            )
            for slot in 0..<count where bits & 1 << UInt32(slot) != 0 {
                sum += sideViews.sizes[Int(index) * SpanTree.leafSlotCount + slot]
            }
            return sum
        }
        for slot in 0..<count {
            let child = children[Int(index) * SpanTree.nodeSlotCount + slot]
            let below = checkSideView(view, below: child, level: level - 1)
            let first = (Int(index) * sideViews.count + view) * SpanTree.nodeSlotCount
            precondition(
                below == sideViews.childWeights[first + slot],
                "A child weighs in a view what is visible below it."
            )
            sum += below
        }
        return sum
    }

    private func checkSubtree(
        _ index: Int32,
        level: Int,
        parent: Int32,
        slot: Int,
        _ found: inout [Int32]
    ) -> Weight {
        var sum = Weight.zero
        let place = level == 0 ? leaves[Int(index)] : nodes[Int(index)]
        precondition(place.parent == parent, "A child knows its parent.")
        precondition(parent < 0 || Int(place.slotInParent) == slot, "A child knows its slot.")
        if level == 0 {
            found.append(index)
            precondition(place.count <= SpanTree.leafSlotCount, "A leaf is not too full.")
            precondition(found.count == 1 || place.count > 0, "Only the first may be empty.")
            let start = Int(index) * SpanTree.leafSlotCount
            for slot in start..<(start + Int(place.count)) { sum &+= weights[slot] }
            return sum
        }
        precondition(place.count <= SpanTree.nodeSlotCount, "A node is not too full.")
        let start = Int(index) * SpanTree.nodeSlotCount
        for slot in start..<(start + Int(place.count)) {
            let below = checkSubtree(
                children[slot],
                level: level - 1,
                parent: index,
                slot: slot,
                &found
            )
            precondition(below == childWeights[slot], "A child weighs what is below it.")
            sum &+= below
        }
        return sum
    }
}
