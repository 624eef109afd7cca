public import SennitSeal
public import SennitWire

// Founding, inviting, joining, and what control records do to membership and keys. SPEC.md section
// 7.

extension EntryType {
    /// Entries that membership is folded from.
    var isControl: Bool { [.genesis, .epoch, .join, .invite, .membership].contains(self) }

    /// Entry types whose effect this version knows.
    static let known: Set<EntryType> = [.genesis, .epoch, .edit, .join, .invite, .membership]
}

extension Replica {
    /// Founds a space: genesis, and epoch 0 with the founder's name.
    /// - Parameters:
    ///   - spaceNonce: 32 random bytes; space and keys follow from them.
    ///   - incarnation: 16 random bytes.
    /// - Throws: `seal` for a name that is too long.
    public static func founding(
        deviceSeed: SecretBytes,
        spaceNonce: Bytes32,
        incarnation: Incarnation,
        member: MemberRecord,
        _ surroundings: Surroundings
    ) throws(SyncError) -> (replica: Replica, change: ReplicaChange) {
        let identity = DeviceIdentity(deviceSeed: deviceSeed, spaceNonce: spaceNonce)
        let genesis = identity.genesis(nonce: spaceNonce)
        var replica = Replica(
            space: genesis.spaceID,
            spaceNonce: spaceNonce,
            identity: identity,
            own: LogDescriptor(device: identity.device, incarnation: incarnation),
            invite: nil
        )
        var change = ReplicaChange()
        let index = try replica.index(of: replica.own)
        let noEpoch = EpochKeyID(value: .zero)
        replica.append(Seal.entry(founding: genesis), epoch: noEpoch, at: index, into: &change)
        let secret = SecretBytes(surroundings.derived(0).bytes)
        let epoch = EpochKey(secret: secret, space: replica.space)
        let record: EpochRecord
        do {
            record = try EpochRecord(
                key: epoch,
                parents: [],
                recipients: [
                    .init(kind: .device, agreement: identity.agreement): surroundings.derived(1)
                ],
                random: surroundings.derived(2)
            )
        } catch {
            throw .seal(error)
        }
        replica.learn(epoch, into: &change)
        try replica.appendEntry(
            .epoch,
            clear: record.bytes,
            epoch: epoch,
            surroundings,
            use: 3,
            into: &change
        ) { $0.append(member) }
        replica.finish(&change)
        return (replica, change)
    }

    /// Opens an automatic invite.
    /// - Parameters:
    ///   - seed: 16 random bytes, from which the invite's keys derive. They go into the link.
    ///   - uses: how many may join by it.
    /// - Throws: `notJoined` unless this device is an owner; `seal`.
    public mutating func openInvite(
        seed: SecretBytes,
        role: Role,
        uses: UInt64,
        _ surroundings: Surroundings
    ) throws(SyncError) -> ReplicaChange {
        guard maySeal, membership?.role(of: identity.device) == .owner else { throw .notJoined }
        var change = ReplicaChange()
        if needsEpoch { try rotate(surroundings.separated("rotate"), into: &change) }
        guard let epoch = writeEpoch else { throw .notJoined }
        let invite = InviteIdentity(seed: seed, space: space)
        let clear: InviteClear
        do {
            clear = try InviteClear(
                invite: invite,
                epoch: epoch,
                ephemeral: surroundings.derived(0)
            )
        } catch {
            throw .seal(error)
        }
        let record = InviteRecord(role: role, uses: uses, invite: invite.device)
        try appendEntry(
            .invite,
            clear: clear.bytes,
            epoch: epoch,
            surroundings,
            use: 1,
            into: &change
        ) { $0.append(record) }
        finish(&change)
        return change
    }

    /// Joins by the invite this replica was made with, once the invite's record is applied.
    /// - Returns: `nil` if this device is a member, or the invite hasn't come or is used up.
    public mutating func joinIfReady(
        _ member: MemberRecord,
        _ surroundings: Surroundings
    ) throws(SyncError) -> ReplicaChange? {
        guard let invite, !isMember, indexes[ownLog] == nil, let epoch = writeEpoch,
            let membership,
            membership.openInvites.contains(where: { $0.clear.invite == invite.device })
        else { return nil }
        let join = JoinRecord(
            by: invite,
            device: identity,
            incarnation: own.incarnation,
            space: space
        )
        var change = ReplicaChange()
        try appendEntry(
            .join,
            clear: join.bytes,
            epoch: epoch,
            surroundings,
            use: 0,
            into: &change
        ) { $0.append(member) }
        finish(&change)
        return change
    }

    /// Whether the invite this replica was made with is known and can't be used any more.
    public var isInviteUsedUp: Bool {
        guard let invite, !isMember, let membership, seenInvites.contains(invite.device) else {
            return false
        }
        return !membership.openInvites.contains { $0.clear.invite == invite.device }
    }

    /// The list for the relay that follows from membership, if it differs from `current` and this
    /// device may set it.
    public func nextAccessList(after current: AccessList?) -> AccessList? {
        guard let membership, membership.role(of: identity.device) == .owner else { return nil }
        var members = membership.members.map { member in
            AccessList.Member(
                kind: .device,
                key: member.device,
                rights: member.role == .owner ? .all : [.read, .append]
            )
        }
        members += membership.openInvites.map {
            AccessList.Member(kind: .invite, key: $0.clear.invite, rights: [.read, .append])
        }
        if let current, current.members == AccessList.ascending(members) { return nil }
        return identity.accessList(space: space, after: current, members: members)
    }
}

// MARK: Keys

extension Replica {
    /// Takes every epoch key that new entries hold for this device or its invite.
    ///
    /// Entries are looked at before their turn: the key for a log's second entry may be in its
    /// sixth. A key is worth nothing by itself: its id is its hash, and only entries that name the
    /// id open under it.
    /// - Returns: whether a key was learned.
    mutating func learnKeys(from entries: [[UInt8]], into change: inout ReplicaChange) -> Bool {
        let count = epochs.count
        for bytes in entries {
            guard let entry = try? Entry(decoding: bytes) else { continue }
            if entry.type == .epoch || entry.type == .membership,
                let record = try? EpochRecord(decoding: entry.clear)
            {
                epochRecords[record.epoch, default: []].append(record)
                if let known = epochs[record.epoch] { unwrap(known, into: &change) }
                let key =
                    (try? identity.epochKey(from: record, in: space))
                    ?? (try? invite?.epochKey(from: record, in: space))
                if let key { learn(key, into: &change) }
                if let known = epochs[record.epoch] { unwrap(known, into: &change) }
            } else if entry.type == .invite, let invite,
                let clear = try? InviteClear(decoding: entry.clear), clear.invite == invite.device,
                let key = try? invite.epochKey(from: clear, in: space)
            {
                learn(key, into: &change)
            }
        }
        return epochs.count > count
    }

    /// Keeps a key, and what older keys are wrapped under it.
    mutating func learn(_ key: EpochKey, into change: inout ReplicaChange) {
        guard epochs[key.id] == nil else { return }
        epochs[key.id] = key
        isEpochChoiceStale = true
        change.epochs.append(key)
        unwrap(key, into: &change)
    }

    private mutating func unwrap(_ key: EpochKey, into change: inout ReplicaChange) {
        // Anybody may announce an epoch under a name; only what the key itself wrapped opens.
        for record in epochRecords[key.id] ?? [] {
            for older in (try? record.olderKeys(under: key, in: space)) ?? [] {
                wrappedKeys[key.id, default: []].insert(older.id)
                isEpochChoiceStale = true
                learn(older, into: &change)
            }
        }
    }
}

// MARK: Applying

extension Replica {
    /// Takes the space's genesis from the start of its founder's log.
    mutating func applyGenesis(
        _ entry: Entry,
        at index: Int,
        into change: inout ReplicaChange
    ) -> Outcome {
        guard let genesis = try? Genesis(decoding: entry.clear), genesis.nonce == spaceNonce,
            genesis.founder == logs[index].descriptor.device
        else { return .poison }
        if membership == nil {
            membership = Membership(
                genesis: genesis,
                hash: EntryHash(of: entry.bytes),
                log: logs[index].id
            )
            change.membershipChanged = true
        }
        return .applied
    }

    /// Folds a control record into membership.
    /// - Returns: `poison` or `unknown` if neither it nor the rest of its entry has an effect.
    mutating func applyControl(
        _ entry: Entry,
        payloads: [Payload],
        at index: Int,
        into change: inout ReplicaChange
    ) -> Outcome {
        change.membershipChanged = true
        return fold(
            entry,
            payloads: payloads,
            from: source(of: entry, at: logs[index].applied, seen: logs[index].context, index)
        )
    }

    func source(
        of entry: Entry,
        at offset: Offset,
        seen: Version,
        _ index: Int
    ) -> Membership.Source {
        Membership.Source(
            author: logs[index].descriptor,
            log: logs[index].id,
            offset: offset,
            hash: EntryHash(of: entry.bytes),
            seen: seen
        )
    }

    /// Folds a control record, or a member record in an edit, into membership. Doing it twice
    /// changes nothing.
    /// - Returns: `poison` or `unknown` if neither it nor the rest of its entry has an effect.
    mutating func fold(
        _ entry: Entry,
        payloads: [Payload],
        from source: Membership.Source
    ) -> Outcome {
        var outcome = Outcome.applied
        do {
            try takeIn(entry, payloads: payloads, from: source)
        } catch {
            if entry.type.isControl { membership?.apply(poisonFrom: source) }
            if case .needsUpdate = error { outcome = .unknown } else { outcome = .poison }
        }
        if entry.type != .edit {
            isEpochChoiceStale = true
            noteEnds()
        }
        return outcome
    }

    /// - Throws: `needsUpdate` for what is of a newer version; all else is poison.
    private mutating func takeIn(
        _ entry: Entry,
        payloads: [Payload],
        from source: Membership.Source
    ) throws(SealError) {
        switch entry.type {
        case .epoch:
            let record = try EpochRecord(decoding: entry.clear)
            let member = try Replica.member(in: payloads)
            try Replica.check(record, isKeyOf: entry)
            membership?.apply(record, from: source)
            if let member { membership?.apply(member, from: source) }
        case .invite:
            let clear = try InviteClear(decoding: entry.clear)
            guard let payload = payloads.first(where: { $0.kind == .invite }) else {
                throw .poison(.invalid(reason: "an invite has a record", byteOffset: 0))
            }
            let record = try InviteRecord(decoding: payload.bytes)
            guard record.belongs(to: clear) else {
                throw .poison(.invalid(reason: "an invite's halves agree", byteOffset: 0))
            }
            membership?.apply(clear, record, from: source)
            seenInvites.insert(clear.invite)
        case .membership:
            let epoch = try EpochRecord(decoding: entry.clear)
            guard let payload = payloads.first(where: { $0.kind == .changes }) else {
                throw .poison(.invalid(reason: "a membership record has changes", byteOffset: 0))
            }
            let changes = try MembershipChanges(decoding: payload.bytes)
            try Replica.check(epoch, isKeyOf: entry)
            membership?.apply(changes, epoch, from: source)
        case .join:
            guard source.offset == .zero else {
                throw .poison(.invalid(reason: "a join begins a log", byteOffset: 0))
            }
            let join = try JoinRecord(decoding: entry.clear)
            try join.verify(in: space, log: source.author)
            let member = memberOfJoin(payloads, from: source)
            membership?.apply(join, member, from: source)
        case .edit:
            if let member = try Replica.member(in: payloads) {
                membership?.apply(member, from: source)
            }
        default:
            throw .poison(.invalid(reason: "it is no control record", byteOffset: 0))
        }
    }

    /// Who announces an epoch has its key: the entry is sealed under it.
    private static func check(
        _ epoch: EpochRecord,
        isKeyOf entry: Entry
    ) throws(SealError) {
        guard Array(epoch.epoch.bytes.prefix(Entry.keyHintByteCount)) == entry.keyHint else {
            throw .poison(.invalid(reason: "an epoch seals its own record", byteOffset: 0))
        }
    }

    /// The member record that counts, if there is one.
    private static func member(in payloads: [Payload]) throws(SealError) -> MemberRecord? {
        guard let payload = payloads.first(where: { $0.kind == .member }) else { return nil }
        return try MemberRecord(decoding: payload.bytes)
    }

    /// The member record of a join. The join counts whatever it says: who is a member must not
    /// follow from how somebody is called.
    private mutating func memberOfJoin(
        _ payloads: [Payload],
        from source: Membership.Source
    ) -> MemberRecord? {
        do {
            return try Replica.member(in: payloads)
        } catch {
            if case .needsUpdate = error {
                note(.needsUpdate(at: source.offset), about: source.log)
            } else {
                note(.poison(at: source.offset), about: source.log)
            }
            return nil
        }
    }
}
