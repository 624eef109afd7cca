// Current weights for several versions at once.
//
// The tree's own current weights show one version. Beside it there may be side views, each of which
// shows another version of the same handles; the order and the final weights are common to all. A
// side view is small: in a leaf a bit for each slot, which says whether the handle there counts,
// and in a node the sum of what counts below each child.
//
//     leaf 0  [h0 h3 h1]  sizes 4 3 9    visible in view 0: 011 = 7    in view 1: 101 = 13
//
// In the slab of bits those of a leaf lie together, view after view; in that of sums those of a
// node. What a handle counts in a side view is its size or nothing, so sizes are kept too, as long
// as there are side views.

/// What the side views of a tree consist of.
struct SideViews: ~Copyable {
    /// How many there are.
    let count: Int
    /// For each leaf and view which slots are visible. Invariant: only slots that are filled.
    fileprivate(set) var visible = Slab<UInt32>(capacity: 1)
    /// For each node and view the sums below its children.
    fileprivate(set) var childWeights = Slab<UInt32>(capacity: 1)
    /// For each view the sum of everything.
    fileprivate(set) var totals = Slab<UInt32>(capacity: 1)
    /// For each slot the size of its handle.
    fileprivate(set) var sizes = Slab<UInt32>(capacity: 1)

    init(count: Int) { self.count = count }
}

// MARK: - Reading

extension SpanTree {
    /// The handle in which a place lies, counted in a side view, and how far inside.
    /// `target` lies below the view's total.
    func place(at target: Int, inSideView view: Int) -> (cursor: Cursor, offset: Int) {
        var rest = UInt32(target)
        var index = root
        for _ in 0..<height {
            let first = sideSlot(ofNode: index, view: view)
            let slot = sideViews.childWeights.pass(
                &rest,
                from: first,
                to: first + Int(nodes[index].count) - 1
            ) { $0 }
            index = children[Int(index) * SpanTree.nodeSlotCount + slot - first]
        }
        var bits = sideViews.visible[Int(index) * sideViews.count + view]
        while bits != 0 {
            let slot = Int(index) * SpanTree.leafSlotCount + bits.trailingZeroBitCount
            let size = sideViews.sizes[slot]
            if rest < size { return (Cursor(leaf: index, slot: slot), Int(rest)) }
            rest -= size
            bits &= bits - 1
        }
        preconditionFailure("The place lies in the view.")
    }

    /// The side views in which a handle is visible, a bit for each.
    func sideViews(showing cursor: Cursor) -> UInt64 {
        var views: UInt64 = 0
        let first = Int(cursor.leaf) * sideViews.count
        for view in 0..<sideViews.count
        where sideViews.visible[first + view] & bit(of: cursor) != 0 {
            views |= 1 << UInt64(view)
        }
        return views
    }

    private func bit(of cursor: Cursor) -> UInt32 {
        1 << UInt32(cursor.slot - Int(cursor.leaf) * SpanTree.leafSlotCount)
    }

    private func sideSlot(ofNode node: Int32, view: Int) -> Int {
        (Int(node) * sideViews.count + view) * SpanTree.nodeSlotCount
    }

    /// The sum of what is visible below a child.
    private func sideWeight(of child: Int32, isLeaf: Bool, view: Int) -> UInt32 {
        var sum: UInt32 = 0
        if isLeaf {
            var bits = sideViews.visible[Int(child) * sideViews.count + view]
            while bits != 0 {
                let slot = Int(child) * SpanTree.leafSlotCount + bits.trailingZeroBitCount
                sum += sideViews.sizes[slot]
                bits &= bits - 1
            }
        } else {
            let first = sideSlot(ofNode: child, view: view)
            for slot in first..<(first + Int(nodes[child].count)) {
                sum += sideViews.childWeights[slot]
            }
        }
        return sum
    }
}

// MARK: - Changing

extension SpanTree {
    /// Shows or hides a handle.
    mutating func setVisible(at cursor: Cursor, inSideView view: Int, to isVisible: Bool) {
        let index = Int(cursor.leaf) * sideViews.count + view
        let bit = bit(of: cursor)
        if (sideViews.visible[index] & bit != 0) == isVisible { return }
        sideViews.visible[index] ^= bit
        let size = sideViews.sizes[cursor.slot]
        add(isVisible ? size : 0 &- size, toSideView: view, ofLeaf: cursor.leaf)
    }

    /// Shows a handle in all side views whose bits are set.
    mutating func show(at cursor: Cursor, inSideViews views: UInt64) {
        var bits = views
        while bits != 0 {
            setVisible(at: cursor, inSideView: bits.trailingZeroBitCount, to: true)
            bits &= bits - 1
        }
    }

    /// Notes the size of a handle: a new one, or one that was cut or lengthened.
    mutating func setSize(at cursor: Cursor, to size: Int) {
        let size = UInt32(size)
        let change = size &- sideViews.sizes[cursor.slot]
        sideViews.sizes[cursor.slot] = size
        var bits = sideViews(showing: cursor)
        while bits != 0 {
            add(change, toSideView: bits.trailingZeroBitCount, ofLeaf: cursor.leaf)
            bits &= bits - 1
        }
    }

    private mutating func add(_ change: UInt32, toSideView view: Int, ofLeaf leaf: Int32) {
        sideViews.totals[view] &+= change
        var place = leaves[leaf]
        while place.parent != SpanTree.none {
            let slot = Int(place.slotInParent) - Int(place.parent) * SpanTree.nodeSlotCount
            sideViews.childWeights[sideSlot(ofNode: place.parent, view: view) + slot] &+= change
            place = nodes[place.parent]
        }
    }

    /// Sets up so many side views anew.
    /// - Parameters:
    ///   - sources: For each which side view it begins as; -1 for the tree's own current weights.
    ///   - size: The size of a handle.
    mutating func setSideViews(_ sources: [Int], size: (Handle) -> Int) {
        var new = SideViews(count: sources.count)
        if !sources.isEmpty {
            new.visible.reserve(leaves.count * sources.count)
            new.sizes.append(repeating: 0, count: handles.count)
        }
        for leaf in 0..<leaves.count where !sources.isEmpty {
            let first = leaf * SpanTree.leafSlotCount
            for slot in first..<(first + Int(leaves[leaf].count)) {
                new.sizes[slot] = UInt32(size(handles[slot]))
            }
            for source in sources { new.visible.append(visible(inLeaf: leaf, view: source)) }
        }
        for node in 0..<nodes.count {
            for source in sources {
                for slot in 0..<SpanTree.nodeSlotCount {
                    new.childWeights.append(weight(ofNode: node, slot: slot, view: source))
                }
            }
        }
        for source in sources {
            new.totals.append(source < 0 ? total.current : sideViews.totals[source])
        }
        sideViews = new
    }

    /// Makes a side view show what another does, or what the tree's own current weights do if that
    /// is -1.
    mutating func copySideView(_ source: Int, to view: Int) {
        for leaf in 0..<leaves.count {
            sideViews.visible[leaf * sideViews.count + view] = visible(inLeaf: leaf, view: source)
        }
        for node in 0..<nodes.count {
            let first = sideSlot(ofNode: Int32(node), view: view)
            for slot in 0..<SpanTree.nodeSlotCount {
                sideViews.childWeights[first + slot] = weight(
                    ofNode: node,
                    slot: slot,
                    view: source
                )
            }
        }
        sideViews.totals[view] = source < 0 ? total.current : sideViews.totals[source]
    }

    private func visible(inLeaf leaf: Int, view: Int) -> UInt32 {
        if view >= 0 { return sideViews.visible[leaf * sideViews.count + view] }
        var bits: UInt32 = 0
        let first = leaf * SpanTree.leafSlotCount
        for slot in 0..<Int(leaves[leaf].count) where weights[first + slot].current != 0 {
            bits |= 1 << UInt32(slot)
        }
        return bits
    }

    private func weight(ofNode node: Int, slot: Int, view: Int) -> UInt32 {
        view < 0
            ? childWeights[node * SpanTree.nodeSlotCount + slot].current
            : sideViews.childWeights[sideSlot(ofNode: Int32(node), view: view) + slot]
    }
}

// MARK: - As the tree grows

extension SpanTree {
    /// Makes room for a handle in a leaf that isn't full; it is visible nowhere.
    mutating func openSideSlot(_ slot: Int, inLeaf leaf: Int32, end: Int) {
        sideViews.sizes.shift(slot..<end, by: 1)
        sideViews.sizes[slot] = 0
        let below = UInt32(1) << UInt32(slot - Int(leaf) * SpanTree.leafSlotCount) - 1
        let first = Int(leaf) * sideViews.count
        for index in first..<(first + sideViews.count) {
            let bits = sideViews.visible[index]
            sideViews.visible[index] = bits & below | (bits & ~below) << 1
        }
    }

    /// Moves what lies above the first `kept` slots of a leaf to a new one.
    mutating func splitSideLeaf(_ leaf: Int32, to new: Int32, keeping kept: Int) {
        let from = Int(leaf) * SpanTree.leafSlotCount
        let to = Int(new) * SpanTree.leafSlotCount
        for slot in kept..<SpanTree.leafSlotCount {
            sideViews.sizes[to + slot - kept] = sideViews.sizes[from + slot]
        }
        for view in 0..<sideViews.count {
            let bits = sideViews.visible[Int(leaf) * sideViews.count + view]
            sideViews.visible[Int(new) * sideViews.count + view] = bits >> UInt32(kept)
            sideViews.visible[Int(leaf) * sideViews.count + view] = bits & (1 << UInt32(kept) - 1)
        }
    }

    /// Moves what lies above the first `kept` slots of a node to a new one.
    mutating func splitSideNode(_ node: Int32, to new: Int32, keeping kept: Int) {
        for view in 0..<sideViews.count {
            let from = sideSlot(ofNode: node, view: view)
            let to = sideSlot(ofNode: new, view: view)
            for slot in kept..<SpanTree.nodeSlotCount {
                sideViews.childWeights[to + slot - kept] = sideViews.childWeights[from + slot]
            }
        }
    }

    /// Gives the first child of a new root all there is.
    mutating func beginSideRoot(_ node: Int32) {
        for view in 0..<sideViews.count {
            sideViews.childWeights[sideSlot(ofNode: node, view: view)] = sideViews.totals[view]
        }
    }

    /// Puts a child, which is filled, behind the one at `slot`, whose upper part it was.
    /// - Parameters:
    ///   - slot: Counted from the first of the node's slots.
    ///   - count: How many children the node had.
    mutating func insertSideChild(
        _ child: Int32,
        isLeaf: Bool,
        in node: Int32,
        after slot: Int,
        count: Int
    ) {
        for view in 0..<sideViews.count {
            let first = sideSlot(ofNode: node, view: view)
            let weight = sideWeight(of: child, isLeaf: isLeaf, view: view)
            sideViews.childWeights.shift((first + slot + 1)..<(first + count), by: 1)
            sideViews.childWeights[first + slot] &-= weight
            sideViews.childWeights[first + slot + 1] = weight
        }
    }

    /// Adds what an empty leaf has.
    mutating func appendSideLeaf() {
        sideViews.visible.append(repeating: 0, count: sideViews.count)
        sideViews.sizes.append(repeating: 0, count: SpanTree.leafSlotCount)
    }

    /// Adds what an empty node has.
    mutating func appendSideNode() {
        sideViews.childWeights.append(
            repeating: 0,
            count: sideViews.count * SpanTree.nodeSlotCount
        )
    }
}
