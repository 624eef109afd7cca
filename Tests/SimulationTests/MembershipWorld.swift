import SennitDocument
import SennitSeal
import SennitWire

@testable import SennitSync

// People who join, are removed, get and lose roles and change keys while they write, from one seed.
// No relay: any part of any log is given to anybody at any time, so whoever isn't told of a removal
// writes on, and others build on it or don't. Disks are restored from backups meanwhile, and their
// devices go on in new logs. In the end everybody is told everything, and all who are members must
// have the same.

/// A device with its disk.
struct MembershipDevice {
    let seed: SecretBytes
    let link: InviteLink?
    var replica: Replica
    var journal: SimulatedJournal
    /// Its disk as it was once.
    var backup: SimulatedJournal?
}

final class MembershipWorld {
    let seed: UInt64
    var devices: [MembershipDevice] = []
    private(set) var rebuildCount = 0
    var renewalCount = 0
    var newLogCount = 0
    /// All that was sent of each log.
    var sent: [LogID: SentLog] = [:]
    /// Devices that have been restored and haven't heard of anything yet.
    var offline: Set<Int> = []
    private(set) var removalCount = 0
    var random: SeededRandom
    private var links: [InviteLink] = []

    static let document = DocumentID([UInt8](repeating: 3, count: 32)) ?? .directory
    private static let deviceCount = 7

    init(seed: UInt64) throws {
        self.seed = seed
        random = SeededRandom(seed: seed, stream: 9)
        let deviceSeed = SecretBytes(random.bytes(32))
        let (replica, change) = try Replica.founding(
            deviceSeed: deviceSeed,
            spaceNonce: Bytes32(random.bytes(32)) ?? .zero,
            incarnation: incarnation(),
            member: try MemberRecord(person: PersonID(value: .zero), name: "0"),
            surroundings()
        )
        devices = [device(replica, deviceSeed, nil)]
        devices[0].journal.commit(change)
        send(0)
        for index in 1..<4 {
            try openInvite(by: 0, uses: 1)
            try addDevice(by: links.count - 1, of: 0)
            try deliver(from: index, to: 0)
        }
        let owners = [1, 2].map { devices[$0].replica.identity.device }
        for owner in owners { try self.change([.role(owner, .owner)], by: 0) }
        for index in 1..<4 { for other in 0..<4 { try deliver(from: other, to: index) } }
    }

    private func device(
        _ replica: Replica,
        _ seed: SecretBytes,
        _ link: InviteLink?
    ) -> MembershipDevice {
        MembershipDevice(
            seed: seed,
            link: link,
            replica: replica,
            journal: SimulatedJournal(
                space: replica.space,
                spaceNonce: replica.spaceNonce,
                own: replica.own
            )
        )
    }

    private func incarnation() -> Incarnation {
        guard let made = Incarnation(random.bytes(Incarnation.byteCount)) else {
            preconditionFailure("An incarnation has 16 bytes.")
        }
        return made
    }

    func surroundings() -> Surroundings {
        Surroundings(authorTime: 0, random: Bytes32(random.bytes(32)) ?? .zero)
    }

    // MARK: Running

    func run() throws {
        for _ in 0..<(60 + random.below(120)) { try step() }
        try tellAll()
        try checkAll()
    }

    private func step() throws {
        let index = random.below(devices.count)
        switch random.below(100) {
        case ..<45: try edit(by: index)
        case ..<85: try deliver(from: random.below(devices.count), to: index, partly: true)
        case ..<88: try restart(index)
        case ..<91: devices[index].backup = devices[index].journal
        case ..<94: try restore(index)
        default: try decide(by: index)
        }
    }

    func decide(by index: Int) throws {
        let replica = devices[index].replica
        guard let membership = replica.membership else { return }
        guard membership.role(of: replica.identity.device) == .owner else {
            if random.chance(20), mayWrite(index) { try rotate(by: index) }
            return
        }
        let members = membership.members.map(\.device)
        let one = members[random.below(members.count)]
        switch random.below(10) {
        case ..<3: try change([.remove(one)], by: index)
        case ..<5: try change([.role(one, Role.allCases[random.below(3)])], by: index)
        case ..<6:
            if let invite = membership.openInvites.first {
                try change([.revoke(invite.clear.invite)], by: index)
            }
        case ..<7: try rotate(by: index)
        default:
            guard mayWrite(index) else { return }
            try openInvite(by: index, uses: UInt64(1 + random.below(2)))
            if devices.count < MembershipWorld.deviceCount {
                let count = devices.count
                try addDevice(by: random.below(links.count), of: index)
                if devices.count > count, random.chance(60) {
                    try deliver(from: count, to: index)
                }
            }
        }
    }

    // MARK: What devices do

    /// Takes in what a step did: on the disk at once, but now and then the process ends before what
    /// must follow.
    func keep(_ change: ReplicaChange, by index: Int) throws {
        devices[index].journal.commit(change)
        send(index)
        if devices[index].replica.mustSeal {
            let sealed = try devices[index].replica.sealPending(surroundings())
            try keep(sealed, by: index)
        }
        guard devices[index].replica.needsRebuild else {
            return try devices[index].replica.checkInvariants()
        }
        if random.chance(25) { return try restart(index) }
        try rebuild(index)
    }

    func rebuild(_ index: Int) throws {
        rebuildCount += 1
        let entries = devices[index].journal.entries.values.flatMap { $0 }
        let (fresh, change) = try devices[index].replica.rebuilt(
            from: entries,
            surroundings()
        )
        devices[index].replica = fresh
        devices[index].journal.commit(change)
        send(index)
        guard !fresh.needsRebuild else { throw Failure(description: "a rebuild isn't enough") }
        try fresh.checkInvariants()
    }

    func restart(_ index: Int) throws {
        let device = devices[index]
        devices[index].replica = try Replica(
            restoring: try device.journal.record(),
            deviceSeed: device.seed,
            invite: device.link?.identity
        )
        let change = devices[index].replica.resume()
        devices[index].journal.commit(change)
        send(index)
        if devices[index].replica.needsRebuild { try rebuild(index) }
        try devices[index].replica.checkInvariants()
    }

    func mayWrite(_ index: Int) -> Bool { devices[index].replica.maySeal }

    func edit(by index: Int) throws {
        guard mayWrite(index) else { return }
        let count = devices[index].replica.documents[MembershipWorld.document]?.text.scalarCount
        let at = random.below((count ?? 0) + 1)
        var patch = Patch(range: at..<at, text: "\(index)\(random.below(10))")
        if let count, count > 4, random.chance(25) {
            let start = random.below(count - 2)
            patch = Patch(range: start..<(start + 2), text: "")
        }
        let change = try devices[index].replica.edit(MembershipWorld.document, [patch])
        try keep(change, by: index)
        guard random.chance(70) else { return }
        try keep(try devices[index].replica.sealPending(surroundings()), by: index)
    }

    private func change(_ changes: [MembershipChange], by index: Int) throws {
        do {
            let change = try devices[index].replica.change(
                try MembershipChanges(changes),
                surroundings()
            )
            removalCount += 1
            try keep(change, by: index)
        } catch SyncError.notPermitted, SyncError.notJoined {
            // Somebody else was faster, or it would leave nobody an owner.
        }
    }

    private func rotate(by index: Int) throws {
        guard mayWrite(index) || devices[index].replica.mustHandOn else { return }
        try keep(try devices[index].replica.rotate(surroundings()), by: index)
    }

    private func openInvite(by index: Int, uses: UInt64) throws {
        let inviteSeed = SecretBytes(random.bytes(InviteIdentity.seedByteCount))
        let change = try devices[index].replica.openInvite(
            seed: inviteSeed,
            role: random.chance(80) || devices.count < 4 ? .writer : .reader,
            uses: uses,
            surroundings()
        )
        try keep(change, by: index)
        links.append(
            try InviteLink(
                space: devices[0].replica.space,
                spaceNonce: devices[0].replica.spaceNonce,
                seed: inviteSeed,
                relays: []
            )
        )
    }

    /// A newcomer reads all that `index` has, and joins if the invite is open there.
    private func addDevice(by link: Int, of index: Int) throws {
        let deviceSeed = SecretBytes(random.bytes(32))
        let replica = Replica(
            joining: links[link],
            deviceSeed: deviceSeed,
            incarnation: incarnation()
        )
        devices.append(device(replica, deviceSeed, links[link]))
        let newcomer = devices.count - 1
        for log in devices[index].replica.logSummaries {
            try deliver(log.log, to: newcomer, upTo: log.end)
        }
        let member = try MemberRecord(person: PersonID(value: .zero), name: "\(newcomer)")
        let join = try devices[newcomer].replica.joinIfReady(member, surroundings())
        guard let join else {
            devices.removeLast()
            return
        }
        try keep(join, by: newcomer)
    }

    // MARK: Telling

    /// Gives a device entries of another one's log.
    private func deliver(
        from author: Int,
        to index: Int,
        partly: Bool = false,
        upTo end: Offset? = nil
    ) throws {
        guard author != index else { return }
        let device = devices[author].replica.identity.device
        for log in sent.keys.sorted() where sent[log]?.descriptor.device == device {
            try deliver(log, to: index, partly: partly, upTo: end)
        }
    }

    func deliver(
        _ log: LogID,
        to index: Int,
        partly: Bool = false,
        upTo end: Offset? = nil
    ) throws {
        guard let source = sent[log], log != devices[index].replica.ownLog else { return }
        let have = devices[index].replica.version[log]
        let all = Offset(UInt64(source.entries.count))
        let live = devices.first { $0.replica.ownLog == log && $0.replica.version[log] == all }
        var target = live == nil ? all : min(end ?? all, all)
        guard have < target else { return }
        if partly, live != nil {
            target = Offset(have.value + 1 + UInt64(random.below(Int(target.value - have.value))))
        }
        let entries = source.entries[Int(have.value)..<Int(target.value)]
        let byteCount = source.entries.prefix(Int(target.value)).reduce(0) {
            $0 + UInt64($1.bytes.count)
        }
        let made = live?.replica.head(upTo: target, byteCount: byteCount)
        let head = target == all ? source.head : (made ?? source.head)
        let range = EntryRange(
            descriptor: source.descriptor,
            from: have,
            entries: entries.map(\.bytes),
            head: head
        )
        try keep(try devices[index].replica.receive(range), by: index)
    }

    /// Everybody gets everything, and keys are changed until all members have one.
    private func tellAll() throws {
        for _ in 0..<12 {
            for index in devices.indices where mayWrite(index) {
                try keep(try devices[index].replica.sealPending(surroundings()), by: index)
            }
            for index in devices.indices.shuffled(using: &random) {
                for log in sent.keys.sorted().shuffled(using: &random) {
                    try deliver(log, to: index)
                }
            }
            let late = devices.indices.filter { devices[$0].replica.needsEpoch }
            if late.isEmpty, isSettled { return }
            for index in late.prefix(1) { try rotate(by: index) }
        }
        throw Failure(description: "not settled: \(standing)")
    }

    private var isSettled: Bool {
        let hasUnsealed = devices.indices.contains {
            devices[$0].replica.pendingCount > 0 && mayWrite($0)
        }
        return !hasUnsealed
            && devices.allSatisfy { device in
                device.replica.needsEpoch == false
                    && sent.allSatisfy {
                        device.replica.version[$0.key].value == UInt64($0.value.entries.count)
                    }
            }
    }

    /// Where everybody stands, for a person who looks into a failure.
    var standing: String {
        devices.enumerated().map { index, device in
            let logs = device.replica.logSummaries.map {
                "\($0.log.short) \($0.applied)/\($0.end)\($0.hold.map { " \($0)" } ?? "")"
            }
            let role = device.replica.membership?.role(of: device.replica.identity.device)
            return "\n\(index) \(device.replica.ownLog.short) "
                + "\(role.map { "\($0)" } ?? "none"): \(logs) needs \(device.replica.needsEpoch)"
        }.joined()
    }
}
