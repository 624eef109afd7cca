// What one person does at one place, before the rope hears of it.
//
// Typing, correcting and typing on come to one replacement: so many scalars away, this text
// instead. The rope needs a search for each change it is given; so changes are gathered here while
// they touch the end of the text that was typed last.
//
//     insert "helo" at 5     5..<5 -> "helo"
//     delete 8..<9           5..<5 -> "hel"       the end of what was typed
//     insert "lo" at 8       5..<5 -> "hello"
//     delete 4..<10          4..<5 -> ""          all that was typed, and one scalar before
//     delete 4..<5           4..<6 -> ""          one scalar after
//
// Source: the buffer that diamond-types keeps before its rope (crdt.md 3.2), which holds either an
// insertion or a deletion.

/// One replacement that a rope has not been given.
struct PendingEdit: Sendable {
    /// What is deleted, in the scalars of the rope.
    private(set) var deleted = 0..<0
    /// UTF-8 that is put in its place.
    private var inserted: [UInt8] = []
    /// How many scalars that is.
    private(set) var insertedCount = 0

    var isEmpty: Bool { insertedCount == 0 && deleted.isEmpty }

    /// How many scalars the text has more than the rope.
    @inline(__always)
    var growth: Int { insertedCount - deleted.count }

    /// The place behind what was typed.
    private var end: Int { deleted.lowerBound + insertedCount }

    /// Adds an insertion.
    /// - Returns: Whether it touches; else nothing has changed.
    @inline(__always)
    mutating func insert(_ bytes: ArraySlice<UInt8>, count: Int, at position: Int) -> Bool {
        guard position == end else { return false }
        inserted.append(contentsOf: bytes)
        insertedCount += count
        return true
    }

    /// Whether an insertion there can be added.
    func touches(_ position: Int) -> Bool { position == end }

    /// Adds an insertion at the end of what was typed.
    /// - Returns: How many scalars it has.
    @inline(__always)
    mutating func insert(_ bytes: Span<UInt8>) -> Int {
        var count = 0
        for index in bytes.indices {
            let byte = bytes[index]
            inserted.append(byte)
            count &+= byte & 0xC0 == 0x80 ? 0 : 1
        }
        // Not more than there are bytes.
        insertedCount &+= count
        return count
    }

    /// Adds the deletion of the scalar before the end of what was typed, of which there is one.
    @inline(__always)
    mutating func deleteLast() {
        if insertedCount == 0 {
            deleted = (deleted.lowerBound - 1)..<deleted.upperBound
            return
        }
        // A scalar's first byte is the last one to go.
        while let byte = inserted.popLast(), byte & 0xC0 == 0x80 {}
        insertedCount -= 1
    }

    /// Adds a deletion.
    /// - Returns: Whether it touches; else nothing has changed.
    @inline(__always)
    mutating func delete(_ range: Range<Int>) -> Bool {
        if range.upperBound == end {
            let typed = min(range.count, insertedCount)
            dropLast(typed)
            deleted = (deleted.lowerBound - (range.count - typed))..<deleted.upperBound
            return true
        }
        if range.lowerBound == end {
            deleted = deleted.lowerBound..<(deleted.upperBound + range.count)
            return true
        }
        return false
    }

    private mutating func dropLast(_ count: Int) {
        var left = count
        while left > 0, let byte = inserted.popLast() {
            // A scalar's first byte is the last one to go.
            if byte & 0xC0 != 0x80 { left -= 1 }
        }
        insertedCount -= count
    }

    /// Gives the rope the change and begins anew at a place.
    mutating func settle(in text: inout Rope, at position: Int) {
        apply(to: &text)
        deleted = position..<position
        inserted.removeAll(keepingCapacity: inserted.count <= 1024)
        insertedCount = 0
    }

    /// Makes the change.
    func apply(to text: inout Rope) {
        text.remove(deleted)
        text.insert(utf8: inserted[...], at: deleted.lowerBound)
    }
}
