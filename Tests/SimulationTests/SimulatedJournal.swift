import SennitDocument
import SennitSeal
import SennitSync
import SennitWire

/// A journal as SennitStore keeps it, on a disk that never fails: what was committed is there, what
/// wasn't is gone.
struct SimulatedJournal {
    private let space: SpaceID
    private let spaceNonce: Bytes32
    private var own: LogDescriptor
    private(set) var logs: [LogID: LogRecord] = [:]
    private(set) var entries: [LogID: [StoredEntry]] = [:]
    private var applied: [AppliedEntry] = []
    private(set) var epochs: [EpochKey] = []
    private var pending: [PendingOperations] = []
    private var documents: [DocumentID: StoredDocument] = [:]

    private struct StoredDocument {
        var head: [UInt8]
        var position: JournalPosition
        var chunks: [(events: Range<Int>, bytes: [UInt8])] = []
    }

    init(space: SpaceID, spaceNonce: Bytes32, own: LogDescriptor) {
        self.space = space
        self.spaceNonce = spaceNonce
        self.own = own
    }

    mutating func commit(_ change: ReplicaChange) {
        if change.isRebuild {
            applied = []
            documents = [:]
        }
        if let dropped = change.dropped {
            entries[dropped.log]?.removeAll { $0.offset >= dropped.offset }
            logs[dropped.log] = nil
        }
        own = change.own ?? own
        for entry in change.entries {
            precondition(
                UInt64(entries[entry.log, default: []].count) == entry.offset.value,
                "Entries are stored without a gap."
            )
            entries[entry.log, default: []].append(entry)
        }
        for entry in change.applied {
            precondition(
                entry.position.value == UInt64(applied.count),
                "Positions are dense."
            )
            applied.append(entry)
        }
        logs.merge(change.logs) { _, new in new }
        epochs += change.epochs
        pending += change.pending
        if let end = change.sealedBelow { pending.removeAll { $0.sequence < end } }
    }

    /// Keeps what a document's row lacks.
    mutating func store(
        _ document: DocumentID,
        _ state: DocumentState,
        at position: JournalPosition
    ) {
        precondition(position.value <= UInt64(applied.count), "The position is committed.")
        var stored = documents[document] ?? StoredDocument(head: [], position: .zero)
        stored.head = state.head
        stored.position = position
        stored.chunks.removeAll { $0.events.lowerBound >= state.firstEvent }
        precondition(
            stored.chunks.last?.events.upperBound ?? 0 == state.firstEvent,
            "A state goes on where the chunks end."
        )
        if !state.chunk.isEmpty {
            stored.chunks.append((state.firstEvent..<state.eventCount, state.chunk))
        }
        documents[document] = stored
    }

    /// Makes one chunk of a document's many.
    mutating func joinChunks(of document: DocumentID) throws {
        guard let chunks = documents[document]?.chunks, let last = chunks.last, chunks.count > 3
        else { return }
        let bytes = try Document.joined(chunks.map(\.bytes))
        documents[document]?.chunks = [(0..<last.events.upperBound, bytes)]
    }

    /// The chunks of a document's history.
    func history(of document: DocumentID) -> [[UInt8]] {
        documents[document]?.chunks.map(\.bytes) ?? []
    }

    /// The own entries from `offset` on that one append may hold.
    func upload(of log: LogID, from offset: Offset) -> [StoredEntry] {
        let rest = (entries[log] ?? []).dropFirst(Int(offset.value))
        var taken: [StoredEntry] = []
        var byteCount = 0
        for entry in rest.prefix(Limits.maximumBatchCount) {
            byteCount += entry.bytes.count
            if !taken.isEmpty, byteCount > Limits.maximumBatchByteCount { break }
            taken.append(entry)
        }
        return taken
    }

    /// Bytes of the own entries before `end`.
    func byteCount(of log: LogID, before end: Offset) -> UInt64 {
        (entries[log] ?? []).prefix(Int(end.value)).reduce(0) { $0 + UInt64($1.bytes.count) }
    }

    func record() throws -> ReplicaRecord {
        var record = ReplicaRecord(space: space, spaceNonce: spaceNonce, own: own)
        for (log, kept) in logs {
            let stored = entries[log] ?? []
            precondition(UInt64(stored.count) == kept.end.value, "A log has the entries it says.")
            record.logs[log] = RestoredLog(
                record: kept,
                chains: stored.map(\.chain),
                eventEnds: applied.filter { $0.log == log }.map(\.eventEnd)
            )
            record.waiting += stored[Int(kept.applied.value)...]
        }
        record.waiting.sort { ($0.log, $0.offset) < ($1.log, $1.offset) }
        for entry in applied where entry.controlBody != nil {
            record.controls.append(
                (entries[entry.log, default: []][Int(entry.offset.value)], entry)
            )
        }
        record.epochs = epochs
        record.documents = try documents.mapValues { try Document(head: $0.head) }
        record.operations = applied.flatMap { entry in
            entry.operations.filter { operations in
                entry.position >= documents[operations.document]?.position ?? .zero
            }
        }
        record.pending = pending
        record.position = JournalPosition(UInt64(applied.count))
        return record
    }

    /// Every operation that was applied, in order.
    var operations: [StoredOperations] { applied.flatMap(\.operations) }
}
