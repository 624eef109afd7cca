import SennitSeal
import SennitWire

// Devices that write control records by what each of them knows, from one seed. Who isn't told of a
// removal goes on as before: that is how a backdated record looks.

/// Something a device wrote, as it would stand in its log.
struct WrittenRecord {
    enum Content {
        case invite(InviteClear, InviteRecord)
        case join(JoinRecord)
        case epoch(EpochRecord)
        case changes(MembershipChanges, EpochRecord)
    }

    let content: Content
    let source: Membership.Source

    func apply(to membership: inout Membership) {
        switch content {
        case .invite(let clear, let record): membership.apply(clear, record, from: source)
        case .join(let join): membership.apply(join, nil, from: source)
        case .epoch(let epoch): membership.apply(epoch, from: source)
        case .changes(let changes, let epoch):
            membership.apply(changes, epoch, from: source)
        }
    }
}

/// A device with what it knows.
struct WritingDevice {
    let identity: DeviceIdentity
    let log: LogDescriptor
    let logID: LogID
    var end = Offset.zero
    /// How many entries of others' logs it has applied.
    var seen = Version()
    var membership: Membership
}

struct RecordWorld {
    var fixture: Fixture
    var devices: [WritingDevice]
    /// In an order in which each comes after those it has seen.
    private(set) var records: [WrittenRecord] = []
    private(set) var invites: [InviteIdentity] = []

    init(seed: UInt64) {
        fixture = Fixture(seed: seed)
        let log = fixture.log.logID(in: fixture.space)
        let hash = EntryHash(of: Seal.entry(founding: fixture.genesis).bytes)
        let founded = Membership(genesis: fixture.genesis, hash: hash, log: log)
        devices = [
            WritingDevice(
                identity: fixture.founder,
                log: fixture.log,
                logID: log,
                end: Offset(1),
                membership: founded
            )
        ]
    }

    var founded: Membership {
        let hash = EntryHash(of: Seal.entry(founding: fixture.genesis).bytes)
        return Membership(genesis: fixture.genesis, hash: hash, log: devices[0].logID)
    }

    /// Adds a device that knows nothing yet.
    mutating func addDevice() -> Int {
        let identity = fixture.device()
        let log = LogDescriptor(
            device: identity.device,
            incarnation: fixture.random.incarnation()
        )
        devices.append(
            WritingDevice(
                identity: identity,
                log: log,
                logID: log.logID(in: fixture.space),
                membership: founded
            )
        )
        return devices.count - 1
    }

    func key(_ index: Int) -> DeviceKey { devices[index].identity.device }

    // MARK: Writing

    mutating func write(_ content: WrittenRecord.Content, by index: Int) {
        let source = nextSource(index)
        let record = WrittenRecord(content: content, source: source)
        records.append(record)
        devices[index].end = devices[index].end.next
        record.apply(to: &devices[index].membership)
    }

    private func nextSource(_ index: Int) -> Membership.Source {
        let device = devices[index]
        return Membership.Source(
            author: device.log,
            log: device.logID,
            offset: device.end,
            hash: EntryHash(of: device.logID.bytes + [UInt8(device.end.value & 255)]),
            seen: device.seen
        )
    }

    @discardableResult
    mutating func invite(by index: Int, role: Role = .writer, uses: UInt64 = 1) throws -> Int {
        let identity = fixture.inviteIdentity()
        invites.append(identity)
        let clear = try InviteClear(
            invite: identity,
            epoch: fixture.epoch,
            ephemeral: fixture.random.bytes32()
        )
        let record = InviteRecord(role: role, uses: uses, invite: identity.device)
        write(.invite(clear, record), by: index)
        return invites.count - 1
    }

    mutating func join(_ index: Int, by invite: Int) {
        let join = JoinRecord(
            by: invites[invite],
            device: devices[index].identity,
            incarnation: devices[index].log.incarnation,
            space: fixture.space
        )
        write(.join(join), by: index)
    }

    /// Writes a membership record, with the recipients that the device believes in unless others
    /// are given.
    /// - Returns: false if the device believes that it wouldn't count.
    @discardableResult
    mutating func change(
        _ changes: [MembershipChange],
        by index: Int,
        to recipients: [EpochRecord.Recipient]? = nil
    ) throws -> Bool {
        let changes = try MembershipChanges(changes)
        let own = devices[index].membership.recipients(after: changes, from: nextSource(index))
        guard let recipients = recipients ?? own else { return false }
        let epoch = try epoch(for: recipients, by: index)
        write(.changes(changes, epoch), by: index)
        return true
    }

    mutating func rotate(
        by index: Int,
        to recipients: [EpochRecord.Recipient]? = nil
    ) throws {
        let own = devices[index].membership.recipients
        write(.epoch(try epoch(for: recipients ?? own, by: index)), by: index)
    }

    private mutating func epoch(
        for recipients: [EpochRecord.Recipient],
        by index: Int
    ) throws -> EpochRecord {
        let key = EpochKey(secret: SecretBytes(fixture.random.bytes(32)), space: fixture.space)
        var ephemerals: [EpochRecord.Recipient: Bytes32] = [:]
        for recipient in recipients { ephemerals[recipient] = fixture.random.bytes32() }
        return try EpochRecord(
            key: key,
            parents: devices[index].membership.latestEpochs { _ in true },
            recipients: ephemerals,
            random: .zero
        )
    }

    // MARK: Telling

    /// Gives a device all that another one has.
    mutating func tell(_ index: Int, from other: Int) {
        var known = devices[other].seen
        known[devices[other].logID] = devices[other].end
        for record in records {
            let source = record.source
            guard known[source.log] > source.offset, source.log != devices[index].logID,
                devices[index].seen[source.log] <= source.offset
            else { continue }
            record.apply(to: &devices[index].membership)
        }
        for (log, end) in known.offsets where log != devices[index].logID {
            devices[index].seen[log] = max(devices[index].seen[log], end)
        }
    }

    mutating func tellAll() {
        for _ in 0..<2 {
            for index in devices.indices {
                for other in devices.indices where other != index { tell(index, from: other) }
            }
        }
    }

    // MARK: Orders

    /// The records in another order in which each comes after those it has seen.
    mutating func shuffled() -> [WrittenRecord] {
        var left = records.shuffled(using: &fixture.random)
        var order: [WrittenRecord] = []
        while !left.isEmpty {
            let ready = left.firstIndex { record in
                !left.contains { RecordWorld.hasSeen(record.source, $0.source) }
            }
            guard let ready else { preconditionFailure("Nobody has seen what came later.") }
            order.append(left.remove(at: ready))
        }
        return order
    }

    static func hasSeen(_ one: Membership.Source, _ other: Membership.Source) -> Bool {
        one.log == other.log
            ? one.offset > other.offset : one.seen[other.log] > other.offset
    }

    func membership(_ order: [WrittenRecord]) -> Membership {
        var membership = founded
        for record in order { record.apply(to: &membership) }
        return membership
    }

    /// Every order in which each record comes after those it has seen.
    func everyOrder(of some: [WrittenRecord]) -> [[WrittenRecord]] {
        guard !some.isEmpty else { return [[]] }
        var orders: [[WrittenRecord]] = []
        for (index, record) in some.enumerated()
        where !some.contains(where: { RecordWorld.hasSeen(record.source, $0.source) }) {
            var rest = some
            rest.remove(at: index)
            orders += everyOrder(of: rest).map { [record] + $0 }
        }
        return orders
    }
}

/// Everything of a membership that must not depend on an order.
struct Outcome: Equatable {
    let members: [Membership.Member]
    let invites: [Membership.Invite]
    let recipients: [EpochRecord.Recipient]
    let epochs: [EpochKeyID: Membership.Epoch]
    let epoch: EpochKeyID?
    let ended: Set<LogID>
    let hash: Bytes32

    init(_ membership: Membership) {
        members = membership.members
        invites = membership.openInvites
        recipients = membership.recipients
        epochs = membership.epochs
        epoch = membership.currentEpoch
        ended = membership.endedLogs
        hash = membership.hash
    }
}
