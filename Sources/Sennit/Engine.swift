import Dispatch
import NIOCore
import NIOPosix
import SennitDocument
import SennitSeal
import SennitStore
import SennitSync
import SennitWire

// One open profile. The actor runs on an event loop of its own, the one its sockets live on: what
// arrives is decrypted, merged and shown in the turn of the loop that read it, and what is typed is
// sealed in the turn that took it. Two threads beside it wait for disks, for the journal and for
// the index.

/// An open profile: the spaces of one device, kept in sync with their relays.
///
/// ```swift
/// let engine = try await Engine.open(.standard(environment: environment), command: "demo")
/// let space = try await engine.found(name: "home", person: "Ada", relays:
/// ["wss://relay.example.org"]) let notes = try await space.document(at: "notes.md", create: true)
/// try await notes.edit([Patch(range: 0..<0, text: "Hello")])
/// try await space.connect()
/// ```
public actor Engine {
    private let group: MultiThreadedEventLoopGroup
    private nonisolated let loop: any EventLoop
    let profile: Profile
    private let deviceSeed: SecretBytes
    let ports: EnginePorts
    private var person: PersonRecord
    private(set) var records: [SpaceRecord]
    var drivers: [SpaceID: SpaceDriver] = [:]
    private var isClosed = false

    /// The event loop that the engine runs on.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.executor.asUnownedSerialExecutor()
    }

    /// Settings of an engine.
    public struct Options: Sendable {
        /// A file of certificates in PEM that are trusted besides the system's, for relays with a
        /// certificate of one's own making.
        public var certificateFile: String?
        /// What the profile's keys are under, if they are.
        public var passphrase: Passphrase?

        /// The settings most people need.
        public init(certificateFile: String? = nil, passphrase: Passphrase? = nil) {
            self.certificateFile = certificateFile
            self.passphrase = passphrase
        }
    }

    /// Opens a profile and owns it, or makes it on first use.
    /// - Parameters:
    ///   - location: where it lies.
    ///   - command: what a second process is told about this one, such as `sennit edit`.
    /// - Throws: `profileInUse`, `profileLocked`, `wrongPassphrase`, `profileUnusable`,
    ///   `profileDamaged`, `needsUpdate`, `notSaved`.
    public static func open(
        _ location: ProfileLocation,
        command: String,
        options: Options = Options()
    ) async throws(SennitError) -> Engine {
        Primitives.prepare()
        let profile: Profile
        do {
            profile = try Profile(
                directory: location.directory,
                command: command,
                new: NewProfile(
                    deviceSeed: Random.bytes(32),
                    person: PersonRecord(id: Random.bytes32(), name: "")
                ),
                passphrase: options.passphrase?.secret
            )
            let engine = try Engine(profile, options)
            return engine
        } catch {
            throw SennitError(error)
        }
    }

    private init(_ profile: Profile, _ options: Options) throws(StoreError) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        loop = group.next()
        self.profile = profile
        deviceSeed = try profile.journal.deviceSeed()
        person = try profile.journal.person()
        records = try profile.journal.spaces()
        let entrance = Entrance()
        ports = try EnginePorts(
            loop: loop,
            profile: profile,
            certificateFile: options.certificateFile
        ) { space, body in
            entrance.engine?.assumeIsolated { engine in
                if let driver = engine.drivers[space] { body(driver) }
            }
        }
        entrance.engine = self
    }

    deinit { group.shutdownGracefully { _ in } }

    /// Lets go of the profile. What was typed is on the disk when this returns, unless the disk
    /// refuses, and the index has followed. Calls after it throw `closed`.
    public func close() async {
        guard !isClosed else { return }
        isClosed = true
        for driver in drivers.values {
            driver.disconnect()
            driver.sealForViews()
            // A disk that refused before gets one more chance.
            driver.proceed()
            _ = await wait { resume in driver.waitUntilSaved(resume) }
        }
        let final = drivers.values.map { driver in
            driver.shutDown()
            return ClosingWork(driver)
        }
        let (profile, disk, indexing) = (profile, ports.disk, ports.indexing)
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            // Behind everything that is still running on the two threads.
            disk.async {
                indexing.async {
                    for work in final { work.finish(profile.journal, profile.index) }
                    try? profile.close()
                    done.resume()
                }
            }
        }
        drivers = [:]
    }
}

/// The way from the loop into the engine, set once the engine is there.
private final class Entrance: @unchecked Sendable {
    // Sendable: set before the engine is handed out, and read on its loop after that.
    weak var engine: Engine?
}

// MARK: Spaces

extension Engine {
    /// The spaces of the profile, in the order in which they came.
    public var spaces: [SpaceInfo] {
        records.map { record in
            let driver = drivers[record.id]
            return SpaceInfo(driver?.record ?? record, person: driver?.ownName ?? person.name)
        }
    }

    /// Who the profile belongs to, as new spaces are told; empty before the first.
    public var personName: String { person.name }

    /// A space by its name or by the first digits of its id.
    /// - Parameter nameOrPrefix: `nil` for the only one.
    /// - Throws: `noSuchSpace`, `ambiguousSpace`, `profileDamaged`, `closed`.
    public func space(_ nameOrPrefix: String? = nil) throws(SennitError) -> Space {
        guard !isClosed else { throw .closed }
        let names = records.map { (id: $0.id, name: $0.name) }
        let record = records[try SpaceInfo.choose(nameOrPrefix, among: names)]
        _ = try driver(of: record.id)
        return Space(engine: self, id: record.id, name: record.name)
    }

    /// Founds a space, with this device as its owner. Needs no relay.
    /// - Parameters:
    ///   - name: what it is called here.
    ///   - person: what others see; at most 256 bytes.
    ///   - relays: addresses, the preferred one first; may be empty.
    /// - Throws: `invalidName`, `invalidAddress`, `spaceExists`, `notSaved`, `closed`.
    public func found(
        name: String,
        person: String,
        relays: [String]
    ) async throws(SennitError) -> Space {
        try checkNames(name, person)
        for relay in relays { try Engine.checkAddress(relay) }
        try setPerson(person)
        let nonce = Random.bytes32()
        let member = try memberRecord(person)
        var replica: Replica
        let change: ReplicaChange
        do {
            (replica, change) = try Replica.founding(
                deviceSeed: deviceSeed,
                spaceNonce: nonce,
                incarnation: Random.incarnation(),
                member: member,
                ports.surroundings
            )
        } catch {
            throw SennitError(error)
        }
        replica.life = Random.life()
        let record = SpaceRecord(
            id: replica.space,
            name: name,
            nonce: nonce,
            own: replica.own,
            relays: relays,
            created: WallClock.milliseconds
        )
        do {
            try profile.journal.createSpace(record, change)
        } catch {
            throw SennitError(error)
        }
        records.append(record)
        drivers[record.id] = SpaceDriver(replica, record: record, isStored: true, ports: ports)
        return Space(engine: self, id: record.id, name: name)
    }

    /// Joins a space by an invite link, and returns once the relay has confirmed it. The space
    /// stays connected.
    ///
    /// A join that fails before this device's first entry is made leaves nothing behind. One that
    /// is interrupted after that is kept; it goes on whenever the space is connected.
    /// - Parameters:
    ///   - link: what `Space.invite` gave.
    ///   - name: what the space is called here.
    ///   - person: what others see; at most 256 bytes.
    ///   - progress: is told how it goes, on the engine's thread: it must return soon and wait for
    ///     nothing.
    /// - Throws: `invalidLink`, `spaceExists`, `inviteRefused`, `unreachable`, `notARelay`,
    ///   `insecure`, `unknownSpace`, `notSaved`, `invalidName`, `noRelay`, `closed`.
    public func join(
        _ link: String,
        name: String,
        person: String,
        progress: (@Sendable (JoinProgress) -> Void)? = nil
    ) async throws(SennitError) -> Space {
        try checkNames(name, person)
        let invite: InviteLink
        do { invite = try InviteLink(text: link) } catch { throw SennitError(error) }
        guard !records.contains(where: { $0.id == invite.space }), drivers[invite.space] == nil
        else {
            throw SennitError(
                .spaceExists,
                "this space is in the profile already",
                hint: "another device or profile may join by the link"
            )
        }
        guard !invite.relays.isEmpty else {
            throw SennitError(.noRelay, "the invite link names no relay")
        }
        try setPerson(person)
        var replica = Replica(
            joining: invite,
            deviceSeed: deviceSeed,
            incarnation: Random.incarnation()
        )
        replica.life = Random.life()
        let record = SpaceRecord(
            id: invite.space,
            name: name,
            nonce: invite.spaceNonce,
            own: replica.own,
            relays: invite.relays,
            inviteSeed: invite.seed.bytes,
            created: WallClock.milliseconds
        )
        let driver = SpaceDriver(replica, record: record, isStored: false, ports: ports)
        driver.member = try memberRecord(person)
        drivers[record.id] = driver
        let failure = await withCheckedContinuation { continuation in
            driver.joining = Joining(relayCount: invite.relays.count, progress: progress) {
                continuation.resume(returning: $0)
            }
            progress?(.connecting(relay: invite.relays[0]))
            driver.connect()
        }
        if driver.outbox.isStored {
            if !isClosed { records.append(driver.record) }
        } else {
            driver.shutDown()
            drivers[record.id] = nil
        }
        if let failure { throw failure }
        return Space(engine: self, id: record.id, name: name)
    }

    /// Renames a space on this device.
    public func rename(_ space: Space, to name: String) throws(SennitError) {
        try checkNames(name, "x")
        try update(space.id) { $0.name = name }
    }

    /// Says where the relays of a space are, the preferred one first.
    /// - Throws: `invalidAddress`.
    public func setRelays(of space: Space, to relays: [String]) throws(SennitError) {
        for relay in relays { try Engine.checkAddress(relay) }
        try update(space.id) { $0.relays = relays }
    }
}

// MARK: Drivers

extension Engine {
    /// Runs `body` with the driver of a space, in one turn.
    func with<Result: Sendable>(
        _ space: SpaceID,
        _ body: @Sendable (SpaceDriver) throws(SennitError) -> Result
    ) throws(SennitError) -> Result {
        try body(try driver(of: space))
    }

    /// Runs `body` with the driver of a space; if that takes the history of a document, again once
    /// it has been read.
    func withHistory<Result: Sendable>(
        of document: DocumentID,
        in space: SpaceID,
        _ body: @Sendable (SpaceDriver) throws(SennitError) -> Result
    ) async throws(SennitError) -> Result {
        while true {
            do { return try with(space, body) } catch {
                guard case .historyNeeded = error.cause as? SyncError else { throw error }
            }
            let isHere = await wait(space) { driver, resume in
                driver.loadHistories()
                driver.waitForHistory(of: document, resume)
            }
            guard !isHere else { continue }
            throw drivers[space]?.history.faults[document] ?? .closed
        }
    }

    /// Waits for one of a driver's conditions.
    func wait(_ register: (@escaping (Bool) -> Void) -> Void) async -> Bool {
        await withCheckedContinuation { continuation in
            register { continuation.resume(returning: $0) }
        }
    }

    /// Waits for a condition of a space; false at once if there is no such space.
    func wait(
        _ space: SpaceID,
        _ register: @Sendable (SpaceDriver, @escaping (Bool) -> Void) -> Void
    ) async -> Bool {
        guard let driver = try? driver(of: space) else { return false }
        return await wait { resume in register(driver, resume) }
    }

    /// The driver of a space, which is stood up from the journal when it is first asked for.
    func driver(of space: SpaceID) throws(SennitError) -> SpaceDriver {
        guard !isClosed else { throw .closed }
        if let driver = drivers[space] { return driver }
        guard let record = records.first(where: { $0.id == space }) else {
            throw SennitError(.noSuchSpace, "there is no space \(space.short) in this profile")
        }
        var restored: ReplicaRecord
        do { restored = try profile.journal.restore(space) } catch { throw SennitError(error) }
        var replica = try standUp(record, from: &restored)
        replica.life = Random.life()
        let driver = SpaceDriver(
            replica,
            record: record,
            contexts: restored.logs.mapValues(\.record.context),
            isStored: true,
            ports: ports
        )
        driver.member = try memberRecord(person.name)
        drivers[space] = driver
        driver.use(replica.unstoredDocuments)
        // What waited when the process ended may go on by now.
        let resumed = driver.replica.resume()
        if !resumed.isEmpty { driver.absorb(resumed, isOwn: false) }
        driver.proceed()
        driver.followIndexSoon()
        return driver
    }

    /// A replica as the journal has it. What was applied since documents were stored may take the
    /// history of some of them, which is read then.
    private func standUp(
        _ record: SpaceRecord,
        from restored: inout ReplicaRecord
    ) throws(SennitError) -> Replica {
        let invite = record.inviteSeed.map {
            InviteIdentity(seed: SecretBytes($0), space: record.id)
        }
        do {
            do throws(SyncError) {
                return try Replica(restoring: restored, deviceSeed: deviceSeed, invite: invite)
            } catch {
                guard case .historyNeeded(let documents) = error else { throw error }
                for document in documents {
                    try profile.journal.addHistory(of: document, to: &restored)
                }
                return try Replica(restoring: restored, deviceSeed: deviceSeed, invite: invite)
            }
        } catch {
            throw SennitError(
                .profileDamaged,
                "space \(record.name) can't be stood up from the journal: \(error)",
                hint: "run `sennit check`; nothing was deleted",
                cause: error
            )
        }
    }

    private func update(
        _ space: SpaceID,
        _ change: (inout SpaceRecord) -> Void
    ) throws(SennitError) {
        let driver = try driver(of: space)
        change(&driver.record)
        driver.storeRecord()
        if let index = records.firstIndex(where: { $0.id == space }) { change(&records[index]) }
    }

    private func memberRecord(_ name: String) throws(SennitError) -> MemberRecord {
        do {
            return try MemberRecord(person: PersonID(value: person.id), name: name)
        } catch {
            throw SennitError(error)
        }
    }

    private func setPerson(_ name: String) throws(SennitError) {
        guard name != person.name else { return }
        let renamed = PersonRecord(id: person.id, name: name)
        do { try profile.journal.setPerson(renamed) } catch { throw SennitError(error) }
        person = renamed
    }

    private func checkNames(_ name: String, _ person: String) throws(SennitError) {
        guard !isClosed else { throw .closed }
        for (what, name) in [("space", name), ("person", person)] {
            let isPlain = name.unicodeScalars.allSatisfy {
                $0.properties.generalCategory != .control
            }
            guard !name.isEmpty, isPlain, name.utf8.count <= Limits.maximumNameByteCount else {
                throw SennitError(
                    .invalidName,
                    "the name of a \(what) has 1 to \(Limits.maximumNameByteCount) bytes and no "
                        + "control characters"
                )
            }
        }
    }

    private static func checkAddress(_ text: String) throws(SennitError) {
        do { _ = try RelayAddress(text) } catch { throw SennitError(error) }
    }
}
