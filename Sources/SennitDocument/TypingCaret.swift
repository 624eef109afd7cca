// What the last keystroke knew and the next one needs.
//
// A keystroke goes on where the last one stopped, most of the time: the same author, the next
// event, at the place behind what was inserted or before what was deleted. Then the last operation
// gets longer, and there is nothing to look up and nothing to check again. All of that is one
// comparison with these numbers.
//
//     replace 5..<5 "H"    elsewhere: a new operation          caret: insert at 6
//     replace 6..<6 "i"    at the caret: it gets longer        caret: insert at 7
//     replace 6..<7 ""     elsewhere: an operation deletes     caret: erase before 6
//     replace 5..<6 ""     at the caret: it gets longer        caret: erase before 5

/// Where typing goes on, and by whom.
struct TypingCaret: Sendable {
    /// Where the last operation goes on; -1 if nowhere.
    private(set) var position = -1
    /// How many scalars an insertion may still get; negative if the operation deletes.
    private(set) var room = -1
    /// The event after the last one of the operation. Events that were added otherwise make
    /// another number of this, and so make the caret worth nothing.
    var end: LocalEvent = -1
    /// The author's log among the document's names.
    var log = -1
    /// The author's next number.
    var nextEvent: UInt64 = 0

    /// Typing does not go on.
    init() {}

    /// An insertion goes on.
    init(insertingAt position: Int, room: Int) {
        self.position = position
        self.room = room
    }

    /// A deletion goes on with the scalar before a place.
    init(erasingBefore position: Int) { self.position = position }

    /// Whether a deletion goes on, and there is a scalar left.
    @inline(__always)
    var mayErase: Bool { room < 0 && position > 0 }

    /// Steps over what was inserted. `count` is at most `room`, which bounds all sums.
    @inline(__always)
    mutating func advance(by count: Int) {
        position &+= count
        room &-= count
        end &+= count
        nextEvent &+= UInt64(truncatingIfNeeded: count)
    }

    /// Steps back over a scalar that was deleted, of which there was one.
    @inline(__always)
    mutating func retreat() {
        position &-= 1
        end &+= 1
        nextEvent &+= 1
    }
}
