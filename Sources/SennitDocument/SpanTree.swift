// A sequence of weighted handles: the ordered structure under the tracker.
//
// A handle is a small integer that the owner gives out, 0, 1, 2, … A tree keeps handles in an
// order, each with two weights, and answers in O(log n): which handle lies at a place counted in
// either weight, what lies before a handle, which of two handles comes first. It is a B+tree in
// flat arrays: leaf l owns the slots l*32..<l*32+32, node n the slots n*16..<n*16+16, so there is
// no object per node and no reference counting. Every leaf and node knows its parent and its slot
// there, so that a change of weight goes up without a search; one more array takes a handle to its
// leaf.
//
//     node    [child 0: 7,5 | child 1: 9,9]          weights (current, final)
//     leaf 0  [h0: 4,4  h3: 3,1]   leaf 1  [h1: 9,9]
//
// The place at current 5 passes h0 (4) and is in h3 at offset 1. Handles are never removed.

/// An ordered sequence of handles with two weights each.
struct SpanTree: ~Copyable {
    typealias Handle = Int32

    /// What a handle counts for. Sums wrap nowhere: see `Tracker.placeholderCount`.
    struct Weight: Equatable {
        var current: UInt32
        var final: UInt32

        static let zero = Weight(current: 0, final: 0)

        /// Differences of weights are added modulo 2^32.
        static func &+= (left: inout Weight, right: Weight) {
            left.current &+= right.current
            left.final &+= right.final
        }

        static func &- (left: Weight, right: Weight) -> Weight {
            Weight(current: left.current &- right.current, final: left.final &- right.final)
        }
    }

    /// Where a handle lies. Good until the next insertion.
    struct Cursor: Equatable {
        var leaf: Int32
        /// Counted from the first of all slots.
        var slot: Int
    }

    /// Which of the two weights a place is counted in.
    enum Side {
        case current
        case final
    }

    static let leafSlotCount = 32
    static let nodeSlotCount = 16
    static let none: Int32 = -1

    /// What hangs below a node: how many, and where it hangs itself.
    struct Branching {
        var count: Int32
        var parent: Int32
        /// Which of the parent's slots, counted from the first of all slots.
        var slotInParent: Int32
        /// Of a leaf, the next one.
        var successor: Int32
    }

    // Leaves. Invariant: slots beyond a leaf's count hold nothing that is read.
    private(set) var handles = Slab<Handle>()
    private(set) var weights = Slab<Weight>()
    private(set) var leaves = Slab<Branching>(capacity: 4)

    // Inner nodes. Invariant: a child's weight is the sum of everything below it.
    private(set) var children = Slab<Int32>()
    private(set) var childWeights = Slab<Weight>()
    private(set) var nodes = Slab<Branching>(capacity: 4)

    /// Levels of inner nodes; 0 means that the root is leaf 0.
    private(set) var height = 0
    private(set) var root: Int32 = 0
    /// The leaf that holds each handle. Invariant: `none` for handles that are not in this tree.
    private(set) var leafOfHandle = Slab<Int32>()
    /// The sum of all weights.
    private(set) var total = Weight.zero
    /// Further versions beside the one that the current weights show: SpanTree+Views.swift.
    var sideViews = SideViews(count: 0)

    /// Starts empty.
    init() {
        _ = makeLeaf()
    }

    /// Makes room for handles up to `endOfHandles`, so many of which are in the tree. Leaves that
    /// are split stay five eighths full.
    mutating func reserve(_ handleCount: Int, endOfHandles: Handle) {
        let leafCount = handleCount / (SpanTree.leafSlotCount * 5 / 8) + 1
        handles.reserve(leafCount * SpanTree.leafSlotCount)
        weights.reserve(leafCount * SpanTree.leafSlotCount)
        leafOfHandle.reserve(Int(endOfHandles))
    }

    /// Empties the tree and keeps its room.
    mutating func removeAll() {
        handles.removeAll()
        weights.removeAll()
        leaves.removeAll()
        children.removeAll()
        childWeights.removeAll()
        nodes.removeAll()
        leafOfHandle.removeAll()
        height = 0
        root = 0
        total = .zero
        if sideViews.count > 0 { sideViews = SideViews(count: 0) }
        _ = makeLeaf()
    }
}

// MARK: - Finding

extension SpanTree {
    /// The handle in which a place lies, counted in `current` or `final`, and how far inside.
    /// `target` lies below the total of that side.
    @inline(__always)
    func place(at target: Int, in side: Side) -> (cursor: Cursor, offset: Int) {
        switch side {
        case .current: place(at: UInt32(target)) { $0.current }
        case .final: place(at: UInt32(target)) { $0.final }
        }
    }

    @inline(__always)
    private func place(
        at target: UInt32,
        weight: (Weight) -> UInt32
    ) -> (cursor: Cursor, offset: Int) {
        var rest = target
        var index = root
        for _ in 0..<height {
            var slot = Int(index) * SpanTree.nodeSlotCount
            let last = slot + Int(nodes[index].count) - 1
            slot = childWeights.pass(&rest, from: slot, to: last, weight: weight)
            index = children[slot]
        }
        let first = Int(index) * SpanTree.leafSlotCount
        let last = first + Int(leaves[index].count) - 1
        let slot = weights.pass(&rest, from: first, to: last, weight: weight)
        return (Cursor(leaf: index, slot: slot), Int(rest))
    }

    /// The handle at a cursor.
    @inline(__always)
    func handle(at cursor: Cursor) -> Handle { handles[cursor.slot] }

    /// Where a handle lies.
    @inline(__always)
    func cursor(of handle: Handle) -> Cursor {
        let leaf = leafOfHandle[handle]
        let slot = handles.index(
            of: handle,
            from: Int(leaf) * SpanTree.leafSlotCount,
            atMost: SpanTree.leafSlotCount
        )
        return Cursor(leaf: leaf, slot: slot)
    }

    /// The sum of all final weights before a cursor.
    func finalWeight(before cursor: Cursor) -> Int {
        var sum: UInt32 = 0
        for slot in (Int(cursor.leaf) * SpanTree.leafSlotCount)..<cursor.slot {
            sum &+= weights[slot].final
        }
        var place = leaves[cursor.leaf]
        while place.parent != SpanTree.none {
            let first = Int(place.parent) * SpanTree.nodeSlotCount
            for slot in first..<Int(place.slotInParent) { sum &+= childWeights[slot].final }
            place = nodes[place.parent]
        }
        return Int(sum)
    }

    /// The place after a cursor; `nil` after the last.
    @inline(__always)
    func successor(of cursor: Cursor) -> Cursor? {
        let leaf = leaves[cursor.leaf]
        let next = cursor.slot + 1
        if next < Int(cursor.leaf) * SpanTree.leafSlotCount + Int(leaf.count) {
            return Cursor(leaf: cursor.leaf, slot: next)
        }
        guard leaf.successor != SpanTree.none else { return nil }
        return Cursor(leaf: leaf.successor, slot: Int(leaf.successor) * SpanTree.leafSlotCount)
    }

    /// The first place of all, which a tree that isn't empty has.
    var first: Cursor {
        // Splits put the new half behind the old one, so leaf 0 is always the leftmost.
        Cursor(leaf: 0, slot: 0)
    }

    /// Whether one place comes before another.
    func isBefore(_ left: Cursor, _ right: Cursor) -> Bool {
        if left.leaf == right.leaf { return left.slot < right.slot }
        var leftPlace = leaves[left.leaf]
        var rightPlace = leaves[right.leaf]
        while leftPlace.parent != rightPlace.parent {
            leftPlace = nodes[leftPlace.parent]
            rightPlace = nodes[rightPlace.parent]
        }
        return leftPlace.slotInParent < rightPlace.slotInParent
    }

    /// Calls `body` with all handles in order.
    @inline(__always)
    func forEach(_ body: (Handle) -> Void) {
        var leaf: Int32 = 0
        while leaf != SpanTree.none {
            let start = Int(leaf) * SpanTree.leafSlotCount
            for slot in start..<(start + Int(leaves[leaf].count)) { body(handles[slot]) }
            leaf = leaves[leaf].successor
        }
    }
}

// MARK: - Changing

extension SpanTree {
    /// Gives a handle another weight.
    @inline(__always)
    mutating func setWeight(at cursor: Cursor, to weight: Weight) {
        let change = weight &- weights[cursor.slot]
        if change == .zero { return }
        weights[cursor.slot] = weight
        addToAncestors(ofLeaf: cursor.leaf, change)
    }

    /// Puts a new handle after another, or before all others. In side views it is not visible, and
    /// its size is to be noted.
    /// - Returns: Where it lies now.
    @discardableResult
    mutating func insert(
        _ handle: Handle,
        weight: Weight,
        after predecessor: Cursor?
    ) -> Cursor {
        while leafOfHandle.count <= Int(handle) { leafOfHandle.append(SpanTree.none) }
        var leaf: Int32 = 0
        var slot = 0
        if let predecessor {
            leaf = predecessor.leaf
            slot = predecessor.slot + 1
        }
        if leaves[leaf].count == SpanTree.leafSlotCount {
            let isAtEnd = slot == (Int(leaf) + 1) * SpanTree.leafSlotCount
            // What is typed on at the end of a leaf fills a new one, and the old one stays full.
            let kept = isAtEnd ? SpanTree.leafSlotCount - 1 : SpanTree.leafSlotCount / 2
            let new = splitLeaf(leaf, keeping: kept)
            let position = slot - Int(leaf) * SpanTree.leafSlotCount
            if position > kept {
                leaf = new
                slot = Int(new) * SpanTree.leafSlotCount + position - kept
            }
        }
        let last = Int(leaf) * SpanTree.leafSlotCount + Int(leaves[leaf].count)
        if slot < last {
            handles.shift(slot..<last, by: 1)
            weights.shift(slot..<last, by: 1)
        }
        if sideViews.count > 0 { openSideSlot(slot, inLeaf: leaf, end: last) }
        handles[slot] = handle
        weights[slot] = weight
        leaves[leaf].count += 1
        leafOfHandle[handle] = leaf
        addToAncestors(ofLeaf: leaf, weight)
        return Cursor(leaf: leaf, slot: slot)
    }

    @inline(__always)
    private mutating func addToAncestors(ofLeaf leaf: Int32, _ change: Weight) {
        total &+= change
        var place = leaves[leaf]
        while place.parent != SpanTree.none {
            childWeights[place.slotInParent] &+= change
            place = nodes[place.parent]
        }
    }

    /// Moves the upper part of a full leaf to a new one behind it.
    private mutating func splitLeaf(_ leaf: Int32, keeping kept: Int) -> Int32 {
        let new = makeLeaf()
        let from = Int(leaf) * SpanTree.leafSlotCount + kept
        let to = Int(new) * SpanTree.leafSlotCount
        var moved = Weight.zero
        for index in 0..<(SpanTree.leafSlotCount - kept) {
            let handle = handles[from + index]
            handles[to + index] = handle
            weights[to + index] = weights[from + index]
            leafOfHandle[handle] = new
            moved &+= weights[from + index]
        }
        leaves[leaf].count = Int32(kept)
        leaves[new].count = Int32(SpanTree.leafSlotCount - kept)
        leaves[new].successor = leaves[leaf].successor
        leaves[leaf].successor = new
        if sideViews.count > 0 { splitSideLeaf(leaf, to: new, keeping: kept) }
        addChild(new, weight: moved, after: leaf, isLeaf: true)
        return new
    }

    private mutating func place(_ child: Int32, isLeaf: Bool, in node: Int32, slot: Int) {
        if isLeaf {
            leaves[child].parent = node
            leaves[child].slotInParent = Int32(slot)
        } else {
            nodes[child].parent = node
            nodes[child].slotInParent = Int32(slot)
        }
    }

    /// Puts `child`, which took `weight` over from `sibling`, behind it; splits upwards.
    private mutating func addChild(
        _ child: Int32,
        weight: Weight,
        after sibling: Int32,
        isLeaf: Bool
    ) {
        var place = isLeaf ? leaves[sibling] : nodes[sibling]
        if place.parent == SpanTree.none {
            let node = makeNode()
            let start = Int(node) * SpanTree.nodeSlotCount
            children[start] = sibling
            childWeights[start] = total
            nodes[node].count = 1
            self.place(sibling, isLeaf: isLeaf, in: node, slot: start)
            beginSideRoot(node)
            root = node
            height += 1
            place = isLeaf ? leaves[sibling] : nodes[sibling]
        } else if nodes[place.parent].count == SpanTree.nodeSlotCount {
            splitNode(place.parent, childrenAreLeaves: isLeaf)
            place = isLeaf ? leaves[sibling] : nodes[sibling]
        }
        let node = place.parent
        let slot = Int(place.slotInParent)
        childWeights[slot] = childWeights[slot] &- weight
        insertSideChild(
            child,
            isLeaf: isLeaf,
            in: node,
            after: slot - Int(node) * SpanTree.nodeSlotCount,
            count: Int(nodes[node].count)
        )
        var free = Int(node) * SpanTree.nodeSlotCount + Int(nodes[node].count)
        while free > slot + 1 {
            children[free] = children[free - 1]
            childWeights[free] = childWeights[free - 1]
            self.place(children[free], isLeaf: isLeaf, in: node, slot: free)
            free -= 1
        }
        children[free] = child
        childWeights[free] = weight
        nodes[node].count += 1
        self.place(child, isLeaf: isLeaf, in: node, slot: free)
    }

    private mutating func splitNode(_ node: Int32, childrenAreLeaves: Bool) {
        let new = makeNode()
        let half = SpanTree.nodeSlotCount / 2
        let from = Int(node) * SpanTree.nodeSlotCount + half
        let to = Int(new) * SpanTree.nodeSlotCount
        var moved = Weight.zero
        for index in 0..<half {
            let child = children[from + index]
            children[to + index] = child
            childWeights[to + index] = childWeights[from + index]
            moved &+= childWeights[from + index]
            place(child, isLeaf: childrenAreLeaves, in: new, slot: to + index)
        }
        splitSideNode(node, to: new, keeping: half)
        nodes[node].count = Int32(half)
        nodes[new].count = Int32(half)
        addChild(new, weight: moved, after: node, isLeaf: false)
    }

    private mutating func makeLeaf() -> Int32 {
        handles.append(repeating: SpanTree.none, count: SpanTree.leafSlotCount)
        weights.append(repeating: .zero, count: SpanTree.leafSlotCount)
        leaves.append(.unattached)
        if sideViews.count > 0 { appendSideLeaf() }
        return Int32(leaves.count - 1)
    }

    private mutating func makeNode() -> Int32 {
        children.append(repeating: SpanTree.none, count: SpanTree.nodeSlotCount)
        childWeights.append(repeating: .zero, count: SpanTree.nodeSlotCount)
        nodes.append(.unattached)
        appendSideNode()
        return Int32(nodes.count - 1)
    }
}

extension SpanTree.Branching {
    fileprivate static let unattached = SpanTree.Branching(
        count: 0,
        parent: SpanTree.none,
        slotInParent: 0,
        successor: SpanTree.none
    )
}
