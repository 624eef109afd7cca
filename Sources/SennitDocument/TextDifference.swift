/// What a batch changes in a text, from left to right.
struct TextDifference: ~Copyable {
    /// A place of the text that changes.
    struct Change {
        /// Where, in the text that the changes before it left.
        var position: Int
        var deletedCount: Int
        /// Where its first range of events lies in `inserted`; the last one lies before the first
        /// range of the next change.
        var firstInserted: Int
        /// How many scalars are inserted.
        var insertedCount = 0

        /// What is deleted.
        var deleted: Range<Int> { position..<(position + deletedCount) }
    }

    /// Events whose characters are inserted.
    struct Events {
        var start: LocalEvent
        var end: LocalEvent
    }

    private(set) var changes = Slab<Change>(capacity: 16)
    private(set) var inserted = Slab<Events>(capacity: 16)
    /// How much of the new text lies left of what comes next.
    private var position = 0
    private var isOpen = false

    /// Begins at the left end.
    mutating func removeAll() {
        changes.removeAll()
        inserted.removeAll()
        position = 0
        isOpen = false
    }

    /// The ranges of events that a change inserts.
    func inserted(by change: Int) -> Range<Int> {
        let isLast = change + 1 == changes.count
        return changes[change]
            .firstInserted..<(isLast ? inserted.count : changes[change + 1].firstInserted)
    }

    /// So many scalars are in both texts.
    @inline(__always)
    mutating func keep(_ count: Int) {
        if count == 0 { return }
        if isOpen {
            position += changes[changes.count - 1].insertedCount
            isOpen = false
        }
        position += count
    }

    /// So many scalars are in the old text only.
    @inline(__always)
    mutating func delete(_ count: Int) {
        if count == 0 { return }
        open()
        changes[changes.count - 1].deletedCount += count
    }

    /// The characters of these events are in the new text only.
    @inline(__always)
    mutating func insert(_ events: Range<LocalEvent>) {
        open()
        changes[changes.count - 1].insertedCount += events.count
        let last = inserted.count - 1
        if last >= changes[changes.count - 1].firstInserted, inserted[last].end == events.lowerBound
        {
            inserted[last].end = events.upperBound
        } else {
            inserted.append(Events(start: events.lowerBound, end: events.upperBound))
        }
    }

    private mutating func open() {
        if isOpen { return }
        changes.append(
            Change(position: position, deletedCount: 0, firstInserted: inserted.count)
        )
        isOpen = true
    }
}
