import SennitStore
import SennitSync
import SennitWire

/// What is on its way to the disk: one commit at a time, everything that gathers meanwhile goes
/// into the next.
struct Outbox {
    /// Whether the journal may have the space. While it mayn't, everything waits here.
    var isStored = true
    /// The space's record, if the next commit is the first.
    var creation: SpaceRecord?
    /// Why the last commit failed, until one succeeds.
    var fault: StoreError?
    private(set) var queue: [ReplicaChange] = []
    private var inFlight: [ReplicaChange] = []
    private(set) var isCommitting = false
    /// Changes that were ever added, and those of them that are on the disk.
    private(set) var addedCount: UInt64 = 0
    private(set) var savedCount: UInt64 = 0
    /// Bytes of the entries that wait.
    private(set) var byteCount = 0

    /// Whether all that was added is on the disk.
    var isEmpty: Bool { savedCount == addedCount }

    /// Entries that aren't known to be on the disk, in order.
    var unsavedEntries: [StoredEntry] {
        var entries: [StoredEntry] = []
        for change in inFlight + queue {
            if let dropped = change.dropped {
                entries.removeAll { $0.log == dropped.log && $0.offset >= dropped.offset }
            }
            entries += change.entries
        }
        return entries
    }

    mutating func add(_ change: ReplicaChange) {
        guard !change.isEmpty else { return }
        queue.append(change)
        addedCount += 1
        byteCount += change.entries.reduce(0) { $0 + $1.bytes.count }
    }

    /// What to commit now, if anything.
    mutating func begin() -> [ReplicaChange]? {
        guard isStored, !isCommitting, !queue.isEmpty else { return nil }
        isCommitting = true
        inFlight = queue
        queue = []
        return inFlight
    }

    /// The commit is on the disk.
    mutating func succeed() {
        isCommitting = false
        fault = nil
        creation = nil
        savedCount += UInt64(inFlight.count)
        for change in inFlight { byteCount -= change.entries.reduce(0) { $0 + $1.bytes.count } }
        inFlight = []
    }

    /// None of the commit is on the disk; it is kept for another try.
    mutating func fail(_ error: StoreError) {
        isCommitting = false
        fault = error
        queue = inFlight + queue
        inFlight = []
    }
}

/// The end of the own log: entries that the relay may not have yet, and how far they are saved.
struct OwnTail {
    /// How many entries the log has, saved or not.
    private(set) var end: Offset
    /// How many of them are on the disk: only these may be sent.
    private(set) var committedEnd = Offset.zero
    /// Bytes of all entries before `end`.
    private(set) var byteCount: UInt64
    // Invariant: consecutive, and the last is the one before `end`.
    private var entries: [StoredEntry] = []
    private var keptByteCount = 0

    init(end: Offset = .zero, byteCount: UInt64 = 0) {
        self.end = end
        self.byteCount = byteCount
    }

    mutating func append(_ new: [StoredEntry]) {
        for entry in new {
            entries.append(entry)
            keptByteCount += entry.bytes.count
            byteCount += UInt64(entry.bytes.count)
            end = entry.offset.next
        }
    }

    mutating func commit(_ end: Offset) {
        committedEnd = max(committedEnd, end)
        trim { _, keptByteCount in keptByteCount > EngineLimits.maximumOwnTailByteCount }
    }

    /// The relay has all before `end`.
    mutating func acknowledge(_ end: Offset) { trim { entry, _ in entry.offset < end } }

    /// Saved entries from `start` on for one upload, and the bytes of all entries before their end;
    /// `nil` if they are only on the disk.
    func batch(from start: Offset) -> (entries: [[UInt8]], byteCount: UInt64)? {
        guard let first = entries.first?.offset, first <= start, start < committedEnd else {
            return nil
        }
        var batch: [[UInt8]] = []
        var count = 0
        for entry in entries[Int(start.value - first.value)...] where entry.offset < committedEnd {
            if batch.count == Limits.maximumBatchCount { break }
            if !batch.isEmpty, count + entry.bytes.count > Limits.maximumBatchByteCount { break }
            batch.append(entry.bytes)
            count += entry.bytes.count
        }
        let rest = entries[(Int(start.value - first.value) + batch.count)...]
        return (batch, rest.reduce(byteCount) { $0 - UInt64($1.bytes.count) })
    }

    private mutating func trim(while isGone: (StoredEntry, Int) -> Bool) {
        var count = 0
        while count < entries.count, entries[count].offset < committedEnd,
            isGone(entries[count], keptByteCount)
        {
            keptByteCount -= entries[count].bytes.count
            count += 1
        }
        if count > 0 { entries.removeFirst(count) }
    }
}
