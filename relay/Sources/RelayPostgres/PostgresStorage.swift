#if PostgreSQL
public import RelayStorage
public import SennitWire
import Synchronization

// Storage in PostgreSQL, for those who outgrow one machine: several relays on one database, with
// standbys as its server is set up, or on several.
//
//     relay ──┐                    ┌── spaces whose id begins with 00…7f: database 0 (+ standbys)
//     relay ──┼── by space id ─────┤
//     relay ──┘                    └── spaces whose id begins with 80…ff: database 1 (+ standbys)
//
// A space lies on one database with all its logs, so a unit is one transaction there, and entering
// a space asks one server. A space's id is a hash, so spaces spread evenly. A log's id doesn't
// tell its space: it is remembered from when the space was entered, and otherwise asked for.
//
// Durable means committed: on that server's disk, and on as many standbys as its
// `synchronous_standby_names` wants. POSTGRESQL.md says how to set that up and what was tested.

/// A relay's storage in one or several PostgreSQL databases.
public final class PostgresStorage: RelayStorage, Sendable {
    /// What may be chosen.
    public struct Options: Sendable {
        /// Connections for reading, to each database.
        public var readerCount = 4
        /// How long connecting may take, for each host of an address.
        public var connectTimeout: Duration = .seconds(5)
        /// How long a statement or a commit may take before the connection is given up.
        public var commitTimeout: Duration = .seconds(15)
        /// How long an append is held while the database is away, before it is refused.
        public var holdTimeout: Duration = .seconds(10)
        /// How often the ends of logs are looked at, for hints may be lost.
        public var lookInterval: Duration = .seconds(2)
        /// How often it is measured what is stored, unless that takes long.
        public var measureInterval: Duration = .seconds(5)
        /// Whether tables are made where there are none.
        public var makesTables = true
        /// Whether a server is accepted that may lose what it committed.
        public var acceptsUnsafeServer = false
        /// Whether other relays are told what was stored at once.
        public var givesHints = true
        /// Whether other relays are listened to.
        public var takesHints = true

        /// Which spaces are a database's.
        var isHere: @Sendable (SpaceID) -> Bool = { _ in true }

        /// The options that a relay runs with.
        public init() {}
    }

    public let relayName: Bytes32

    private let shards: [PostgresShard]
    private let options: Options
    private let submissions: Submitted
    private let places = Mutex(LogPlaces())
    private let isClosed = Mutex(false)

    /// A space's first byte names one of so many places, which the databases share evenly.
    private static let virtualShardCount = 256

    /// Connects to the databases, and makes the tables where there are none.
    /// - Parameters:
    ///   - sources: connection strings or URIs, in the order in which they were first given.
    ///   - relayName: the name for a new storage; a random one if it is `nil`.
    /// - Throws: `unavailable`; `newerFormat`; `notRelayStorage`; `unfit` if the databases are not
    ///   those, in this order, that the storage was made with; `failed` if a server may lose what
    ///   it committed.
    public init(
        _ sources: [String],
        relayName: Bytes32? = nil,
        options: Options = Options()
    ) throws(StorageError) {
        guard (1...Self.virtualShardCount).contains(sources.count) else {
            throw .unfit(reason: "a storage has 1 to \(Self.virtualShardCount) databases")
        }
        self.options = options
        let submissions = Submitted()
        self.submissions = submissions
        var name = relayName
        var shards: [PostgresShard] = []
        for (number, source) in sources.enumerated() {
            var options = options
            options.isHere = { Self.shard(of: $0, count: sources.count) == number }
            let random = Bytes32((0..<32).map { _ in UInt8.random(in: 0...255) })
            let wanted = PostgresSchema.Identity(
                relayName: name ?? random ?? .zero,
                shard: number,
                shardCount: sources.count
            )
            let shard = try PostgresShard(source, identity: wanted, options: options) {
                submissions.deliver()
            }
            let found = shard.identity
            guard found.shard == number, found.shardCount == sources.count else {
                let made = "\(found.shard + 1) of \(found.shardCount)"
                shard.close()
                for shard in shards { shard.close() }
                throw .unfit(
                    reason: "\(shard.location) was made as database \(made), and is given as "
                        + "\(number + 1) of \(sources.count); moving spaces takes a migration"
                )
            }
            guard number == 0 || found.relayName == name else {
                shard.close()
                for shard in shards { shard.close() }
                throw .unfit(reason: "\(shard.location) is another relay's than the first")
            }
            name = found.relayName
            shards.append(shard)
        }
        self.relayName = name ?? .zero
        self.shards = shards
        for shard in shards { shard.start() }
    }

    deinit { for shard in shards { shard.close() } }

    /// Which database a space is on.
    static func shard(of space: SpaceID, count: Int) -> Int {
        Int(space.bytes[0]) * count / virtualShardCount
    }

    public var isShared: Bool { true }

    /// Why nothing can be stored or read: every database is away. While one isn't, its spaces are
    /// served, whatever is with the others.
    public var outage: StorageError? {
        let outages = shards.compactMap(\.outage)
        return outages.count == shards.count ? outages.first : nil
    }

    public var figures: StorageFigures {
        var figures = StorageFigures(sumOf: shards.map { $0.figures.withLock { $0 } })
        figures.databaseOutages = shards.map(\.outage)
        return figures
    }

    /// Of the last measurement of each database; `nil` until all were measured once.
    public func sizes() -> StorageSizes? {
        let known = shards.compactMap { $0.measured.withLock { $0.sizes } }
        return known.count == shards.count ? StorageSizes(sumOf: known) : nil
    }

    public func tell(_ audience: StorageAudience) {
        for shard in shards { shard.audience.withLock { $0 = audience } }
    }

    public func broadcast(_ message: [UInt8], in space: SpaceID) {
        shard(of: space).broadcast(message, in: space)
    }

    public func close() throws(StorageError) {
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        if wasClosed { return }
        for shard in shards { shard.close() }
        submissions.deliver()
    }

    /// The walk over all logs, and what the tables say of each other.
    public func verify(
        checksSignatures: Bool,
        progress: (StorageCheck.Report) -> Void
    ) throws(StorageError) -> StorageCheck.Report {
        var report = try StorageCheck.run(
            on: self,
            checksSignatures: checksSignatures,
            progress: progress
        )
        for shard in shards {
            for damage in try shard.rowDamages() where !report.damages.contains(damage) {
                report.damages.append(damage)
            }
        }
        return report
    }

    // MARK: Storing

    public func submit(
        _ units: [StorageUnit],
        completion: @escaping @Sendable ([StorageError?]) -> Void
    ) {
        let deadline = Deadline.after(options.holdTimeout)
        let places = units.map { unit in place(of: unit) }
        submissions.submit(count: units.count, completion) { submission in
            var items = shards.map { _ in [PostgresShard.Item]() }
            for (index, unit) in units.enumerated() {
                switch places[index] {
                case .failure(let error): submission.settle(index, error)
                case .success(let place):
                    items[place].append(
                        PostgresShard.Item(
                            unit: unit,
                            submission: submission,
                            index: index,
                            byteCount: unit.byteCount,
                            deadline: deadline
                        )
                    )
                }
            }
            for (shard, items) in zip(shards, items) where !items.isEmpty {
                guard !shard.submit(items) else { continue }
                for item in items { submission.settle(item.index, .closed) }
            }
        }
    }

    public func commit(_ changes: StorageUnit) throws(StorageError) {
        let waiter = Waiter()
        submit([changes]) { results in waiter.finish(results.first ?? nil) }
        if let error = waiter.wait() { throw error }
    }

    /// Which database a unit is for.
    private func place(of unit: StorageUnit) -> Result<Int, StorageError> {
        if shards.count == 1 { return .success(0) }
        var places: Set<Int> = []
        var created: Set<LogID> = []
        for change in unit {
            switch change {
            case .createSpace(let genesis): places.insert(place(of: genesis.spaceID))
            case .setAccess(let list): places.insert(place(of: list.space))
            case .admit(_, _, let space), .forget(_, let space), .removeSpace(let space):
                places.insert(place(of: space))
            case .createLog(let descriptor, let space):
                places.insert(place(of: space))
                remember(descriptor.logID(in: space), at: place(of: space))
                created.insert(descriptor.logID(in: space))
            case .append(_, let log), .truncate(_, let log):
                if created.contains(log) { continue }
                do throws(StorageError) {
                    guard let place = try place(of: log) else {
                        return .failure(.unfit(reason: "there is no log \(log)"))
                    }
                    places.insert(place)
                } catch {
                    return .failure(error)
                }
            }
        }
        guard places.count <= 1 else {
            return .failure(.unfit(reason: "a unit's spaces are on different databases"))
        }
        return .success(places.first ?? 0)
    }

    private func place(of space: SpaceID) -> Int {
        Self.shard(of: space, count: shards.count)
    }

    private func shard(of space: SpaceID) -> PostgresShard { shards[place(of: space)] }

    private func remember(_ log: LogID, at place: Int) {
        places.withLock { $0.remember(log, at: place) }
    }

    /// Where a log is; asked for if it isn't remembered.
    private func place(of log: LogID) throws(StorageError) -> Int? {
        if shards.count == 1 { return 0 }
        if let known = places.withLock({ $0.place(of: log) }) { return known }
        // One that is away keeps nobody from what is on the others.
        var outage: StorageError?
        for (place, shard) in shards.enumerated() {
            do throws(StorageError) {
                guard try shard.log(log) != nil else { continue }
            } catch {
                outage = error
                continue
            }
            remember(log, at: place)
            return place
        }
        if let outage { throw outage }
        return nil
    }

    // MARK: Reading

    public func spaces() throws(StorageError) -> [SpaceID] {
        var spaces: [SpaceID] = []
        for shard in shards { spaces += try shard.spaces() }
        return spaces.sorted()
    }

    public func spaceCount() throws(StorageError) -> Int {
        var count = 0
        for shard in shards { count += try shard.spaceCount() }
        return count
    }

    public func space(_ space: SpaceID) throws(StorageError) -> SpaceRecord? {
        try shard(of: space).space(space)
    }

    public func logs(of space: SpaceID) throws(StorageError) -> [LogRecord] {
        let records = try shard(of: space).logs(of: space)
        if shards.count > 1 {
            for record in records {
                remember(record.descriptor.logID(in: space), at: place(of: space))
            }
        }
        return records
    }

    public func logCount(of space: SpaceID) throws(StorageError) -> Int {
        try shard(of: space).logCount(of: space)
    }

    public func usage(of space: SpaceID) throws(StorageError) -> StorageUsage {
        try shard(of: space).usage(of: space)
    }

    public func log(_ log: LogID) throws(StorageError) -> LogRecord? {
        guard let place = try place(of: log) else { return nil }
        return try shards[place].log(log)
    }

    public func head(of log: LogID, endingAt end: Offset) throws(StorageError) -> Head? {
        guard let place = try place(of: log) else { return nil }
        return try shards[place].head(of: log, endingAt: end)
    }

    public func batches(
        of log: LogID,
        from: Offset,
        maximumCount: Int,
        maximumByteCount: Int
    ) throws(StorageError) -> [Batch] {
        guard let place = try place(of: log) else { return [] }
        return try shards[place].batches(
            of: log,
            from: from,
            maximumCount: maximumCount,
            maximumByteCount: maximumByteCount
        )
    }
}
#endif
