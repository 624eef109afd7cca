public import SennitDocument
public import SennitSeal
public import SennitWire

// What a step of the replica asks its driver to make durable. The driver writes all of one change
// in one transaction with `synchronous=FULL`; only then is anything in it "saved".

/// Counts the entries that a profile has applied, from 0, over all logs of one space. Every view
/// keeps one of these as its checkpoint.
public struct JournalPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// How many entries were applied.
    public let value: UInt64

    /// Before the first entry.
    public static let zero = JournalPosition(0)

    /// Wraps a number.
    public init(_ value: UInt64) { self.value = value }

    /// After one more entry.
    public var next: JournalPosition { JournalPosition(value + 1) }

    public var description: String { String(value) }

    public static func < (left: JournalPosition, right: JournalPosition) -> Bool {
        left.value < right.value
    }
}

/// A verified entry as it lies in the journal.
public struct StoredEntry: Hashable, Sendable {
    public let log: LogID
    public let offset: Offset
    /// The canonical bytes.
    public let bytes: [UInt8]
    /// h[offset + 1]: the chain with this entry.
    public let chain: ChainHash

    public init(log: LogID, offset: Offset, bytes: [UInt8], chain: ChainHash) {
        self.log = log
        self.offset = offset
        self.bytes = bytes
        self.chain = chain
    }
}

/// What an applied entry came to. A number in the journal, so cases keep their values.
public enum Outcome: Int, Hashable, Sendable {
    /// Its records or operations took effect.
    case applied = 0
    /// It opened, but its body breaks the rules of SPEC.md section 6: no effect, on every device.
    case poison = 1
    /// It, or a record in it, is of a kind or version that this one doesn't know: kept, no effect
    /// yet.
    case unknown = 2
}

/// Operations on one document, in an encoding that stands alone (its log table starts empty).
public struct StoredOperations: Hashable, Sendable {
    public let document: DocumentID
    public let author: LogID
    public let bytes: [UInt8]

    public init(document: DocumentID, author: LogID, bytes: [UInt8]) {
        self.document = document
        self.author = author
        self.bytes = bytes
    }
}

/// An entry that took its place in the order in which this device applies.
public struct AppliedEntry: Hashable, Sendable {
    /// The entry's number in that order.
    public let position: JournalPosition
    public let log: LogID
    public let offset: Offset
    public let type: EntryType
    public let outcome: Outcome
    /// When its author says it was written: milliseconds since 1970, for display only.
    public let authorTime: UInt64
    /// The operations of the entry by document.
    public let operations: [StoredOperations]
    /// For control records what membership is folded from again. Opaque to the journal.
    public let controlBody: [UInt8]?
    /// The number of the log's next event after this entry.
    public let eventEnd: UInt64

    public init(
        position: JournalPosition,
        log: LogID,
        offset: Offset,
        type: EntryType,
        outcome: Outcome,
        authorTime: UInt64,
        operations: [StoredOperations],
        controlBody: [UInt8]?,
        eventEnd: UInt64
    ) {
        self.position = position
        self.log = log
        self.offset = offset
        self.type = type
        self.outcome = outcome
        self.authorTime = authorTime
        self.operations = operations
        self.controlBody = controlBody
        self.eventEnd = eventEnd
    }
}

/// What the journal keeps of one log beside its entries.
public struct LogRecord: Hashable, Sendable {
    public let descriptor: LogDescriptor
    /// How many entries are verified and stored.
    public let end: Offset
    /// How many of them are applied.
    public let applied: Offset
    /// Bytes of the stored entries.
    public let byteCount: UInt64
    /// The number of the log's next event.
    public let nextEvent: UInt64
    /// The author's table of logs after the applied entries.
    public let table: LogTable
    /// What the author had applied when it wrote its last applied entry.
    public let context: Version
    /// The highest verified head; the register that a rollback can't pass unseen.
    public let head: Head?

    public init(
        descriptor: LogDescriptor,
        end: Offset,
        applied: Offset,
        byteCount: UInt64,
        nextEvent: UInt64,
        table: LogTable,
        context: Version,
        head: Head?
    ) {
        self.descriptor = descriptor
        self.end = end
        self.applied = applied
        self.byteCount = byteCount
        self.nextEvent = nextEvent
        self.table = table
        self.context = context
        self.head = head
    }
}

/// Operations typed here that no entry carries yet.
public struct PendingOperations: Hashable, Sendable {
    /// Counts up; names the row.
    public let sequence: UInt64
    public let operations: StoredOperations
    /// Which life of the device typed them; 0 if that isn't known.
    public let life: Life

    public init(sequence: UInt64, operations: StoredOperations, life: Life = 0) {
        self.sequence = sequence
        self.operations = operations
        self.life = life
    }
}

/// All that one step changed. Written to the journal in one transaction, or not at all.
public struct ReplicaChange: Sendable {
    /// New verified entries, ascending by offset within each log.
    public internal(set) var entries: [StoredEntry] = []
    /// New applied entries, ascending by position.
    public internal(set) var applied: [AppliedEntry] = []
    /// The records of all logs that changed, whole.
    public internal(set) var logs: [LogID: LogRecord] = [:]
    /// Epoch keys learned.
    public internal(set) var epochs: [EpochKey] = []
    /// Pending operations to add.
    public internal(set) var pending: [PendingOperations] = []
    /// Pending operations with a lower sequence are in entries now and go.
    public internal(set) var sealedBelow: UInt64?
    /// How each document's text changed, for editors: sequential patches in scalars.
    public internal(set) var texts: [DocumentID: [Patch]] = [:]
    /// Whether the directory, the member list or another map changed.
    public internal(set) var mapsChanged: Set<DocumentID> = []
    /// Whether somebody joined or an invite was made.
    public internal(set) var membershipChanged = false
    /// Whether the change takes the place of all that was derived from entries before: the applied
    /// entries, the operations and the documents that the journal has of the space go first.
    public internal(set) var isRebuild = false
    /// The log that this device writes from now on.
    public internal(set) var own: LogDescriptor?
    /// Entries of a log from an offset on that go, before anything else is written.
    public internal(set) var dropped: Position?
    /// Logs whose record must be written again.
    var touched: Set<LogID> = []

    /// Whether there is anything to write.
    public var isEmpty: Bool {
        entries.isEmpty && applied.isEmpty && logs.isEmpty && epochs.isEmpty && pending.isEmpty
            && sealedBelow == nil && !isRebuild && own == nil
    }
}

/// One log as the journal gives it back.
public struct RestoredLog: Sendable {
    public let record: LogRecord
    /// The chain after each stored entry: h[1]...h[end], so `end` of them.
    public let chains: [ChainHash]
    /// `AppliedEntry.eventEnd` of each applied entry, ascending by offset: `applied` of them.
    public let eventEnds: [UInt64]

    public init(record: LogRecord, chains: [ChainHash], eventEnds: [UInt64]) {
        self.record = record
        self.chains = chains
        self.eventEnds = eventEnds
    }
}

/// All that a replica needs to stand up again: what the journal holds of one space.
public struct ReplicaRecord: Sendable {
    public var space: SpaceID
    /// From which this device's keys in the space derive; known from the invite before genesis is.
    public var spaceNonce: Bytes32
    /// The log this device writes.
    public var own: LogDescriptor
    /// Every log with what its entries left behind.
    public var logs: [LogID: RestoredLog]
    /// Stored entries that aren't applied yet, ascending by log and offset.
    public var waiting: [StoredEntry]
    /// Control records in the order they were applied, with their entries.
    public var controls: [(entry: StoredEntry, applied: AppliedEntry)]
    public var epochs: [EpochKey]
    /// Documents whose state was stored, each at the position it holds, and without history unless
    /// it takes that to stand up.
    public var documents: [DocumentID: Document]
    /// Operations applied after the documents' states, ascending by position.
    public var operations: [StoredOperations]
    /// Operations no entry carries yet, ascending by sequence.
    public var pending: [PendingOperations]
    public var position: JournalPosition

    public init(space: SpaceID, spaceNonce: Bytes32, own: LogDescriptor) {
        self.space = space
        self.spaceNonce = spaceNonce
        self.own = own
        logs = [:]
        waiting = []
        controls = []
        epochs = []
        documents = [:]
        operations = []
        pending = []
        position = .zero
    }
}

extension ReplicaChange {
    /// Adds what a later step stored and applied.
    mutating func append(_ later: ReplicaChange) {
        entries += later.entries
        applied += later.applied
        epochs += later.epochs
        touched.formUnion(later.touched)
    }

    /// Adds what happened to a document, for those who show it.
    mutating func note(_ patches: [Patch], in document: DocumentID, mapChanged: Bool) {
        if !patches.isEmpty { texts[document, default: []] += patches }
        if mapChanged { mapsChanged.insert(document) }
    }
}
