// What a relay needs of its disk, and no more.
//
// Storage checks one thing: that what is stored fits what is there. An append fits if it starts
// where its log ends, counting what is reserved and not yet on disk. Whether a device may append,
// and whether chain and signature are right, is decided above it, so every implementation answers
// alike. The conformance suite in Tests/RelayStorageTests holds all of them to these sentences.
//
// The unit that is stored is the batch: the entries of one accepted append with the head that
// covers them. So every range that is read back ends on a head.
//
//     submit [a: 4..<6]   reserved: a ends at 6        a reader still sees 4
//     submit [a: 6..<7]   fits what is reserved        both share a sync, or the next one does
//     ── sync ──          durable: a ends at 7         completions, then readers see 7
//     submit [a: 6..<8]   conflict: a ends at 7        nothing is stored

public import SennitWire

/// Changes that become durable together or not at all, in order. They are about one space.
public typealias StorageUnit = [StorageChange]

/// What is stored, for reading. Any thread may call it.
public protocol StorageReading: AnyObject {
    /// The random name that the relay got when its storage was made.
    var relayName: Bytes32 { get }

    /// Every space, in ascending order.
    func spaces() throws(StorageError) -> [SpaceID]

    /// How many spaces there are.
    func spaceCount() throws(StorageError) -> Int

    /// A space's record; `nil` if the relay doesn't know the space.
    func space(_ space: SpaceID) throws(StorageError) -> SpaceRecord?

    /// Every log of a space with its last head, in ascending order of log id. A log whose last
    /// head is damaged is there too, with its end and without a head.
    func logs(of space: SpaceID) throws(StorageError) -> [LogRecord]

    /// How many logs a space has.
    func logCount(of space: SpaceID) throws(StorageError) -> Int

    /// One log with its last head.
    /// - Throws: `damagedLog` if the head can't be read.
    func log(_ log: LogID) throws(StorageError) -> LogRecord?

    /// The stored head that ends at `end`; of a truncated log, also the one it starts at.
    func head(of log: LogID, endingAt end: Offset) throws(StorageError) -> Head?

    /// The batches that hold `from` and what follows, until `maximumCount` entries or
    /// `maximumByteCount` bytes counted from `from` are reached. The first one is always whole; of
    /// the rest only those are given that fit.
    /// - Throws: `damagedLog` if the first of them can't be read; `deleted` below the log's start.
    func batches(
        of log: LogID,
        from: Offset,
        maximumCount: Int,
        maximumByteCount: Int
    ) throws(StorageError) -> [Batch]

    /// What a space's logs take up; zero for an unknown space.
    func usage(of space: SpaceID) throws(StorageError) -> StorageUsage

    /// Why nothing can be stored or read at present; `nil` if nothing speaks against it.
    var outage: StorageError? { get }

    /// What was counted since the storage was opened.
    var figures: StorageFigures { get }

    /// What the storage holds, perhaps as of a minute ago; `nil` if that isn't known. It waits for
    /// nothing.
    func sizes() -> StorageSizes?

    /// Goes through everything that is stored and proves it, while the relay serves or doesn't.
    /// What is appended meanwhile may or may not be seen.
    /// - Parameters:
    ///   - checksSignatures: whether each head's signature is checked, about 50 µs each.
    ///   - progress: called with what was proven so far.
    func verify(
        checksSignatures: Bool,
        progress: (StorageCheck.Report) -> Void
    ) throws(StorageError) -> StorageCheck.Report

    /// Lets go of the files.
    func close() throws(StorageError)
}

/// The disk of a relay.
public protocol RelayStorage: StorageReading {
    /// Makes all changes durable, or none.
    ///
    /// When this returns, the changes survive a power cut. When it throws, none of them took place
    /// and reading goes on.
    /// - Throws: `conflict` if an append doesn't start where its log ends; `unfit` if something
    ///   else doesn't fit; `failed` if the disk is full or failing.
    func commit(_ changes: StorageUnit) throws(StorageError)

    /// Reserves units and makes them durable as soon as the disk allows; returns at once.
    ///
    /// Each unit stands for itself: if it doesn't fit, or its write fails, none of it took place.
    /// Units that fit what is reserved may fail later, with all that was reserved after them.
    /// - Parameters:
    ///   - completion: called once, in the order of the calls of `submit`, with an error or `nil`
    ///     for each unit. What was stored can be read by then.
    func submit(
        _ units: [StorageUnit],
        completion: @escaping @Sendable ([StorageError?]) -> Void
    )

    /// Whether other relays store in it too, so that what was read may have changed.
    var isShared: Bool { get }

    /// From now on, tells what other relays stored. Storage that isn't shared tells nothing.
    func tell(_ audience: StorageAudience)

    /// Hands a message to the other relays, which may lose it. It isn't stored.
    func broadcast(_ message: [UInt8], in space: SpaceID)
}
