// Which span begins where, in the order of keys.
//
// Keys are added in any order, most of them ascending, and never removed. They lie in blocks of at
// most 64, each sorted; the blocks' first keys lie in one sorted array. A search looks at the block
// that the last one ended in, else it halves the first keys, then the block.
//
//     firstKeys  [0, 40, 97]      blocks  [0 3 17] [40 41 60 88] [97]
//
// The span at key 50 is that of 41, the last key that is not above 50, if it is long enough.

/// A sorted map from keys to handles.
struct KeyIndex: ~Copyable {
    typealias Handle = SpanTree.Handle

    private static let blockSlotCount = 64

    // Invariant: ascending over all blocks, in the order of `order`.
    private var keys = Slab<Int>()
    private var handles = Slab<Handle>()
    /// How many keys each block holds; at least one.
    private var counts = Slab<Int>(capacity: 4)
    /// Blocks in the order of their keys.
    private var order = Slab<Int32>(capacity: 4)
    /// The first key of each block of `order`.
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
        keys.removeAll()
        handles.removeAll()
        counts.removeAll()
        order.removeAll()
        firstKeys.removeAll()
        last = 0
        addBlock(at: 0, firstKey: key)
        keys[0] = key
        handles[0] = handle
        counts[0] = 1
    }

    private mutating func addBlock(at ordinal: Int, firstKey: Int) {
        order.insert(Int32(counts.count), at: ordinal)
        firstKeys.insert(firstKey, at: ordinal)
        counts.append(0)
        keys.append(repeating: 0, count: KeyIndex.blockSlotCount)
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
        var low = start
        var high = start + counts[Int(order[last])] - 1
        while low < high {
            let middle = (low + high + 1) >> 1
            if keys[middle] <= key { low = middle } else { high = middle - 1 }
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
    mutating func insert(_ key: Int, _ handle: Handle) {
        let place = place(of: key)
        var block = Int(order[place.ordinal])
        var slot = place.slot + 1
        if counts[block] == KeyIndex.blockSlotCount {
            let isAtEnd = slot == (block + 1) * KeyIndex.blockSlotCount
            let ordinal = place.ordinal + 1
            let new = counts.count
            if isAtEnd {
                addBlock(at: ordinal, firstKey: key)
                block = new
                slot = new * KeyIndex.blockSlotCount
            } else {
                let half = KeyIndex.blockSlotCount / 2
                let from = block * KeyIndex.blockSlotCount + half
                addBlock(at: ordinal, firstKey: keys[from])
                for index in 0..<half {
                    keys[new * KeyIndex.blockSlotCount + index] = keys[from + index]
                    handles[new * KeyIndex.blockSlotCount + index] = handles[from + index]
                }
                counts[block] = half
                counts[new] = half
                if slot > from {
                    slot = new * KeyIndex.blockSlotCount + slot - from
                    block = new
                }
            }
        }
        let end = block * KeyIndex.blockSlotCount + counts[block]
        keys.shift(slot..<end, by: 1)
        handles.shift(slot..<end, by: 1)
        keys[slot] = key
        handles[slot] = handle
        counts[block] += 1
    }

    /// All keys with their handles, ascending.
    var sequence: [(key: Int, handle: Handle)] {
        var result: [(key: Int, handle: Handle)] = []
        for ordinal in 0..<order.count {
            let start = Int(order[ordinal]) * KeyIndex.blockSlotCount
            for slot in start..<(start + counts[order[ordinal]]) {
                result.append((keys[slot], handles[slot]))
            }
        }
        return result
    }
}
