// A sequence of weighted handles: the ordered structure under the tracker.
//
// A handle is a small integer that the owner gives out, 0, 1, 2, … A tree keeps handles in an
// order, each with two weights, and answers in O(log n): which handle lies at a place counted in
// either weight, what lies before a handle, which of two handles comes first. It is a B+tree in
// flat arrays: leaf l owns the slots l*32..<l*32+32, node n the slots n*16..<n*16+16, so there is
// no object per node and no reference counting. A second array takes a handle to its leaf.
//
//     node    [child 0: 7,5 | child 1: 9,9]          weights (first, second)
//     leaf 0  [h0: 4,4  h3: 3,1]   leaf 1  [h1: 9,9]
//
// `place(atFirst: 5)` passes h0 (4) and ends in h3 at offset 1. Handles are never removed.

/// An ordered sequence of handles with two weights each.
struct SpanTree: Sendable {
    typealias Handle = Int32

    /// What a handle counts for. Sums stay below 2^62: see `Tracker.placeholderCount`.
    struct Weight: Equatable {
        var first: Int
        var second: Int

        static let zero = Weight(first: 0, second: 0)

        static func += (left: inout Weight, right: Weight) {
            left.first += right.first
            left.second += right.second
        }

        static func - (left: Weight, right: Weight) -> Weight {
            Weight(first: left.first - right.first, second: left.second - right.second)
        }
    }

    /// Which of the two weights a place is counted in.
    enum Side {
        case first
        case second
    }

    static let leafSlotCount = 32
    static let nodeSlotCount = 16
    private static let none: Int32 = -1

    // Leaves. Invariant: slots beyond a leaf's count hold nothing that is read.
    var leafHandles: [Handle] = []
    var leafWeights: [Weight] = []
    var leafCounts: [Int] = []
    var leafParents: [Int32] = []
    var leafSuccessors: [Int32] = []

    // Inner nodes. Invariant: a child's weight is the sum of everything below it.
    var nodeChildren: [Int32] = []
    var nodeWeights: [Weight] = []
    var nodeCounts: [Int] = []
    var nodeParents: [Int32] = []

    /// Levels of inner nodes; 0 means that the root is leaf 0.
    var height = 0
    var root: Int32 = 0
    /// The leaf that holds each handle. Invariant: `none` for handles that are not in this tree.
    var leafOfHandle: [Int32] = []
    /// The sum of all weights.
    var total = Weight.zero

    /// Starts empty.
    init() {
        _ = makeLeaf()
    }
}

// MARK: - Finding

extension SpanTree {
    /// The handle in which place `target` of a side lies, and how far inside.
    /// `target` lies in 0..<total of that side.
    func place(at target: Int, in side: Side) -> (handle: Handle, offset: Int) {
        switch side {
        case .first: place(at: target) { $0.first }
        case .second: place(at: target) { $0.second }
        }
    }

    @inline(__always)
    private func place(
        at target: Int,
        weight: (Weight) -> Int
    ) -> (handle: Handle, offset: Int) {
        var rest = target
        var index = Int(root)
        for _ in 0..<height {
            var slot = index * SpanTree.nodeSlotCount
            let last = slot + nodeCounts[index] - 1
            while slot < last {
                let width = weight(nodeWeights[slot])
                if rest < width { break }
                rest -= width
                slot += 1
            }
            index = Int(nodeChildren[slot])
        }
        var slot = index * SpanTree.leafSlotCount
        let last = slot + leafCounts[index] - 1
        while slot < last {
            let width = weight(leafWeights[slot])
            if rest < width { break }
            rest -= width
            slot += 1
        }
        return (leafHandles[slot], rest)
    }

    /// The sum of everything before `handle`.
    func weight(before handle: Handle) -> Weight {
        var sum = Weight.zero
        let leaf = Int(leafOfHandle[Int(handle)])
        let first = leaf * SpanTree.leafSlotCount
        for slot in first..<self.slot(of: handle, inLeaf: leaf) { sum += leafWeights[slot] }
        var child = Int32(leaf)
        var parent = leafParents[leaf]
        while parent != SpanTree.none {
            let first = Int(parent) * SpanTree.nodeSlotCount
            for slot in first..<self.slot(of: child, inNode: parent) { sum += nodeWeights[slot] }
            child = parent
            parent = nodeParents[Int(parent)]
        }
        return sum
    }

    /// The handle after `handle`; the first of all after `nil`; `nil` after the last.
    func successor(of handle: Handle?) -> Handle? {
        guard let handle else { return first }
        let leaf = Int(leafOfHandle[Int(handle)])
        let next = slot(of: handle, inLeaf: leaf) + 1
        if next < leaf * SpanTree.leafSlotCount + leafCounts[leaf] { return leafHandles[next] }
        let successor = leafSuccessors[leaf]
        return successor == SpanTree.none
            ? nil : leafHandles[Int(successor) * SpanTree.leafSlotCount]
    }

    /// The first handle of all.
    var first: Handle? {
        // Splits put the new half behind the old one, so leaf 0 is always the leftmost.
        leafCounts[0] > 0 ? leafHandles[0] : nil
    }

    /// Whether one handle comes before another.
    func isBefore(_ left: Handle, _ right: Handle) -> Bool {
        var leftChild = leafOfHandle[Int(left)]
        var rightChild = leafOfHandle[Int(right)]
        if leftChild == rightChild {
            let leaf = Int(leftChild)
            return slot(of: left, inLeaf: leaf) < slot(of: right, inLeaf: leaf)
        }
        var leftParent = leafParents[Int(leftChild)]
        var rightParent = leafParents[Int(rightChild)]
        while leftParent != rightParent {
            leftChild = leftParent
            rightChild = rightParent
            leftParent = nodeParents[Int(leftParent)]
            rightParent = nodeParents[Int(rightParent)]
        }
        return slot(of: leftChild, inNode: leftParent) < slot(of: rightChild, inNode: leftParent)
    }

    private func slot(of handle: Handle, inLeaf leaf: Int) -> Int {
        var slot = leaf * SpanTree.leafSlotCount
        while leafHandles[slot] != handle { slot += 1 }
        return slot
    }

    private func slot(of child: Int32, inNode node: Int32) -> Int {
        var slot = Int(node) * SpanTree.nodeSlotCount
        while nodeChildren[slot] != child { slot += 1 }
        return slot
    }
}

// MARK: - Changing

extension SpanTree {
    /// Gives a handle another weight.
    mutating func setWeight(of handle: Handle, to weight: Weight) {
        let leaf = Int(leafOfHandle[Int(handle)])
        let slot = slot(of: handle, inLeaf: leaf)
        let change = weight - leafWeights[slot]
        if change == .zero { return }
        leafWeights[slot] = weight
        addToAncestors(ofLeaf: leaf, change)
    }

    /// Puts a new handle after another, or before all others.
    mutating func insert(_ handle: Handle, weight: Weight, after predecessor: Handle?) {
        while leafOfHandle.count <= Int(handle) { leafOfHandle.append(SpanTree.none) }
        var leaf = 0
        var position = 0
        if let predecessor {
            leaf = Int(leafOfHandle[Int(predecessor)])
            position = slot(of: predecessor, inLeaf: leaf) + 1 - leaf * SpanTree.leafSlotCount
        }
        if leafCounts[leaf] == SpanTree.leafSlotCount {
            let newLeaf = splitLeaf(leaf)
            if position > leafCounts[leaf] {
                position -= leafCounts[leaf]
                leaf = newLeaf
            }
        }
        let start = leaf * SpanTree.leafSlotCount
        var slot = start + leafCounts[leaf]
        while slot > start + position {
            leafHandles[slot] = leafHandles[slot - 1]
            leafWeights[slot] = leafWeights[slot - 1]
            slot -= 1
        }
        leafHandles[slot] = handle
        leafWeights[slot] = weight
        leafCounts[leaf] += 1
        leafOfHandle[Int(handle)] = Int32(leaf)
        addToAncestors(ofLeaf: leaf, weight)
    }

    private mutating func addToAncestors(ofLeaf leaf: Int, _ change: Weight) {
        total += change
        var child = Int32(leaf)
        var parent = leafParents[leaf]
        while parent != SpanTree.none {
            nodeWeights[slot(of: child, inNode: parent)] += change
            child = parent
            parent = nodeParents[Int(parent)]
        }
    }

    /// Moves the upper half of a full leaf to a new one behind it.
    private mutating func splitLeaf(_ leaf: Int) -> Int {
        let new = makeLeaf()
        let half = SpanTree.leafSlotCount / 2
        let from = leaf * SpanTree.leafSlotCount + half
        let to = new * SpanTree.leafSlotCount
        var moved = Weight.zero
        for index in 0..<half {
            let handle = leafHandles[from + index]
            leafHandles[to + index] = handle
            leafWeights[to + index] = leafWeights[from + index]
            leafOfHandle[Int(handle)] = Int32(new)
            moved += leafWeights[from + index]
        }
        leafCounts[leaf] = half
        leafCounts[new] = half
        leafSuccessors[new] = leafSuccessors[leaf]
        leafSuccessors[leaf] = Int32(new)
        let parent = addChild(Int32(new), weight: moved, after: Int32(leaf), of: leafParents[leaf])
        leafParents[new] = parent
        leafParents[leaf] = parent
        return new
    }

    /// Puts `child`, which took `weight` over from `sibling`, behind it; splits upwards.
    /// - Returns: The parent that both have afterwards.
    private mutating func addChild(
        _ child: Int32,
        weight: Weight,
        after sibling: Int32,
        of parent: Int32
    ) -> Int32 {
        guard parent != SpanTree.none else {
            let node = makeNode()
            let start = Int(node) * SpanTree.nodeSlotCount
            nodeChildren[start] = sibling
            nodeWeights[start] = total - weight
            nodeChildren[start + 1] = child
            nodeWeights[start + 1] = weight
            nodeCounts[Int(node)] = 2
            root = node
            height += 1
            return node
        }
        var node = parent
        if nodeCounts[Int(node)] == SpanTree.nodeSlotCount {
            let new = splitNode(node, childrenAreLeaves: isLowest(node))
            let start = Int(node) * SpanTree.nodeSlotCount
            let stays = (0..<nodeCounts[Int(node)]).contains { nodeChildren[start + $0] == sibling }
            node = stays ? node : new
        }
        let slot = slot(of: sibling, inNode: node)
        nodeWeights[slot] = nodeWeights[slot] - weight
        var free = Int(node) * SpanTree.nodeSlotCount + nodeCounts[Int(node)]
        while free > slot + 1 {
            nodeChildren[free] = nodeChildren[free - 1]
            nodeWeights[free] = nodeWeights[free - 1]
            free -= 1
        }
        nodeChildren[free] = child
        nodeWeights[free] = weight
        nodeCounts[Int(node)] += 1
        return node
    }

    /// Whether the children of `node` are leaves.
    private func isLowest(_ node: Int32) -> Bool {
        var levels = 1
        var parent = nodeParents[Int(node)]
        while parent != SpanTree.none {
            levels += 1
            parent = nodeParents[Int(parent)]
        }
        return levels == height
    }

    private mutating func splitNode(_ node: Int32, childrenAreLeaves: Bool) -> Int32 {
        let new = makeNode()
        let half = SpanTree.nodeSlotCount / 2
        let from = Int(node) * SpanTree.nodeSlotCount + half
        let to = Int(new) * SpanTree.nodeSlotCount
        var moved = Weight.zero
        for index in 0..<half {
            let child = nodeChildren[from + index]
            nodeChildren[to + index] = child
            nodeWeights[to + index] = nodeWeights[from + index]
            moved += nodeWeights[from + index]
            if childrenAreLeaves {
                leafParents[Int(child)] = new
            } else {
                nodeParents[Int(child)] = new
            }
        }
        nodeCounts[Int(node)] = half
        nodeCounts[Int(new)] = half
        let parent = addChild(new, weight: moved, after: node, of: nodeParents[Int(node)])
        nodeParents[Int(new)] = parent
        nodeParents[Int(node)] = parent
        return new
    }

    private mutating func makeLeaf() -> Int {
        for _ in 0..<SpanTree.leafSlotCount {
            leafHandles.append(SpanTree.none)
            leafWeights.append(.zero)
        }
        leafCounts.append(0)
        leafParents.append(SpanTree.none)
        leafSuccessors.append(SpanTree.none)
        return leafCounts.count - 1
    }

    private mutating func makeNode() -> Int32 {
        for _ in 0..<SpanTree.nodeSlotCount {
            nodeChildren.append(SpanTree.none)
            nodeWeights.append(.zero)
        }
        nodeCounts.append(0)
        nodeParents.append(SpanTree.none)
        return Int32(nodeCounts.count - 1)
    }
}
