/// Makes patches of what is kept, deleted and inserted from left to right.
///
/// What is deleted and inserted at one place, in whatever order, is one patch.
struct PatchWriter {
    private var patches: [Patch] = []
    /// Where the next scalar is, in the text that the patches before have left.
    private var position = 0
    private var deletedCount = 0
    private var inserted: [UInt8] = []
    private var insertedCount = 0
    private var hint = 0

    /// The next scalars stay.
    mutating func keep(_ count: Int) {
        if count == 0 { return }
        settle()
        position += count
    }

    /// The next scalars go.
    mutating func delete(_ count: Int) { deletedCount += count }

    /// The scalars that a range of events inserted come in here.
    mutating func insert(_ events: Range<LocalEvent>, of history: History) {
        history.appendText(of: events, near: &hint, to: &inserted)
        insertedCount += events.count
    }

    /// All patches.
    mutating func finish() -> [Patch] {
        settle()
        return patches
    }

    private mutating func settle() {
        if deletedCount == 0, insertedCount == 0 { return }
        let range = position..<(position + deletedCount)
        patches.append(Patch(range: range, text: String(decoding: inserted, as: UTF8.self)))
        position += insertedCount
        deletedCount = 0
        insertedCount = 0
        inserted.removeAll(keepingCapacity: true)
    }
}
