public import SennitWire

// Who belongs to a space: a function of the control records in its logs. SPEC.md section 7.6.
//
// The result depends on the records alone. They are applied after those that their context covers,
// as entries are, and concurrent ones in any order. Of each record it is decided once, by what its
// own causal past comes to, whether its author had the right (Membership+Judging). Which of those
// have an effect together, and what follows, is worked out anew from all of them
// (MembershipState, StandingRecords).
//
// A log's role is decided by the record that begins it and never changes. When its device loses
// what it needs for it, the log is ended: how much of it counts then is not decided here, but by
// what accepted entries of others have seen of it (SPEC.md section 7.7).

/// The members of a space, its open invites and its epochs, as a set of control records says.
public struct Membership: Sendable {
    /// Where a control record stands, and what its author had applied.
    public struct Source: Hashable, Sendable {
        /// The log's device and incarnation.
        public let author: LogDescriptor
        /// The log.
        public let log: LogID
        /// The entry's offset.
        public let offset: Offset
        /// The entry's hash.
        public let hash: EntryHash
        /// All that the author had applied at the entry, without its own log.
        public let seen: Version

        /// Puts a source together.
        public init(
            author: LogDescriptor,
            log: LogID,
            offset: Offset,
            hash: EntryHash,
            seen: Version
        ) {
            self.author = author
            self.log = log
            self.offset = offset
            self.hash = hash
            self.seen = seen
        }

        func hasSeen(_ other: Source) -> Bool {
            log == other.log ? offset > other.offset : seen[other.log] > other.offset
        }

        func precedes(_ other: Source) -> Bool {
            (log, offset) < (other.log, other.offset)
        }
    }

    /// A member device.
    public struct Member: Hashable, Sendable {
        /// The device.
        public let device: DeviceKey
        /// What it may do.
        public let role: Role
        /// Who it belongs to; `nil` if it never said.
        public let record: MemberRecord?
    }

    /// An invite that counts.
    public struct Invite: Hashable, Sendable {
        /// What anybody may see.
        public let clear: InviteClear
        /// What members may see.
        public let record: InviteRecord
        /// The device that opened it.
        public let opener: DeviceKey
        /// How many more may join by it.
        public let remainingUses: UInt64
    }

    /// An epoch that a member announced.
    public struct Epoch: Hashable, Sendable {
        /// The record.
        public let record: EpochRecord
        /// The device that announced it.
        public let author: DeviceKey
        /// 0 for an epoch without parents that its author had seen, else 1 more than the deepest.
        public let depth: Int
        /// Whether nobody was given its key who may not read any more.
        public let isSafe: Bool
        /// Whether every member device was given its key.
        public let isComplete: Bool
    }

    /// The space's genesis.
    public let genesis: Genesis
    /// The space.
    public let space: SpaceID

    // Every record but genesis, each after those it has seen. Never changed once they are in.
    private(set) var controls: [ControlRecord] = []
    private(set) var state: MembershipState
    let genesisLog: LogID

    private var applied: Set<Position> = []
    private var names: [DeviceKey: [Attributed<MemberRecord>]] = [:]
    private var controlHashes: [LogID: [Offset: EntryHash]] = [:]

    // What each log's entries may do, by the record that begins it. Never taken back.
    private(set) var logRoles: [LogID: Role] = [:]

    /// The membership that a genesis gives: its founder.
    ///
    /// `hash` is that of the genesis entry, at offset 0 of `log`, the founder's first.
    public init(genesis: Genesis, hash: EntryHash, log: LogID) {
        self.genesis = genesis
        genesisLog = log
        logRoles[log] = .owner
        space = genesis.spaceID
        controlHashes[log] = [.zero: hash]
        state = MembershipState(genesis: genesis, log: log)
    }

    /// What the records at `indices`, ascending, come to. They hold all that each has seen.
    func resolved(_ indices: [Int]) -> MembershipState {
        var state = MembershipState(genesis: genesis, log: genesisLog)
        let authorised = indices.filter { controls[$0].isAuthorised }
        for index in MembershipOrder(controls).placing(authorised) {
            state.take(index, of: controls)
        }
        return state
    }
}

// MARK: Applying

extension Membership {
    /// Applies an epoch record.
    ///
    /// The caller has checked the key in the record's box, if it was given one.
    public mutating func apply(_ record: EpochRecord, from source: Source) {
        add(ControlRecord(.epoch(record), from: source))
    }

    /// Applies an invite, whose halves belong together.
    public mutating func apply(
        _ clear: InviteClear,
        _ record: InviteRecord,
        from source: Source
    ) {
        add(ControlRecord(.invite(clear, record), from: source))
    }

    /// Applies a membership record: changes, with the epoch that goes with them.
    public mutating func apply(
        _ changes: MembershipChanges,
        _ epoch: EpochRecord,
        from source: Source
    ) {
        add(ControlRecord(.changes(changes, epoch), from: source))
    }

    /// Applies a join that `JoinRecord.verify` has passed for the author's log. One that it refuses
    /// is given to `apply(poisonFrom:)`.
    ///
    /// It may be that the device isn't a member after it: then its log is `unauthorised`.
    public mutating func apply(
        _ join: JoinRecord,
        _ member: MemberRecord?,
        from source: Source
    ) {
        add(ControlRecord(.join(join), from: source))
        if let member { apply(member, from: source) }
    }

    /// Applies a member record that stands in any entry of the device's own logs. In a control
    /// entry it comes after the control record.
    public mutating func apply(_ record: MemberRecord, from source: Source) {
        var latest = names[source.author.device] ?? []
        guard !latest.contains(where: { $0.source == source || $0.source.hasSeen(source) }) else {
            return
        }
        latest.removeAll { source.hasSeen($0.source) }
        latest.append(Attributed(value: record, source: source))
        names[source.author.device] = latest
    }

    /// Takes note of a control entry that has no effect because it is poison: it was applied, so
    /// the membership's hash covers it.
    public mutating func apply(poisonFrom source: Source) { note(source) }

    private mutating func note(_ source: Source) {
        controlHashes[source.log, default: [:]][source.offset] = source.hash
    }

    private mutating func add(_ record: ControlRecord) {
        note(record.source)
        let place = Position(log: record.source.log, offset: record.source.offset)
        guard applied.insert(place).inserted else { return }
        let judged = judged(record)
        if judged.isAuthorised, judged.join != nil { logRoles[place.log] = judged.logRole }
        controls.append(judged)
        guard judged.isAuthorised else { return }
        if judged.rank == controls.count - 1 {
            // What has seen everything is the last in the order.
            state.take(controls.count - 1, of: controls)
        } else {
            state = resolved(Array(controls.indices))
        }
    }
}

// MARK: Asking

extension Membership {
    /// Whether the device is a member.
    public func isMember(_ device: DeviceKey) -> Bool { role(of: device) != nil }

    /// What a device may do; `nil` if it isn't a member.
    public func role(of device: DeviceKey) -> Role? { state.roles[device] }

    /// What the entries of a log may do; `nil` if none of them count.
    ///
    /// It follows from the record that begins the log and from what that had seen, and so it is the
    /// same on every replica that has applied the record.
    public func role(ofLog log: LogID) -> Role? { logRoles[log] }

    /// Logs that ended: their device isn't a member any more, or may not write any more. Of such
    /// a log only what others have vouched for counts.
    public var endedLogs: Set<LogID> { Set(logRoles.keys.filter { !state.isLive($0) }) }

    /// How far each log counts because of membership records in it that have an effect: what was
    /// decided can be named by everybody.
    public var decidedEnds: [LogID: Offset] {
        var ends: [LogID: Offset] = [:]
        for index in state.effective where !controls[index].changes.isEmpty {
            let source = controls[index].source
            ends[source.log] = max(ends[source.log] ?? .zero, source.offset.next)
        }
        return ends
    }

    /// What is known of a device; `nil` if it isn't a member.
    public func member(_ device: DeviceKey) -> Member? {
        role(of: device).map { Member(device: device, role: $0, record: record(of: device)) }
    }

    /// What a device said last about its person, whether it is a member or was one.
    public func record(of device: DeviceKey) -> MemberRecord? {
        names[device]?.max { $0.source.log < $1.source.log }?.value
    }

    /// All members, ascending by device.
    public var members: [Member] { state.roles.keys.sorted().compactMap { member($0) } }

    /// The name of a person, as the device of theirs with the lowest key says.
    public func name(of person: PersonID) -> String? {
        members.first { $0.record?.person == person }?.record?.name
    }

    /// The invites by which somebody may still join, ascending by key.
    public var openInvites: [Invite] {
        openInvites(in: state)
            .map(\.invite)
            .sorted { ($0.clear.invite, $0.clear.epoch) < ($1.clear.invite, $1.clear.epoch) }
    }

    func openInvites(in state: MembershipState) -> [(index: Int, invite: Invite)] {
        state.joins.compactMap { index, joins in
            guard case .invite(let clear, let record) = controls[index].content,
                !state.closedInvites.contains(clear.invite), UInt64(joins.count) < record.uses
            else { return nil }
            let invite = Invite(
                clear: clear,
                record: record,
                opener: controls[index].author,
                remainingUses: record.uses - UInt64(joins.count)
            )
            return (index, invite)
        }
    }

    /// Everybody to whom a new epoch is to be sealed: the members' devices and the open invites,
    /// ascending.
    public var recipients: [EpochRecord.Recipient] {
        let devices = state.agreements.values.joined().map {
            EpochRecord.Recipient(kind: .device, agreement: $0)
        }
        let invites = openInvites.map {
            EpochRecord.Recipient(kind: .invite, agreement: $0.clear.agreement)
        }
        return Set(devices + invites).sorted()
    }

    /// The hash over all control entries of logs that begin with the right to, ascending.
    public var hash: Bytes32 { hash { _ in true } }

    /// What a head signs: the hash over those of them that its author had applied.
    public func hash(of applied: Version) -> Bytes32 {
        hash { applied[$0.log] > $0.offset }
    }

    /// - Complexity: O(n log n) for n records.
    private func hash(where isApplied: (Position) -> Bool) -> Bytes32 {
        var hashes: [EntryHash] = []
        for (log, entries) in controlHashes where logRoles[log] != nil {
            for (offset, hash) in entries
            where isApplied(Position(log: log, offset: offset)) {
                hashes.append(hash)
            }
        }
        return Hash.digest(.member, [hashes.sorted().flatMap(\.bytes)])
    }
}
