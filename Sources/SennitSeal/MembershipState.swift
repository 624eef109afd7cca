internal import SennitWire

// What a set of control records comes to. SPEC.md section 7.6.
//
// The idea: put the records in one order that follows from the set (MembershipOrder), and take them
// one after another. Each finds the state that those before it left, and either has its effect or
// has none. There is no fixed point to look for and nothing is taken back.
//
// Taking a right reaches back: a record that hasn't seen what took its author's right has no
// effect, although the device may have got the right again since; and an invite that is closed
// takes out those who came by it without the closing record having seen that.

/// The members, invites and logs that follow from some records.
struct MembershipState: Sendable {
    /// A log that may go on.
    private struct LiveLog {
        let device: DeviceKey
        let role: Role
    }

    /// A record that left a device less than owning.
    private struct Taking {
        let source: Membership.Source
        /// What it left; `nil` for a removal.
        let role: Role?

        var takesWriting: Bool { role.map { $0 < .writer } ?? true }

        func leavesLess(than given: Role) -> Bool { role.map { $0 < given } ?? true }
    }

    /// Indices of the records that have an effect.
    private(set) var effective: Set<Int> = []
    /// What each member device may do.
    private(set) var roles: [DeviceKey: Role] = [:]
    /// The keys to which epochs are sealed for each member device.
    private(set) var agreements: [DeviceKey: Set<AgreementKey>] = [:]
    /// How many grants lie between the founder and each owner.
    private(set) var seniority: [DeviceKey: Int] = [:]
    /// Keys of invites by which nobody joins any more.
    private(set) var closedInvites: Set<DeviceKey> = []
    /// The joins that count by each invite, by its record.
    private(set) var joins: [Int: [Int]] = [:]

    private var liveLogs: [LogID: LiveLog] = [:]
    private var takings: [DeviceKey: [Taking]] = [:]
    // The keys of invites that each device opened or joined by.
    private var heldInvites: [DeviceKey: Set<DeviceKey>] = [:]

    /// The state that genesis gives.
    init(genesis: Genesis, log: LogID) {
        roles[genesis.founder] = .owner
        agreements[genesis.founder] = [genesis.founderAgreement]
        seniority[genesis.founder] = 0
        liveLogs[log] = LiveLog(device: genesis.founder, role: .owner)
    }

    /// Whether the log's entries count without anybody's word.
    func isLive(_ log: LogID) -> Bool { liveLogs[log] != nil }

    /// Takes the next record in the order.
    mutating func take(_ index: Int, of records: [ControlRecord]) {
        let record = records[index]
        switch record.content {
        case .invite(let clear, _):
            guard mayOwn(record), !closedInvites.contains(clear.invite) else { return }
            heldInvites[record.author, default: []].insert(clear.invite)
            joins[index] = []
        case .join(let join):
            guard takeJoin(join, index, record) else { return }
        case .changes(let changes, _):
            guard mayOwn(record) else { return }
            var after = self
            var takeOut = TakeOut(source: record.source, records: records)
            for change in changes.changes { after.take(change, of: record, &takeOut) }
            guard after.roles.values.contains(.owner) else { return }
            self = after
        case .epoch:
            // Whether an epoch is any good follows from who has its key (Membership+Epochs).
            return
        }
        effective.insert(index)
    }

    // MARK: Rights

    /// Whether the author is an owner, and nothing took its right that the record hasn't seen.
    private func mayOwn(_ record: ControlRecord) -> Bool {
        roles[record.author] == .owner && isLive(record.source.log)
            && hasSeenTakings(of: record.author, record)
    }

    private func hasSeenTakings(of device: DeviceKey, _ record: ControlRecord) -> Bool {
        (takings[device] ?? []).allSatisfy { record.source.hasSeen($0.source) }
    }

    // MARK: Joins

    private mutating func takeJoin(
        _ join: JoinRecord,
        _ index: Int,
        _ record: ControlRecord
    ) -> Bool {
        guard let role = record.logRole else { return false }
        let isBackdated = (takings[join.device] ?? []).contains {
            $0.takesWriting && !record.source.hasSeen($0.source)
        }
        guard !isBackdated else { return false }
        if join.isAgain {
            guard let own = roles[join.device], own >= .writer || role < .writer else {
                return false
            }
        } else {
            guard let invite = record.invite, effective.contains(invite),
                !closedInvites.contains(join.invite)
            else { return false }
            joins[invite, default: []].append(index)
            heldInvites[join.device, default: []].insert(join.invite)
            roles[join.device] = max(roles[join.device] ?? role, role)
        }
        agreements[join.device, default: []].insert(join.agreement)
        liveLogs[record.source.log] = LiveLog(device: join.device, role: role)
        return true
    }

    // MARK: Changes

    /// What one record takes out, so that each device and invite is looked at once.
    private struct TakeOut {
        let source: Membership.Source
        let records: [ControlRecord]
        var devices: Set<DeviceKey> = []
        var invites: Set<DeviceKey> = []
    }

    private mutating func take(
        _ change: MembershipChange,
        of record: ControlRecord,
        _ takeOut: inout TakeOut
    ) {
        switch change {
        case .remove(let device): remove(device, &takeOut)
        case .revoke(let invite): close(invite, &takeOut)
        case .role(let device, let role): give(role, to: device, record)
        }
    }

    private mutating func give(_ role: Role, to device: DeviceKey, _ record: ControlRecord) {
        guard let old = roles[device], role != old else { return }
        // The lower role beats the higher, if that hadn't seen it.
        let isLate = (takings[device] ?? []).contains {
            $0.leavesLess(than: role) && !record.source.hasSeen($0.source)
        }
        if role > old, isLate { return }
        if role < .owner {
            takings[device, default: []].append(Taking(source: record.source, role: role))
        }
        if role < .writer { endLogs(of: device, from: .writer) }
        roles[device] = role
        seniority[device] =
            role == .owner ? min(record.seniority + 1, Limits.maximumSeniority) : nil
    }

    private mutating func remove(_ device: DeviceKey, _ takeOut: inout TakeOut) {
        guard takeOut.devices.insert(device).inserted else { return }
        takings[device, default: []].append(
            Taking(source: takeOut.source, role: nil)
        )
        roles[device] = nil
        agreements[device] = nil
        seniority[device] = nil
        endLogs(of: device, from: .reader)
        // It has the seeds of these links.
        for invite in heldInvites[device] ?? [] { close(invite, &takeOut) }
    }

    private mutating func close(_ invite: DeviceKey, _ takeOut: inout TakeOut) {
        guard takeOut.invites.insert(invite).inserted else { return }
        closedInvites.insert(invite)
        for index in joins.values.joined() {
            guard let join = takeOut.records[index].join, join.invite == invite,
                !takeOut.source.hasSeen(takeOut.records[index].source)
            else { continue }
            remove(join.device, &takeOut)
        }
    }

    private mutating func endLogs(of device: DeviceKey, from role: Role) {
        liveLogs = liveLogs.filter { $0.value.device != device || $0.value.role < role }
    }
}
