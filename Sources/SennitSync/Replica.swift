public import SennitDocument
public import SennitSeal
public import SennitWire

// One space as one device has it: every log, the documents, the members, the keys.
//
// The idea: a replica is a fold over entries. Verified entries go into their log's state
// (Replica+Receiving), wait there until what they build on is applied, are opened and applied in
// that order (Replica+Applying), and each gets the next journal position. What is typed here
// becomes operations at once, and an entry when the relay can take one (Replica+Editing). No step
// reads a clock, draws randomness or touches a disk: each returns a `ReplicaChange`, and what it
// says is true on disk only when the driver has committed it.
//
// Equal versions mean equal documents: nothing here depends on the order of arrival.

/// One space as one device has it.
public struct Replica: Sendable {
    /// The space's id.
    public let space: SpaceID
    /// From which this device's keys in the space derive.
    public let spaceNonce: Bytes32
    /// This device's keys in this space.
    public let identity: DeviceIdentity
    /// The log this device writes.
    public internal(set) var own: LogDescriptor
    /// The id of that log.
    public internal(set) var ownLog: LogID
    /// Whether entries of the own log came from outside: another copy of this device writes it, or
    /// did. This device goes on in a new log: see Replica+Renewing.
    public internal(set) var isOwnLogTaken = false
    /// Tells what this process types from what a copy of its profile does: random, not 0. Set it
    /// before anything is typed.
    public var life: Life = 0
    /// The invite by which this device joins, until it has.
    public let invite: InviteIdentity?

    /// Who is in the space; `nil` until genesis is applied.
    public internal(set) var membership: Membership?
    /// Every document by id, the directory included.
    public internal(set) var documents: [DocumentID: Document] = [:]
    /// How many entries are applied.
    public internal(set) var position = JournalPosition.zero
    /// What is known against each log. Empty while all is well.
    public internal(set) var findings: [LogID: LogStatus] = [:]

    // Logs of which nothing is here because all that came of them was corrupt.
    var refused: [LogID: LogDescriptor] = [:]

    // Invariant: `indexes` holds each log's place in `logs`.
    var logs: [LogState] = []
    var indexes: [LogID: Int] = [:]
    var epochs: [EpochKeyID: EpochKey] = [:]
    // Every epoch record that was seen, for the older keys wrapped in it.
    var epochRecords: [EpochKeyID: [EpochRecord]] = [:]
    // The older keys that each epoch whose key we have hands on.
    var wrappedKeys: [EpochKeyID: Set<EpochKeyID>] = [:]
    // Follows from the records and the keys; see `chooseEpoch`.
    var epochChoice: EpochChoice?
    // Whether records or keys have come since it was made.
    var isEpochChoiceStale = true
    var seenInvites: Set<DeviceKey> = []

    // Logs whose next entry waits for another log to grow, or for a key.
    var waiters: [LogID: Set<LogID>] = [:]
    var waitingForKey: Set<LogID> = []
    // Documents whose history is wanted, with the logs whose next entry waits for it.
    var historyWaiters: [DocumentID: Set<LogID>] = [:]
    // Logs whose next entry waits until what was typed here is in an entry.
    var waitingForSeal: Set<LogID> = []

    /// Entries were applied that don't count any more, because a log ended before them. Until
    /// `rebuilt` has stood up a replica without them nothing can be typed.
    public internal(set) var needsRebuild = false
    // Whether entries are only read, for the records in them, and none applied.
    var onlyReads = false
    // Whether the set of ended logs has changed and limits are to be worked out.
    var endsChanged = false
    // The logs that ended by the records that were folded so far.
    var knownEnds: Set<LogID> = []
    // How far logs count by membership records in them that have an effect.
    var decidedEnds: [LogID: Offset] = [:]

    // What this device's next entry says it has seen, beyond what is applied: what that which was
    // typed before a rebuild builds on.
    var vouching = Version()

    // How far the relay has acked own entries, in this run of the process.
    var acked: [LogID: Offset] = [:]

    // What was typed here and no entry carries yet. Invariant: sequences ascend.
    var pending: [Pending] = []
    // Events of `pending`.
    var pendingEvents: UInt64 = 0
    var nextSequence: UInt64 = 0

    struct Pending: Sendable {
        let sequence: UInt64
        let batch: OperationBatch
        /// About how many bytes it takes in an entry.
        let byteCount: Int
        let life: Life
    }

    /// Stands up an empty replica: before founding, or before the first entry has come in.
    init(
        space: SpaceID,
        spaceNonce: Bytes32,
        identity: DeviceIdentity,
        own: LogDescriptor,
        invite: InviteIdentity?
    ) {
        self.space = space
        self.spaceNonce = spaceNonce
        self.identity = identity
        self.own = own
        ownLog = own.logID(in: space)
        self.invite = invite
        documents[.directory] = Document()
    }

    /// A device that holds an invite and has seen nothing yet. It reads with the invite, and joins
    /// by `joinIfReady` once it has applied the invite's record.
    public init(
        joining link: InviteLink,
        deviceSeed: SecretBytes,
        incarnation: Incarnation
    ) {
        let identity = DeviceIdentity(deviceSeed: deviceSeed, spaceNonce: link.spaceNonce)
        self.init(
            space: link.space,
            spaceNonce: link.spaceNonce,
            identity: identity,
            own: LogDescriptor(device: identity.device, incarnation: incarnation),
            invite: InviteIdentity(seed: link.seed, space: link.space)
        )
    }

    /// Stands up again from what the journal holds.
    /// - Throws: `historyNeeded` for documents whose operations take the history: attach it to
    ///   those of the record and try again. `corrupt` for records that contradict each other, and
    ///   what merging throws.
    /// - Complexity: O(operations since the documents were stored + entries held back).
    public init(
        restoring record: ReplicaRecord,
        deviceSeed: SecretBytes,
        invite: InviteIdentity?
    ) throws(SyncError) {
        self.init(
            space: record.space,
            spaceNonce: record.spaceNonce,
            identity: DeviceIdentity(deviceSeed: deviceSeed, spaceNonce: record.spaceNonce),
            own: record.own,
            invite: invite
        )
        try restore(record)
    }

    /// What this device has stored of every log, applied or not.
    public var version: Version {
        var version = Version()
        for log in logs { version[log.id] = log.end }
        return version
    }

    /// What this device has applied of every log.
    public var appliedVersion: Version {
        var version = Version()
        for log in logs { version[log.id] = log.applied }
        return version
    }

    /// Whether this device is a member: it founded the space, or its join is applied.
    public var isMember: Bool { isMember(identity.device) }

    /// Whether this device is a member or was one: a log of its own begins with a join that counts.
    public var hasBeenMember: Bool {
        logs.contains { log in
            log.descriptor.device == identity.device && membership?.role(ofLog: log.id) != nil
        }
    }

    /// Whether a device is a member, as far as this device knows.
    public func isMember(_ device: DeviceKey) -> Bool { membership?.isMember(device) ?? false }

    /// The name that the person of a device goes by, or went by when the device was a member.
    public func name(of device: DeviceKey) -> String? {
        membership?.record(of: device)?.name
    }

    /// The genesis, once it is known.
    public var genesis: Genesis? { membership?.genesis }

    /// Operations typed here that no entry carries yet.
    public var pendingCount: Int { pending.count }

    /// Every log in ascending order with how far it is stored and applied.
    public var logSummaries: [LogSummary] {
        logs.map { log in
            LogSummary(
                log: log.id,
                descriptor: log.descriptor,
                end: log.end,
                applied: log.applied,
                byteCount: log.byteCount,
                isOwn: log.id == ownLog,
                author: name(of: log.descriptor.device),
                hold: log.isAtLimit && log.applied < log.end
                    ? .setAside : log.hold.map { reason(for: $0) }
            )
        }.sorted { $0.log < $1.log }
    }

    private func reason(for hold: Hold) -> HoldReason {
        guard case .context(let log, let end) = hold,
            let other = indexes[log], logs[other].end >= end
        else { return HoldReason(hold) }
        return .awaitsHeld(log: log)
    }

    /// The log that a device key writes, with its number, for the names of authors.
    public func descriptor(of log: LogID) -> LogDescriptor? {
        indexes[log].map { logs[$0].descriptor }
    }

    /// The chain of a log at an offset that is stored here.
    public func chain(of log: LogID, at offset: Offset) -> ChainHash? {
        indexes[log].flatMap { logs[$0].chain(at: offset) }
    }

    /// The state of `log`, made if it isn't known.
    mutating func index(of descriptor: LogDescriptor) throws(SyncError) -> Int {
        let log = descriptor.logID(in: space)
        if let index = indexes[log] { return index }
        guard logs.count < Limits.maximumLogCount else { throw .tooManyLogs }
        logs.append(LogState(descriptor, space: space))
        indexes[log] = logs.count - 1
        return logs.count - 1
    }
}

/// One log as people are shown it.
public struct LogSummary: Hashable, Sendable {
    public let log: LogID
    public let descriptor: LogDescriptor
    /// How many entries are stored here.
    public let end: Offset
    /// How many of them are applied.
    public let applied: Offset
    public let byteCount: UInt64
    public let isOwn: Bool
    /// The name its person goes by, if the device is a member.
    public let author: String?
    /// Why the next entry waits, if one does.
    public let hold: HoldReason?
}

/// Why an entry that is here isn't applied.
public enum HoldReason: Hashable, Sendable {
    /// It builds on entries of another log that haven't come.
    case awaits(log: LogID, end: Offset)
    /// It builds on entries of another log that are here and wait themselves.
    case awaitsHeld(log: LogID)
    /// Its device isn't a member.
    case unauthorised
    /// Its device was removed, or may not write any more, and nobody who may has built on it.
    case setAside
    /// Its epoch's key isn't known.
    case keyMissing
    /// It waits until what was typed here is in an entry.
    case unsealed
    /// It was written by a newer Sennit.
    case needsUpdate
    /// The history of a document that it changes is being read from the disk.
    case historyNeeded

    init(_ hold: Hold) {
        switch hold {
        case .context(let log, let end): self = .awaits(log: log, end: end)
        case .membership: self = .unauthorised
        case .key: self = .keyMissing
        case .version: self = .needsUpdate
        case .history: self = .historyNeeded
        case .unsealed: self = .unsealed
        }
    }
}
