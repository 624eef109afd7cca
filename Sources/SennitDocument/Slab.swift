// The storage of the merge's inner structures: a growable row of plain values.
//
// An `Array` checks at each change whether it has one owner, and keeps a count of its owners at
// each hand-over. Inside the tracker every array has one owner, and both are felt: the merge of the
// trace `friendsforever` takes two thirds of the instructions with this storage. Each access is
// checked against the count, so no index reaches foreign memory. Figures: docs/PERFORMANCE.md.

/// A growable row of plain values with one owner.
@safe
struct Slab<Element: BitwiseCopyable>: ~Copyable {
    // Holds `capacity` elements, of which the first `count` are initialised.
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    /// How many there are.
    private(set) var count = 0

    /// Begins empty.
    init(capacity: Int = 64) {
        self.capacity = max(capacity, 1)
        unsafe base = .allocate(capacity: self.capacity)
    }

    deinit { unsafe base.deallocate() }

    /// An element; `index` lies in 0..<count.
    subscript(index: Int) -> Element {
        @inline(__always) get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "In bounds.")
            return unsafe base[index]
        }
        @inline(__always) _modify {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "In bounds.")
            yield unsafe &base[index]
        }
    }

    /// The same for the index types of the structures.
    subscript(index: Int32) -> Element {
        @inline(__always) get { self[Int(index)] }
        @inline(__always) _modify { yield &self[Int(index)] }
    }

    /// Adds an element at the end.
    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow(to: count + 1) }
        unsafe base[count] = element
        count += 1
    }

    /// Adds the same element several times.
    mutating func append(repeating element: Element, count added: Int) {
        if count + added > capacity { grow(to: count + added) }
        unsafe (base + count).initialize(repeating: element, count: added)
        count += added
    }

    /// Puts an element before the one at `index`, which lies in 0...count.
    mutating func insert(_ element: Element, at index: Int) {
        precondition(index >= 0 && index <= count, "In bounds.")
        append(element)
        shift(index..<(count - 1), by: 1)
        unsafe base[index] = element
    }

    /// Removes the element at `index`; the last one takes its place.
    mutating func swapRemove(at index: Int) {
        self[index] = self[count - 1]
        count -= 1
    }

    /// Copies elements onto places of this row that may overlap them.
    @inline(__always)
    mutating func shift(_ range: Range<Int>, by distance: Int) {
        let target = range.lowerBound + distance
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count && target >= 0
                && target + range.count <= count,
            "In bounds."
        )
        if range.isEmpty { return }
        unsafe (base + target).update(from: base + range.lowerBound, count: range.count)
    }

    /// Empties the row and keeps its room.
    mutating func removeAll() { count = 0 }

    /// Makes room for so many elements and no more, if there is less.
    mutating func reserve(_ minimum: Int) {
        if minimum > capacity { move(to: minimum) }
    }

    private mutating func grow(to minimum: Int) {
        move(to: max(minimum, capacity + capacity / 2 + 8))
    }

    private mutating func move(to newCapacity: Int) {
        capacity = newCapacity
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        unsafe larger.moveInitialize(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = larger
    }
}

extension Slab {
    /// Passes elements from `start` on, but not the one at `last`, which is here, as long as they
    /// weigh no more than `rest`, which gets less by what they weigh. Checks once for being in
    /// bounds.
    /// - Returns: The first that was not passed.
    @inline(__always)
    func pass(
        _ rest: inout UInt32,
        from start: Int,
        to last: Int,
        weight: (Element) -> UInt32
    ) -> Int {
        precondition(start >= 0 && last < count, "In bounds.")
        var index = start
        while index < last {
            let width = unsafe weight(base[index])
            if rest < width { break }
            rest &-= width
            index += 1
        }
        return index
    }
}

extension Slab where Element: Equatable {
    /// The first place of an element among so many from `start` on, which are checked for being in
    /// bounds once. It is one of them.
    @inline(__always)
    func index(of element: Element, from start: Int, atMost limit: Int) -> Int {
        precondition(start >= 0 && limit >= 0 && limit <= count - start, "In bounds.")
        var index = start
        let end = start + limit
        while index < end {
            if unsafe base[index] == element { return index }
            index += 1
        }
        preconditionFailure("The element is one of them.")
    }
}
