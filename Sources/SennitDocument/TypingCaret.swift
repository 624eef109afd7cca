// What the last keystroke knew and the next one needs.
//
// A keystroke goes on where the last one stopped, most of the time: the same author, the next
// event, at the place behind what was inserted or before what was deleted. Then the last operation
// gets longer, and there is nothing to look up and nothing to check again. All of that is one
// comparison with these numbers.
//
//     replace 5..<5 "H"    elsewhere: a new operation          caret: insert at 6
//     replace 6..<6 "i"    at the caret: it gets longer        caret: insert at 7
//     replace 6..<7 ""     elsewhere: an operation deletes     caret: erase before or after 6
//     replace 5..<6 ""     at the caret: it gets longer        caret: erase before 5
//     replace 9..<10 ""    elsewhere: an operation deletes     caret: erase before or after 9
//     replace 9..<10 ""    at the caret: it gets longer        caret: erase after 9

/// Where typing goes on, and by whom.
struct TypingCaret: Sendable {
    /// Where the last operation goes on.
    private(set) var position = 0
    /// How many scalars an insertion may still get there; 0 if the operation doesn't insert.
    private(set) var room = 0
    /// How many scalars before and after it the operation may go on to delete; 0 if it doesn't.
    private(set) var backwardRoom = 0
    private(set) var forwardRoom = 0
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

    /// A deletion goes on.
    init(erasingAt position: Int, backwardRoom: Int, forwardRoom: Int) {
        self.position = position
        self.backwardRoom = backwardRoom
        self.forwardRoom = forwardRoom
    }

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
    mutating func eraseBackward() {
        position &-= 1
        backwardRoom &-= 1
        forwardRoom = 0
        end &+= 1
        nextEvent &+= 1
    }

    /// Stays where a scalar was deleted, of which there was one.
    @inline(__always)
    mutating func eraseForward() {
        backwardRoom = 0
        forwardRoom &-= 1
        end &+= 1
        nextEvent &+= 1
    }
}
