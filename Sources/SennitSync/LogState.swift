import SennitSeal
import SennitWire

/// What a replica holds of one log: its chain, what is applied of it, and what waits.
struct LogState: Sendable {
    let descriptor: LogDescriptor
    let id: LogID
    /// h[0]...h[end]. Invariant: never empty.
    private(set) var chains: [ChainHash]
    /// Bytes of the stored entries.
    private(set) var byteCount: UInt64 = 0
    /// The highest verified head.
    private(set) var head: Head?

    /// How many entries are applied. Invariant: at most `end`.
    private(set) var applied = Offset.zero
    /// The number of the log's next event after each applied entry, ascending.
    private(set) var eventEnds: [UInt64] = []
    /// The author's table of logs after the applied entries.
    var table = LogTable()
    /// What the author had applied when it wrote its last applied entry. Never goes back.
    var context = Version()

    /// Entries that are stored and not applied, from `waitingStart` on: offsets `applied`..<`end`.
    private var waiting: [[UInt8]] = []
    private var waitingStart = 0
    /// The next entry to apply, opened once and kept while it is held back.
    var next: OpenedEntry?
    /// Why the next entry isn't applied.
    var hold: Hold?

    /// For a log that ended: how many of its entries count, as far as others vouch for them.
    var limit: Offset?
    /// Where reading is, if it is further than applying: an ended log is read past its limit for
    /// the records in it.
    var reading: AuthorState?
    /// The entry there, opened once and kept while it is held back.
    var nextToRead: OpenedEntry?

    init(_ descriptor: LogDescriptor, space: SpaceID) {
        self.descriptor = descriptor
        id = descriptor.logID(in: space)
        chains = [descriptor.chainStart(in: space)]
    }

    init(restoring log: RestoredLog, waiting: [[UInt8]], space: SpaceID) {
        self.init(log.record.descriptor, space: space)
        chains += log.chains
        byteCount = log.record.byteCount
        head = log.record.head
        applied = log.record.applied
        eventEnds = log.eventEnds
        table = log.record.table
        context = log.record.context
        self.waiting = waiting
    }

    /// How many entries were read; at least those that are applied.
    var readEnd: Offset { reading?.end ?? applied }

    /// What the author has said up to where it was read.
    var readState: AuthorState { reading ?? appliedState }

    /// What the author has said in the applied entries.
    var appliedState: AuthorState {
        AuthorState(end: applied, nextEvent: nextEvent, table: table, context: context)
    }

    /// Whether nothing more of the log counts, as far as is known.
    var isAtLimit: Bool { limit.map { applied >= $0 } ?? false }

    /// How many entries are verified and stored.
    var end: Offset { Offset(UInt64(chains.count - 1)) }

    /// The number of the log's next event.
    var nextEvent: UInt64 { eventEnds.last ?? 0 }

    /// h[offset] for an offset up to `end`.
    func chain(at offset: Offset) -> ChainHash? {
        guard let index = Int(exactly: offset.value), index < chains.count else { return nil }
        return chains[index]
    }

    /// h[end].
    var lastChain: ChainHash { chains[chains.count - 1] }

    /// How many events the entries before `offset` have; `offset` is at most `applied`.
    func eventCount(before offset: Offset) -> UInt64 {
        guard let count = Int(exactly: offset.value), count > 0, count <= eventEnds.count else {
            return 0
        }
        return eventEnds[count - 1]
    }

    /// The bytes of the next entry to apply.
    var nextBytes: [UInt8]? { waitingStart < waiting.count ? waiting[waitingStart] : nil }

    /// The bytes of the entry at an offset that isn't applied.
    func waitingBytes(at offset: Offset) -> [UInt8]? {
        guard offset >= applied, offset < end else { return nil }
        return waiting[waitingStart + Int(offset.value - applied.value)]
    }

    /// The bytes of every entry that waits, in order.
    var waitingEntries: [[UInt8]] { Array(waiting[waitingStart...]) }

    /// Adds verified entries at the end.
    mutating func store(_ entries: [[UInt8]], chains newChains: [ChainHash], head newHead: Head) {
        waiting += entries
        chains += newChains
        byteCount = newHead.byteCount
        head = newHead
    }

    /// The next entry took effect, or is a no-op by rule.
    mutating func advance(eventEnd: UInt64) {
        waiting[waitingStart] = []
        waitingStart += 1
        if waitingStart == waiting.count {
            waiting = []
            waitingStart = 0
        }
        eventEnds.append(eventEnd)
        applied = applied.next
        next = nil
        hold = nil
        if let reading, reading.end <= applied { self.reading = nil }
        nextToRead = reading == nil ? nil : nextToRead
    }

    var record: LogRecord {
        LogRecord(
            descriptor: descriptor,
            end: end,
            applied: applied,
            byteCount: byteCount,
            nextEvent: nextEvent,
            table: table,
            context: context,
            head: head
        )
    }
}

/// What an author has said up to some entry of its log.
struct AuthorState: Sendable {
    var end: Offset
    /// The number of the log's next event.
    var nextEvent: UInt64
    var table: LogTable
    /// What the author had applied.
    var context: Version
}

/// Why the next entry of a log waits.
enum Hold: Hashable, Error {
    /// Its context names entries that aren't applied here.
    case context(log: LogID, end: Offset)
    /// Its log doesn't begin with a record that counts.
    case membership
    /// It may end logs that what was typed here builds on: that goes into an entry first.
    case unsealed
    /// Its epoch's key isn't known.
    case key(hint: [UInt8])
    /// Its body is of a version that this one can't read, so nobody here can say what it names.
    case version
    /// It changes a document whose history must be read from the disk first.
    case history(DocumentID)
}

/// An entry that was opened and is well-formed, or is known to be a no-op.
struct OpenedEntry: Sendable {
    let entry: Entry
    let outcome: Outcome
    /// `nil` when there is no body: genesis, poison, and what is too new to be read.
    let body: EntryBody?
    /// The author's table after this entry.
    let table: LogTable
}

extension Entry {
    /// Stands for bytes that don't parse as an entry.
    static let unreadable = Entry(
        type: EntryType(rawValue: 0),
        keyHint: [UInt8](repeating: 0, count: keyHintByteCount),
        nonce: [UInt8](repeating: 0, count: nonceByteCount),
        clear: [],
        sealed: []
    )
}
