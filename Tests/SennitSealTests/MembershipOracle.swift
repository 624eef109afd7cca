import SennitSeal
import SennitWire

// SPEC.md section 7.6 taken literally and slowly: sets of records, an order that is built from its
// definition, and a list of what happened that every question reads from the start. It shares no
// code with SennitSeal's own.

/// What a set of records comes to.
struct OracleState {
    enum Event {
        case opened(DeviceKey, by: DeviceKey)
        case joined(DeviceKey, Role, LogID, by: DeviceKey?)
        case given(DeviceKey, Role, seniority: Int)
        case removed(DeviceKey)
        case closed(DeviceKey)
    }

    var events: [(event: Event, record: Int?)] = []
    var effective: Set<Int> = []

    var devices: Set<DeviceKey> {
        Set(
            events.compactMap { event, _ in
                switch event {
                case .joined(let device, _, _, _), .given(let device, _, _): device
                default: nil
                }
            }
        )
    }

    func role(_ device: DeviceKey) -> Role? {
        var role: Role?
        for (event, _) in events {
            switch event {
            case .joined(device, let joined, _, let invite) where invite != nil:
                role = max(role ?? joined, joined)
            case .given(device, let given, _): role = given
            case .removed(device): role = nil
            default: break
            }
        }
        return role
    }

    func seniority(_ device: DeviceKey) -> Int? {
        var seniority: Int?
        for (event, _) in events {
            switch event {
            case .given(device, let role, let value): seniority = role == .owner ? value : nil
            case .removed(device): seniority = nil
            default: break
            }
        }
        return seniority
    }

    /// The records that left a device less than a role.
    func takings(_ device: DeviceKey, leavingLessThan role: Role) -> [Int] {
        events.compactMap { event, record in
            switch event {
            case .given(device, let given, _) where given < role: record
            case .removed(device): record
            default: nil
            }
        }
    }

    func isClosed(_ invite: DeviceKey) -> Bool {
        events.contains { if case .closed(invite) = $0.event { true } else { false } }
    }

    /// Invites that a device opened or joined by.
    func held(_ device: DeviceKey) -> Set<DeviceKey> {
        Set(
            events.compactMap { event, _ in
                switch event {
                case .opened(let invite, by: device): invite
                case .joined(device, _, _, let invite): invite
                default: nil
                }
            }
        )
    }

    func isLive(_ log: LogID) -> Bool {
        var begun: (device: DeviceKey, role: Role)?
        for (event, _) in events {
            switch event {
            case .joined(let device, let role, log, _): begun = (device, role)
            case .removed(let device) where device == begun?.device: begun = nil
            case .given(let device, .reader, _) where device == begun?.device:
                if let role = begun?.role, role > .reader { begun = nil }
            default: break
            }
        }
        return begun != nil
    }
}

final class MembershipOracle {
    private let records: [WrittenRecord]
    private let genesis: Genesis
    private let founderLog: LogID
    private var rights: [Int: Bool] = [:]
    private var befores: [Int: OracleState] = [:]

    init(_ records: [WrittenRecord], genesis: Genesis, founderLog: LogID) {
        self.records = records
        self.genesis = genesis
        self.founderLog = founderLog
    }

    var result: OracleState { evaluate(Set(records.indices)) }

    var ended: Set<LogID> {
        let state = result
        let begun = records.indices.filter { join($0) != nil && hasRight($0) }
        let logs = [founderLog] + begun.map { records[$0].source.log }
        return Set(logs.filter { !state.isLive($0) })
    }

    func open(_ state: OracleState) -> [Int] {
        state.effective.filter { index in
            guard let invite = invite(index), !state.isClosed(invite.invite) else { return false }
            let used = state.effective.count { join($0) != nil && inviteUsed(by: $0) == index }
            return UInt64(used) < invite.uses
        }
    }

    // MARK: What a record says

    private func past(_ record: Int) -> Set<Int> {
        Set(
            records.indices.filter {
                RecordWorld.hasSeen(records[record].source, records[$0].source)
            }
        )
    }

    private func sees(_ one: Int, _ other: Int) -> Bool { past(one).contains(other) }

    private func author(_ record: Int) -> DeviceKey { records[record].source.author.device }

    private func changes(_ record: Int) -> [MembershipChange] {
        if case .changes(let changes, _) = records[record].content { changes.changes } else { [] }
    }

    private func join(_ record: Int) -> JoinRecord? {
        if case .join(let join) = records[record].content { join } else { nil }
    }

    private func invite(_ record: Int) -> InviteRecord? {
        if case .invite(_, let invite) = records[record].content { invite } else { nil }
    }

    private func isTaking(_ record: Int) -> Bool {
        changes(record).contains { change in
            switch change {
            case .role(_, .owner): false
            default: true
            }
        }
    }

    // MARK: The right to a record

    private func before(_ record: Int) -> OracleState {
        if let known = befores[record] { return known }
        let state = evaluate(past(record))
        befores[record] = state
        return state
    }

    private func hasRight(_ record: Int) -> Bool {
        if let known = rights[record] { return known }
        let before = before(record)
        let log = records[record].source.log
        let isOwner =
            before.role(author(record)) == .owner && before.isLive(log)
            && roleOfLog(log).map { $0 != .reader } ?? false
        let right =
            switch records[record].content {
            case .invite(_, let invite): isOwner && invite.role != .owner
            case .join(let join):
                join.isAgain
                    ? before.role(join.device) != nil : inviteUsed(by: record) != nil
            case .epoch: false
            case .changes(let changes, _):
                isOwner
                    && changes.changes.allSatisfy { change in
                        switch change {
                        case .remove(let one): before.role(one) != nil && one != author(record)
                        case .role(let one, let role):
                            before.role(one) != nil && before.role(one) != role
                        case .revoke(let key):
                            !before.isClosed(key)
                                && before.effective.contains { self.invite($0)?.invite == key }
                        }
                    }
            }
        rights[record] = right
        return right
    }

    private func roleOfLog(_ log: LogID) -> Role? {
        if log == founderLog { return .owner }
        let first = records.indices.first { records[$0].source.log == log && join($0) != nil }
        return first.flatMap { hasRight($0) ? logRole($0) : nil }
    }

    private func logRole(_ record: Int) -> Role? {
        if join(record)?.isAgain == true { return before(record).role(author(record)) }
        return inviteUsed(by: record).flatMap { invite($0)?.role }
    }

    /// The lowest of the open invites with the join's key.
    private func inviteUsed(by record: Int) -> Int? {
        open(before(record)).filter { invite($0)?.invite == join(record)?.invite }
            .min {
                let (one, other) = (records[$0].source, records[$1].source)
                return (one.log, one.offset) < (other.log, other.offset)
            }
    }

    // MARK: The order, and what comes of it

    /// `past of the first taking, the taking, the rest`, each part in this order.
    private func order(_ set: Set<Int>) -> [Int] {
        func key(_ record: Int) -> (Int, Int, EntryHash) {
            let seniority = isTaking(record) ? before(record).seniority(author(record)) ?? 64 : 0
            return (seniority, past(record).count, records[record].source.hash)
        }
        guard let first = set.filter({ isTaking($0) }).min(by: { key($0) < key($1) }) else {
            return set.sorted { key($0) < key($1) }
        }
        let earlier = set.intersection(past(first))
        return order(earlier) + [first] + order(set.subtracting(earlier).subtracting([first]))
    }

    private func evaluate(_ set: Set<Int>) -> OracleState {
        var state = OracleState()
        let founder = genesis.founder
        state.events = [
            (.joined(founder, .owner, founderLog, by: nil), nil),
            (.given(founder, .owner, seniority: 0), nil),
        ]
        for record in order(set.filter { hasRight($0) }) {
            if let next = taking(record, after: state) { state = next }
        }
        return state
    }

    private func taking(_ record: Int, after state: OracleState) -> OracleState? {
        var next = state
        next.effective.insert(record)
        let device = author(record)
        if let join = join(record) {
            guard let role = logRole(record),
                state.takings(device, leavingLessThan: .writer).allSatisfy({ sees(record, $0) })
            else { return nil }
            if join.isAgain {
                guard let own = state.role(device), own != .reader || role == .reader else {
                    return nil
                }
            } else {
                guard let invite = inviteUsed(by: record), state.effective.contains(invite),
                    !state.isClosed(join.invite)
                else { return nil }
            }
            let log = records[record].source.log
            let invite = join.isAgain ? nil : join.invite
            next.events.append((.joined(device, role, log, by: invite), record))
            return next
        }
        guard state.role(device) == .owner, state.isLive(records[record].source.log),
            state.takings(device, leavingLessThan: .owner).allSatisfy({ sees(record, $0) })
        else { return nil }
        if let invite = invite(record) {
            guard !state.isClosed(invite.invite) else { return nil }
            next.events.append((.opened(invite.invite, by: device), record))
            return next
        }
        for change in changes(record) { apply(change, of: record, to: &next) }
        return next.devices.contains { next.role($0) == .owner } ? next : nil
    }

    private func apply(_ change: MembershipChange, of record: Int, to state: inout OracleState) {
        switch change {
        case .role(let device, let role):
            guard let old = state.role(device), old != role else { return }
            let isLate = state.takings(device, leavingLessThan: role)
                .contains { !sees(record, $0) }
            if role > old, isLate { return }
            let seniority = min((before(record).seniority(author(record)) ?? 64) + 1, 64)
            state.events.append((.given(device, role, seniority: seniority), record))
        case .remove(let device): spread(devices: [device], invites: [], record, &state)
        case .revoke(let invite): spread(devices: [], invites: [invite], record, &state)
        }
    }

    /// Removes and closes until nothing follows any more.
    private func spread(
        devices: Set<DeviceKey>,
        invites: Set<DeviceKey>,
        _ record: Int,
        _ state: inout OracleState
    ) {
        var (devices, invites) = (devices, invites)
        while true {
            let count = devices.count + invites.count
            for device in devices { invites.formUnion(state.held(device)) }
            for (event, other) in state.events {
                guard case .joined(let device, _, _, let invite?) = event, let other,
                    invites.contains(invite), !sees(record, other)
                else { continue }
                devices.insert(device)
            }
            if devices.count + invites.count == count { break }
        }
        for device in devices { state.events.append((.removed(device), record)) }
        for invite in invites { state.events.append((.closed(invite), record)) }
    }

    /// To whom an epoch is sealed.
    func recipients(_ state: OracleState) -> Set<EpochRecord.Recipient> {
        var recipients: Set<EpochRecord.Recipient> = []
        for device in state.devices where state.role(device) != nil {
            if device == genesis.founder {
                recipients.insert(.init(kind: .device, agreement: genesis.founderAgreement))
            }
            for index in state.effective where join(index)?.device == device {
                guard let join = join(index) else { continue }
                recipients.insert(.init(kind: .device, agreement: join.agreement))
            }
        }
        for index in open(state) {
            guard case .invite(let clear, _) = records[index].content else { continue }
            recipients.insert(.init(kind: .invite, agreement: clear.agreement))
        }
        return recipients
    }
}
