import SennitDocument
import SennitSeal
import SennitSync
import SennitWire

// A device as the engine drives it, without sockets: the real replica and session, a journal that
// commits a little later, and a crash that forgets everything but the journal.

/// One device: its disk, and its process while it runs.
final class SimulatedDevice {
    /// What the device wants of the world.
    enum Output {
        case frame([UInt8])
        case hangUp
        /// Commit what gathered, some time from now.
        case wantsCommit
    }

    let index: Int
    let seed: SecretBytes
    let link: InviteLink?
    let member: MemberRecord
    var random: SeededRandom

    // The disk.
    var journal: SimulatedJournal
    var access: AccessList?

    // The process.
    var replica: Replica?
    private var session: Session?
    private(set) var uncommitted: [ReplicaChange] = []
    private(set) var connection: Int?
    private(set) var ackedEnds: [LogID: Offset] = [:]
    var history = SimulatedHistory()
    var copies = SimulatedCopies()

    /// Begins with the disk of another device, as it is now.
    init(index: Int, copying other: SimulatedDevice, random: SeededRandom) throws {
        self.index = index
        self.random = random
        seed = other.seed
        link = other.link
        member = other.member
        journal = other.journal
        access = other.access
        try restart()
    }

    /// Founds a space.
    init(founding seed: [UInt8], random: SeededRandom) throws {
        index = 0
        self.random = random
        self.seed = SecretBytes(seed)
        link = nil
        member = try MemberRecord(person: PersonID(value: .zero), name: "device 0")
        let (replica, change) = try Replica.founding(
            deviceSeed: self.seed,
            spaceNonce: Bytes32(self.random.bytes(32)) ?? .zero,
            incarnation: SimulatedDevice.incarnation(&self.random),
            member: member,
            SimulatedDevice.surroundings(&self.random)
        )
        journal = SimulatedJournal(
            space: replica.space,
            spaceNonce: replica.spaceNonce,
            own: replica.own
        )
        journal.commit(change)
        self.replica = replica
        self.replica?.life = 1 + self.random.next() / 2
        access = replica.nextAccessList(after: nil)
    }

    /// Holds a link and has seen nothing yet.
    init(index: Int, joining link: InviteLink, seed: [UInt8], random: SeededRandom) throws {
        self.index = index
        self.random = random
        self.seed = SecretBytes(seed)
        self.link = link
        member = try MemberRecord(person: PersonID(value: .zero), name: "device \(index)")
        let replica = Replica(
            joining: link,
            deviceSeed: self.seed,
            incarnation: SimulatedDevice.incarnation(&self.random)
        )
        journal = SimulatedJournal(
            space: replica.space,
            spaceNonce: replica.spaceNonce,
            own: replica.own
        )
        self.replica = replica
        self.replica?.life = 1 + self.random.next() / 2
    }

    private static func incarnation(_ random: inout SeededRandom) -> Incarnation {
        guard let incarnation = Incarnation(random.bytes(Incarnation.byteCount)) else {
            preconditionFailure("An incarnation has 16 bytes.")
        }
        return incarnation
    }

    static func surroundings(_ random: inout SeededRandom) -> Surroundings {
        Surroundings(authorTime: 0, random: Bytes32(random.bytes(32)) ?? .zero)
    }

    // MARK: Life and death

    var isRunning: Bool { replica != nil }

    /// The process is gone; what wasn't committed with it.
    func crash() {
        replica = nil
        session = nil
        connection = nil
        uncommitted = []
        history.crash()
        copies.crash()
    }

    /// Starts again from the disk.
    func restart() throws {
        replica = try standUp(deviceSeed: seed, invite: link?.identity)
        replica?.life = 1 + random.next() / 2
        if let change = replica?.resume() { journal.commit(change) }
        try replica?.checkInvariants()
    }

    // MARK: The link

    /// An invite for others, made by the founder.
    func invite() throws -> InviteLink {
        let inviteSeed = SecretBytes(random.bytes(InviteIdentity.seedByteCount))
        guard var replica else { preconditionFailure("Only a running device invites.") }
        let change = try replica.openInvite(
            seed: inviteSeed,
            role: .writer,
            uses: 100,
            SimulatedDevice.surroundings(&random)
        )
        journal.commit(change)
        self.replica = replica
        access = replica.nextAccessList(after: access)
        return try InviteLink(
            space: replica.space,
            spaceNonce: replica.spaceNonce,
            seed: inviteSeed,
            relays: []
        )
    }

    // MARK: The connection

    func connected(_ id: Int, now: Duration) {
        guard let replica else { return }
        connection = id
        session = Session(
            Session.Configuration(
                space: replica.space,
                identity: replica.identity,
                ownLog: replica.ownLog,
                genesis: replica.genesis,
                access: access,
                admission: link?.identity.admission(
                    of: replica.identity.device,
                    in: replica.space
                ),
                version: committedVersion,
                comparesOwnFrom: comparesOwnFrom
            ),
            now: now
        )
    }

    /// The session is about another log than the one that is written now.
    func endSession() -> [Output] {
        session = nil
        return [.hangUp]
    }

    func disconnected() {
        session = nil
        connection = nil
        copies.refused = nil
    }

    func receive(_ bytes: [UInt8], now: Duration) -> [Output] {
        handle(.received(bytes), now: now)
    }

    func tick(now: Duration) -> [Output] { handle(.tick, now: now) }

    /// Own entries beyond what is committed must not be announced.
    var committedVersion: Version {
        var version = replica?.version ?? Version()
        if let replica { version[replica.ownLog] = journal.logs[replica.ownLog]?.end ?? .zero }
        return version
    }

    private func handle(_ event: Session.Event, now: Duration) -> [Output] {
        guard var current = session else { return [] }
        let actions = current.handle(event, now: now)
        session = current
        var outputs: [Output] = []
        for action in actions where session != nil { outputs += perform(action, now: now) }
        return outputs + sealIfWanted()
    }

    private func perform(_ action: Session.Action, now: Duration) -> [Output] {
        switch action {
        case .send(let frame): return [.frame(frame.bytes)]
        case .deliver(let range): return deliver(range)
        case .overLimit(let descriptor, let from):
            replica?.note(corruptAt: from, of: descriptor)
            return []
        case .welcomed(let welcome):
            replica?.compare(with: welcome)
            return []
        case .access(let list):
            if list.version >= access?.version ?? 0 { access = list }
            return publishAccess(now: now)
        case .refused(let refusal):
            if refusal.code == .conflict, let position = refusal.position {
                replica?.note(conflictAt: position.offset)
                if rereadOwnLog() { return [.hangUp] }
            }
            return []
        case .caughtUp: return renewIfWanted()
        case .presence: return []
        case .load(let from):
            guard let replica else { return [] }
            let entries = journal.upload(of: replica.ownLog, from: from)
            let end = Offset(from.value + UInt64(entries.count))
            let byteCount = journal.byteCount(of: replica.ownLog, before: end)
            guard !entries.isEmpty, let head = replica.head(upTo: end, byteCount: byteCount) else {
                return []
            }
            let range = EntryRange(
                descriptor: replica.own,
                from: from,
                entries: entries.map(\.bytes),
                head: head
            )
            return handle(.loaded(range), now: now)
        case .acked(let end, let chain):
            guard replica?.acknowledge(end, chain: chain) == true else { return [.hangUp] }
            acknowledged(end)
            return []
        case .close:
            return [.hangUp]
        }
    }

    private func deliver(_ range: EntryRange) -> [Output] {
        if let (end, ranges) = copies.refused, replica?.follows(range, ranges) == true {
            copies.refused = (end, ranges + [range])
            return []
        }
        do {
            guard let change = try replica?.receive(range) else { return [] }
            var outputs = keep(change)
            if replica?.isOwnLogTaken == true { return outputs + beginNewLog() }
            if let joined = try replica?.joinIfReady(
                member,
                SimulatedDevice.surroundings(&random)
            ) {
                outputs += keep(joined)
            }
            if change.membershipChanged { outputs += publishAccess(now: .zero) }
            try replica?.checkInvariants()
            return outputs
        } catch SyncError.ownLogTaken(let end) {
            copies.refused = (end, [range])
            return session?.isUpToDate == true ? renewIfWanted() : []
        } catch SyncError.corrupt(let log, _) where log == replica?.ownLog {
            _ = rereadOwnLog()
            return [.hangUp]
        } catch  where copies.refused?.ranges[0].descriptor == range.descriptor {
            return []
        } catch {
            // Out of order or damaged on the way: ask again with what is here.
            return [.hangUp]
        }
    }

    private func publishAccess(now: Duration) -> [Output] {
        guard let list = replica?.nextAccessList(after: access) else { return [] }
        access = list
        return handle(.publish(list), now: now)
    }

    // MARK: Editing and committing

    /// Edits through a closure that gets the replica and returns what changed.
    func edit(_ body: (inout Replica) throws -> ReplicaChange) throws -> [Output] {
        guard var current = replica else { return [] }
        let change: ReplicaChange
        do {
            change = try body(&current)
        } catch {
            // What is refused leaves its wish for a history behind.
            replica = current
            throw error
        }
        replica = current
        return keep(change) + sealIfWanted()
    }

    func sealIfWanted() -> [Output] {
        guard session?.wantsEntries == true, let count = replica?.pendingCount, count > 0,
            uncommittedOwnEnd == nil
        else { return [] }
        let change = try? replica?.sealPending(SimulatedDevice.surroundings(&random))
        return change.map(keep) ?? []
    }

    /// Own entries that are sealed and wait for their commit.
    private var uncommittedOwnEnd: Offset? {
        guard let replica else { return nil }
        return uncommitted.contains { $0.entries.contains { $0.log == replica.ownLog } }
            ? replica.version[replica.ownLog] : nil
    }

    func keep(_ change: ReplicaChange) -> [Output] {
        guard !change.isEmpty else { return [] }
        uncommitted.append(change)
        return uncommitted.count == 1 ? [.wantsCommit] : []
    }

    /// The disk's turn: all that gathered is saved now, and own entries may go out.
    func commit(now: Duration) throws -> [Output] {
        guard let replica else { return [] }
        for change in uncommitted { journal.commit(change) }
        uncommitted = []
        copies.commit()
        try storeAndRest()
        return handle(.ownLogGrew(to: replica.version[replica.ownLog]), now: now)
            + sealIfWanted()
    }

    private func acknowledged(_ end: Offset) {
        guard let own = replica?.ownLog else { return }
        ackedEnds[own] = max(ackedEnds[own] ?? .zero, end)
        copies.provenEnd = end
    }

    /// Whether all that was typed is with the relay.
    var isDrained: Bool {
        guard let replica, let session, replica.wantedHistory.isEmpty else { return false }
        return replica.isMember && replica.pendingCount == 0 && uncommitted.isEmpty
            && session.isUpToDate && session.unackedCount == 0
    }
}
