// What a relay needs of its disk, and no more.
//
// Storage decides nothing. It is given changes that are known to be right and makes them durable
// all at once; whether an append fits is decided above it (`LogTail`, `SpaceAccess`), so that every
// implementation answers alike. One thread at a time calls it.
//
// The unit that is stored is the batch: the entries of one accepted append with the head that
// covers them. So every range that is read back ends on a head.

public import SennitWire

/// Entries that were appended together, and their head.
public struct Batch: Hashable, Sendable {
    /// The offset of the first entry.
    public let first: Offset
    /// The canonical bytes of each entry; at least one.
    public let entries: [[UInt8]]
    /// The head after the last entry.
    public let head: Head

    /// The offset after the last entry.
    public var end: Offset { head.end }

    /// Puts a batch together.
    public init(first: Offset, entries: [[UInt8]], head: Head) {
        self.first = first
        self.entries = entries
        self.head = head
    }
}

/// What is kept of a space beside its logs.
public struct SpaceRecord: Hashable, Sendable {
    /// What names the space and its founder.
    public let genesis: Genesis
    /// The access list in force, if there is one.
    public var access: AccessList?
    /// Devices that an invite has let in, with that invite.
    public var admissions: [DeviceKey: DeviceKey]

    /// Puts a record together.
    public init(
        genesis: Genesis,
        access: AccessList? = nil,
        admissions: [DeviceKey: DeviceKey] = [:]
    ) {
        self.genesis = genesis
        self.access = access
        self.admissions = admissions
    }
}

/// A log and where it ends.
public struct LogRecord: Hashable, Sendable {
    /// The space it belongs to.
    public let space: SpaceID
    /// Author and life of the log.
    public let descriptor: LogDescriptor
    /// The log's last head; `nil` for a log without entries.
    public let head: Head?

    /// Puts a record together.
    public init(space: SpaceID, descriptor: LogDescriptor, head: Head?) {
        self.space = space
        self.descriptor = descriptor
        self.head = head
    }
}

/// One thing to be stored. Those of one commit happen in order and together.
public enum StorageChange: Hashable, Sendable {
    /// A space that isn't stored yet.
    case createSpace(Genesis)
    /// Replaces the list of the space it names.
    case setAccess(AccessList)
    /// Remembers that `invite` let `device` in.
    case admit(device: DeviceKey, invite: DeviceKey, space: SpaceID)
    /// Forgets admissions.
    case forget(devices: [DeviceKey], space: SpaceID)
    /// A log that isn't stored yet, of a space that is.
    case createLog(LogDescriptor, space: SpaceID)
    /// A batch that starts where its log ends.
    case append(Batch, log: LogID)
}

/// The disk of a relay.
public protocol RelayStorage: AnyObject {
    /// The random name that the relay got when its storage was made.
    var relayName: Bytes32 { get }

    /// Every space, in ascending order.
    func spaces() throws(RelayError) -> [SpaceID]

    /// How many spaces there are.
    func spaceCount() throws(RelayError) -> Int

    /// A space's record; `nil` if the relay doesn't know the space.
    func space(_ space: SpaceID) throws(RelayError) -> SpaceRecord?

    /// Every log of a space with its last head, in ascending order of log id.
    func logs(of space: SpaceID) throws(RelayError) -> [LogRecord]

    /// How many logs a space has.
    func logCount(of space: SpaceID) throws(RelayError) -> Int

    /// One log with its last head.
    func log(_ log: LogID) throws(RelayError) -> LogRecord?

    /// The stored head that ends at `end`.
    func head(of log: LogID, endingAt end: Offset) throws(RelayError) -> Head?

    /// The batches that hold `from` and what follows, until `maximumCount` entries or
    /// `maximumByteCount` bytes counted from `from` are reached. The first one is always whole; of
    /// the rest only those are given that fit.
    func batches(
        of log: LogID,
        from: Offset,
        maximumCount: Int,
        maximumByteCount: Int
    ) throws(RelayError) -> [Batch]

    /// Makes all changes durable, or none.
    ///
    /// When this returns, the changes survive a power cut. When it throws, none of them took place
    /// and reading goes on.
    /// - Throws: `storage`.
    func commit(_ changes: [StorageChange]) throws(RelayError)

    /// Lets go of the files.
    func close() throws(RelayError)
}

extension RelayStorage {
    /// The entries from `from` on as one frame may carry them; `nil` at the end of the log.
    public func range(
        of log: LogID,
        descriptor: LogDescriptor,
        from: Offset
    ) throws(RelayError) -> EntryRange? {
        let batches = try batches(
            of: log,
            from: from,
            maximumCount: Limits.maximumBatchCount,
            maximumByteCount: Limits.maximumBatchByteCount
        )
        guard let first = batches.first, let last = batches.last else { return nil }
        let isWhole = zip(batches, batches.dropFirst()).allSatisfy { $0.end == $1.first }
        guard isWhole, first.first <= from, from < first.end else {
            throw .damagedLog(log: log, offset: from, reason: "a batch is missing")
        }
        let skipped = Int(from.value - first.first.value)
        return EntryRange(
            descriptor: descriptor,
            from: from,
            entries: Array(batches.flatMap(\.entries).dropFirst(skipped)),
            head: last.head
        )
    }
}
