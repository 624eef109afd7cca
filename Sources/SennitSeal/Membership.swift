public import SennitWire

// Who belongs to a space: a fold of the control records in its logs. SPEC.md section 7.
//
// The result depends on the records alone. They are applied after those that their context covers,
// as entries are, and concurrent ones in any order:
//
//   - The founder is an owner, and so far the only one.
//   - An invite counts if its author is an owner and it makes no owners.
//   - A join counts if its context covers a counting invite that is its own, and fewer than `uses`
//     joins of that invite that count. (InviteUse.swift says why not the first `uses` of all.)
//   - A device is a member if it is the founder or a join of its own counts. It may then begin more
//     logs.
//   - A member's name is what its own latest member record says. Among concurrent ones the one in
//     the log of the highest id does.
//
// Left out so far: removal, change of role, revocation.

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
    }

    /// The space's genesis.
    public let genesis: Genesis
    /// The space.
    public let space: SpaceID

    /// Every epoch that a member with the right announced, by its key's id. If two announced one
    /// then the record that stands first by log id and offset counts.
    public private(set) var epochs: [EpochKeyID: Epoch] = [:]

    private var invites: [DeviceKey: [InviteUse]] = [:]
    private var announced: [EpochKeyID: [Attributed<Epoch>]] = [:]
    // The keys that devices named when they began another log, whether they are members or not.
    private var laterAgreements: [DeviceKey: Set<AgreementKey>] = [:]
    private var records: [DeviceKey: [Attributed<MemberRecord>]] = [:]
    private var controlHashes: [DeviceKey: Set<EntryHash>] = [:]

    // What each log's entries may do, by the record that begins it. Never taken back.
    private var logRoles: [LogID: Role] = [:]
    private var joinedLogs: [DeviceKey: [Source]] = [:]

    // What follows from the invites. Invariant: only devices with a join that counts, and never the
    // founder's.
    private var roles: [DeviceKey: Role] = [:]
    private var agreements: [DeviceKey: Set<AgreementKey>] = [:]

    /// The membership that a genesis gives: its founder.
    ///
    /// `hash` is that of the genesis entry, at offset 0 of `log`, the founder's first.
    public init(genesis: Genesis, hash: EntryHash, log: LogID? = nil) {
        self.genesis = genesis
        if let log { logRoles[log] = .owner }
        space = genesis.spaceID
        laterAgreements[genesis.founder] = [genesis.founderAgreement]
        controlHashes[genesis.founder] = [hash]
    }
}

// MARK: Applying

extension Membership {
    /// Applies an epoch record. It counts if its author is a member who may write.
    ///
    /// The caller has checked the key in the record's box, if it was given one.
    public mutating func apply(_ record: EpochRecord, from source: Source) {
        note(source)
        let others = announced[record.epoch] ?? []
        guard !others.contains(where: { $0.source == source }) else { return }
        let parents = record.parents.flatMap { announced[$0] ?? [] }
        let depths = parents.filter { source.hasSeen($0.source) }.map(\.value.depth)
        let epoch = Epoch(
            record: record,
            author: source.author.device,
            depth: (depths.max() ?? -1) + 1
        )
        announced[record.epoch] = others + [Attributed(value: epoch, source: source)]
        updateEpochs()
    }

    /// Applies an invite, whose halves belong together.
    public mutating func apply(
        _ clear: InviteClear,
        _ record: InviteRecord,
        from source: Source
    ) {
        note(source)
        guard record.belongs(to: clear), record.role < .owner else { return }
        guard role(of: source.author.device) == .owner else { return }
        var uses = invites[clear.invite] ?? []
        guard !uses.contains(where: { $0.source == source }) else { return }
        uses.append(InviteUse(clear: clear, record: record, source: source))
        uses.sort { $0.source.precedes($1.source) }
        invites[clear.invite] = uses
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
        note(source)
        if join.isAgain {
            laterAgreements[join.device, default: []].insert(join.agreement)
            let known = (joinedLogs[join.device] ?? []).filter { source.hasSeen($0) }
            let roles = known.compactMap { logRoles[$0.log] }
            logRoles[source.log] = join.device == genesis.founder ? .owner : roles.max()
        } else if let index = invites[join.invite]?.firstIndex(where: {
            source.hasSeen($0.source)
        }), invites[join.invite]?[index].add(join, from: source) == true {
            logRoles[source.log] = invites[join.invite]?[index].record.role
            joinedLogs[join.device, default: []].append(source)
            recount()
        }
        if let member { apply(member, from: source) }
    }

    /// Applies a member record that stands in any entry of the device's own logs. In a control
    /// entry it comes after the control record.
    public mutating func apply(_ record: MemberRecord, from source: Source) {
        var latest = records[source.author.device] ?? []
        guard !latest.contains(where: { $0.source == source || $0.source.hasSeen(source) }) else {
            return
        }
        latest.removeAll { source.hasSeen($0.source) }
        latest.append(Attributed(value: record, source: source))
        records[source.author.device] = latest
    }

    /// Takes note of a control entry that has no effect because it is poison: it was applied, so
    /// the membership's hash covers it.
    public mutating func apply(poisonFrom source: Source) { note(source) }

    private mutating func note(_ source: Source) {
        controlHashes[source.author.device, default: []].insert(source.hash)
    }

    private mutating func updateEpochs() {
        epochs = announced.compactMapValues { epochs in
            epochs
                .filter { (role(of: $0.value.author) ?? .reader) >= .writer }
                .min { $0.source.precedes($1.source) }?
                .value
        }
    }

    private mutating func recount() {
        roles = [:]
        agreements = [:]
        for invite in invites.values.joined() {
            for join in invite.counting {
                let device = join.value.device
                guard device != genesis.founder else { continue }
                roles[device] = max(roles[device] ?? .reader, invite.record.role)
                agreements[device, default: []].insert(join.value.agreement)
            }
        }
        updateEpochs()
    }
}

// MARK: Asking

extension Membership {
    /// Whether entries in the device's logs count.
    public func isMember(_ device: DeviceKey) -> Bool { role(of: device) != nil }

    /// What a device may do; `nil` if it isn't a member.
    public func role(of device: DeviceKey) -> Role? {
        device == genesis.founder ? .owner : roles[device]
    }

    /// What the entries of a log may do; `nil` if they don't count.
    ///
    /// It follows from the record that begins the log and from what that had seen, and so it is the
    /// same on every replica that has applied the record.
    public func role(ofLog log: LogID) -> Role? { logRoles[log] }

    /// What is known of a device; `nil` if it isn't a member.
    public func member(_ device: DeviceKey) -> Member? {
        guard let role = role(of: device) else { return nil }
        let record = records[device]?.max { $0.source.log < $1.source.log }?.value
        return Member(device: device, role: role, record: record)
    }

    /// All members, ascending by device.
    public var members: [Member] {
        (roles.keys + [genesis.founder]).sorted().compactMap { member($0) }
    }

    /// The name of a person, as the device of theirs with the lowest key says.
    public func name(of person: PersonID) -> String? {
        members.first { $0.record?.person == person }?.record?.name
    }

    /// The invites by which somebody may still join, ascending by key.
    public var openInvites: [Invite] {
        invites.values.joined().compactMap { state in
            let used = UInt64(state.counting.count)
            guard used < state.record.uses else { return nil }
            return Invite(
                clear: state.clear,
                record: state.record,
                remainingUses: state.record.uses - used
            )
        }
        .sorted { ($0.clear.invite, $0.clear.epoch) < ($1.clear.invite, $1.clear.epoch) }
    }

    /// Everybody to whom a new epoch is to be sealed: the members' devices and the open invites,
    /// ascending.
    public var recipients: [EpochRecord.Recipient] {
        let devices = (roles.keys + [genesis.founder]).flatMap { device in
            (agreements[device] ?? []).union(laterAgreements[device] ?? [])
        }
        let recipients =
            devices.map { EpochRecord.Recipient(kind: .device, agreement: $0) }
            + openInvites.map { .init(kind: .invite, agreement: $0.clear.agreement) }
        return Set(recipients).sorted()
    }

    /// The epoch to write under: the deepest, among those the one of the highest id. `nil` before
    /// the first is known.
    public var currentEpoch: EpochKeyID? {
        epochs.max { ($0.value.depth, $0.key) < ($1.value.depth, $1.key) }?.key
    }

    /// What a head signs: the hash over the control entries of members' logs, ascending.
    /// - Complexity: O(n log n) for n records.
    public var hash: Bytes32 {
        let hashes = controlHashes.filter { isMember($0.key) }.values.joined().sorted()
        return Hash.digest(.member, [hashes.flatMap(\.bytes)])
    }
}
