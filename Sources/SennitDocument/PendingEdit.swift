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
// The text is not copied: it lies in the pool of the operations already, mostly in one piece. When
// typing goes on after a correction, the pieces before are copied, because what was corrected lies
// between them and the new one.
//
// Source: the buffer that diamond-types keeps before its rope (crdt.md 3.2), which holds either an
// insertion or a deletion.

/// One replacement that a rope has not been given.
struct PendingEdit: Sendable {
    /// What is deleted, in the scalars of the rope.
    private(set) var deleted = 0..<0
    /// How many scalars are put in its place.
    private(set) var insertedCount = 0
    /// The first pieces of their UTF-8.
    private var copied: [UInt8] = []
    /// Where in the pool the last piece of their UTF-8 lies.
    private var textStart = 0
    private var textEnd = 0

    var isEmpty: Bool { insertedCount == 0 && deleted.isEmpty }

    /// How many scalars the text has more than the rope.
    @inline(__always)
    var growth: Int { insertedCount - deleted.count }

    /// The place behind what was typed.
    private var end: Int { deleted.lowerBound + insertedCount }

    /// Whether an insertion there can be added.
    func touches(_ position: Int) -> Bool { position == end }

    /// Adds an insertion.
    /// - Parameter text: Where in the pool it lies.
    /// - Returns: Whether it touches; else nothing has changed.
    @inline(__always)
    mutating func insert(
        _ text: Range<Int>,
        of pool: [UInt8],
        count: Int,
        at position: Int
    ) -> Bool {
        guard position == end else { return false }
        if text.lowerBound != textEnd {
            if textStart < textEnd { copied.append(contentsOf: pool[textStart..<textEnd]) }
            textStart = text.lowerBound
        }
        textEnd = text.upperBound
        insertedCount += count
        return true
    }

    /// Adds what was typed at the end of what was inserted last, whose text ended the pool.
    @inline(__always)
    mutating func typeOn(byteCount: Int, count: Int) {
        // The pool has no fewer bytes than either says.
        textEnd &+= byteCount
        insertedCount &+= count
    }

    /// Adds the deletion of the scalar before the end of what was typed, of which there is one.
    @inline(__always)
    mutating func eraseBackward(in pool: [UInt8]) {
        if insertedCount == 0 {
            deleted = (deleted.lowerBound - 1)..<deleted.upperBound
        } else {
            dropLast(1, of: pool)
        }
    }

    /// Adds the deletion of the scalar after the end of what was typed, of which there is one.
    @inline(__always)
    mutating func eraseForward() {
        deleted = deleted.lowerBound..<(deleted.upperBound + 1)
    }

    /// Adds a deletion.
    /// - Returns: Whether it touches; else nothing has changed.
    @inline(__always)
    mutating func delete(_ range: Range<Int>, of pool: [UInt8]) -> Bool {
        if range.upperBound == end {
            let typed = min(range.count, insertedCount)
            if typed > 0 { dropLast(typed, of: pool) }
            deleted = (deleted.lowerBound - (range.count - typed))..<deleted.upperBound
            return true
        }
        if range.lowerBound == end {
            deleted = deleted.lowerBound..<(deleted.upperBound + range.count)
            return true
        }
        return false
    }

    private mutating func dropLast(_ count: Int, of pool: [UInt8]) {
        var left = count
        // A scalar's first byte is the last one to go.
        while left > 0, textEnd > textStart {
            textEnd -= 1
            if pool[textEnd] & 0xC0 != 0x80 { left -= 1 }
        }
        while left > 0, let byte = copied.popLast() {
            if byte & 0xC0 != 0x80 { left -= 1 }
        }
        insertedCount -= count
    }

    /// Gives the rope the change and begins anew at a place.
    mutating func settle(in text: inout Rope, from pool: [UInt8], at position: Int) {
        if copied.isEmpty {
            text.replace(deleted, withUTF8: pool[textStart..<textEnd])
        } else {
            copied.append(contentsOf: pool[textStart..<textEnd])
            text.replace(deleted, withUTF8: copied[...])
            copied.removeAll(keepingCapacity: copied.count <= 1024)
        }
        deleted = position..<position
        insertedCount = 0
        textStart = 0
        textEnd = 0
    }

    /// Makes the change.
    func apply(to text: inout Rope, from pool: [UInt8]) {
        var copy = self
        copy.settle(in: &text, from: pool, at: 0)
    }

    /// Traps if the text is not what the count says, or can't be deleted from the rope.
    func checkInvariants(pool: [UInt8], scalarCount: Int) {
        let pieces = [copied[...], pool[textStart..<textEnd]]
        let count = pieces.reduce(0) { $0 + TextCounts($1).scalars }
        precondition(count == insertedCount, "What was typed has so many scalars.")
        precondition(
            deleted.lowerBound >= 0 && deleted.upperBound <= scalarCount,
            "What is deleted is in the rope."
        )
    }
}
