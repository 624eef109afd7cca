// Which span begins where, in the order of keys.
//
// Keys are added in any order, most of them ascending, and never removed. They lie in blocks of at
// most 64, each sorted; the blocks' first keys lie in one sorted array. A search looks at the block
// that the last one ended in, else it halves the first keys, then the block.
//
//     firstKeys  [0, 40, 97]      blocks  [0 3 17] [40 41 60 88] [97]
//                                 stored  [0 3 17] [0 1 20 48] [0]
//
// A block stores what its keys are above its first one, in 32 bits; what is further away begins a
// new block.
//
// The span at key 50 is that of 41, the last key that is not above 50, if it is long enough.

/// A sorted map from keys to handles.
struct KeyIndex: ~Copyable {
    typealias Handle = SpanTree.Handle

    private static let blockSlotCount = 64

    // Invariant: ascending in each block; the first is 0.
    private var distances = Slab<UInt32>()
    private var handles = Slab<Handle>()
    /// How many keys each block holds; at least one.
    private var counts = Slab<Int>(capacity: 4)
    /// Blocks in the order of their keys.
    private var order = Slab<Int32>(capacity: 4)
    /// The first key of each block of `order`. Invariant: ascending; each is above all keys of the
    /// block before.
    private var firstKeys = Slab<Int>(capacity: 4)
    /// Where in `order` the last search ended.
    private var last = 0

    /// A place in the index. Good until the next insertion.
    struct Place {
        fileprivate var ordinal: Int
        fileprivate var slot: Int
    }

    /// Begins with one key, below which there will be none.
    init(key: Int, handle: Handle) { reset(key: key, handle: handle) }

    /// Begins anew and keeps its room.
    mutating func reset(key: Int, handle: Handle) {
        distances.removeAll()
        handles.removeAll()
        counts.removeAll()
        order.removeAll()
        firstKeys.removeAll()
        last = 0
        addBlock(at: 0, firstKey: key)
        handles[0] = handle
        counts[0] = 1
    }

    /// Makes room for so many keys. Blocks that are split stay five eighths full.
    mutating func reserve(_ keyCount: Int) {
        let blockCount = keyCount / (KeyIndex.blockSlotCount * 5 / 8) + 1
        distances.reserve(blockCount * KeyIndex.blockSlotCount)
        handles.reserve(blockCount * KeyIndex.blockSlotCount)
    }

    private mutating func addBlock(at ordinal: Int, firstKey: Int) {
        order.insert(Int32(counts.count), at: ordinal)
        firstKeys.insert(firstKey, at: ordinal)
        counts.append(0)
        distances.append(repeating: 0, count: KeyIndex.blockSlotCount)
        handles.append(repeating: 0, count: KeyIndex.blockSlotCount)
    }

    /// The place of the highest key that is not above `key`.
    /// - Complexity: O(log n), O(1) close to the last one that was asked for.
    @inline(__always)
    mutating func place(of key: Int) -> Place {
        if key < firstKeys[last] || (last + 1 < firstKeys.count && key >= firstKeys[last + 1]) {
            last = ordinal(of: key)
        }
        let start = Int(order[last]) * KeyIndex.blockSlotCount
        let distance = key - firstKeys[last]
        var low = start
        var high = start + counts[Int(order[last])] - 1
        while low < high {
            let middle = (low + high + 1) >> 1
            if Int(distances[middle]) <= distance { low = middle } else { high = middle - 1 }
        }
        return Place(ordinal: last, slot: low)
    }

    private func ordinal(of key: Int) -> Int {
        var low = 0
        var high = firstKeys.count - 1
        while low < high {
            let middle = (low + high + 1) >> 1
            if firstKeys[middle] <= key { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// The handle at a place.
    @inline(__always)
    func handle(at place: Place) -> Handle { handles[place.slot] }

    /// The next higher key; `nil` after the last.
    @inline(__always)
    func successor(of place: Place) -> Place? {
        let block = Int(order[place.ordinal])
        if place.slot + 1 < block * KeyIndex.blockSlotCount + counts[block] {
            return Place(ordinal: place.ordinal, slot: place.slot + 1)
        }
        guard place.ordinal + 1 < order.count else { return nil }
        let next = place.ordinal + 1
        return Place(ordinal: next, slot: Int(order[next]) * KeyIndex.blockSlotCount)
    }

    /// Adds a key that is not here and not below the first one.
    @inline(__always)
    mutating func insert(_ key: Int, _ handle: Handle) {
        // Most keys are new events, above all others.
        let block = Int(order[order.count - 1])
        let end = block * KeyIndex.blockSlotCount + counts[block]
        let distance = key - firstKeys[firstKeys.count - 1]
        if counts[block] < KeyIndex.blockSlotCount, distance <= UInt32.max,
            distance > Int(distances[end - 1])
        {
            distances[end] = UInt32(distance)
            handles[end] = handle
            counts[block] += 1
            return
        }
        insertInside(key, handle)
    }

    private mutating func insertInside(_ key: Int, _ handle: Handle) {
        let place = place(of: key)
        var block = Int(order[place.ordinal])
        var slot = place.slot + 1
        var distance = key - firstKeys[place.ordinal]
        let isAtEnd = slot == block * KeyIndex.blockSlotCount + counts[block]
        let isFull = counts[block] == KeyIndex.blockSlotCount
        if isAtEnd && (isFull || distance > UInt32.max) {
            block = counts.count
            addBlock(at: place.ordinal + 1, firstKey: key)
            slot = block * KeyIndex.blockSlotCount
            distance = 0
        } else if isFull {
            let new = splitBlock(at: place.ordinal)
            let from = block * KeyIndex.blockSlotCount + counts[block]
            if slot > from {
                slot = new * KeyIndex.blockSlotCount + slot - from
                block = new
                distance = key - firstKeys[place.ordinal + 1]
            }
        }
        let end = block * KeyIndex.blockSlotCount + counts[block]
        if slot < end {
            distances.shift(slot..<end, by: 1)
            handles.shift(slot..<end, by: 1)
        }
        distances[slot] = UInt32(distance)
        handles[slot] = handle
        counts[block] += 1
    }

    /// Moves the upper half of a full block to a new one behind it, which is returned.
    private mutating func splitBlock(at ordinal: Int) -> Int {
        let half = KeyIndex.blockSlotCount / 2
        let block = Int(order[ordinal])
        let new = counts.count
        let from = block * KeyIndex.blockSlotCount + half
        let to = new * KeyIndex.blockSlotCount
        let moved = distances[from]
        addBlock(at: ordinal + 1, firstKey: firstKeys[ordinal] + Int(moved))
        for index in 0..<half {
            distances[to + index] = distances[from + index] - moved
            handles[to + index] = handles[from + index]
        }
        counts[block] = half
        counts[new] = half
        return new
    }

    /// All keys with their handles, ascending.
    var sequence: [(key: Int, handle: Handle)] {
        var result: [(key: Int, handle: Handle)] = []
        for ordinal in 0..<order.count {
            let start = Int(order[ordinal]) * KeyIndex.blockSlotCount
            for slot in start..<(start + counts[order[ordinal]]) {
                result.append((firstKeys[ordinal] + Int(distances[slot]), handles[slot]))
            }
        }
        return result
    }
}
