public import SennitSeal
import SennitWire

// Changing who belongs to the space, and the epochs that go with it. SPEC.md sections 7.5 to 7.8.

extension Replica {
    /// Removes devices, gives roles, revokes invites: one record, with a new epoch for those who
    /// are members after it.
    ///
    /// The record names all that is applied here, so what was typed here keeps what it builds on.
    /// - Throws: `notPermitted` unless this device is an owner and everything named is there;
    ///   `seal`, for more recipients than an epoch has.
    public mutating func change(
        _ changes: MembershipChanges,
        _ surroundings: Surroundings
    ) throws(SyncError) -> ReplicaChange {
        guard maySeal, let role = membership?.role(of: identity.device) else { throw .notJoined }
        guard role == .owner else { throw .notPermitted }
        var next = self
        var change = ReplicaChange()
        try next.beginOwnLogIfNeeded(surroundings.separated("begin"), into: &change)
        try next.change(changes, surroundings, into: &change)
        self = next
        return change
    }

    private mutating func change(
        _ changes: MembershipChanges,
        _ surroundings: Surroundings,
        into change: inout ReplicaChange
    ) throws(SyncError) {
        guard let recipients = membership?.recipients(after: changes, from: nextSource) else {
            throw .notPermitted
        }
        let (epoch, key) = try nextEpoch(for: recipients, surroundings, into: &change)
        try appendEntry(
            .membership,
            clear: epoch.bytes,
            epoch: key,
            surroundings,
            use: 0,
            into: &change
        ) { $0.append(changes) }
        finish(&change)
    }

    /// Announces a new epoch, so that whoever had the old keys and lost the right to read, or
    /// whoever copied them, reads no further.
    /// - Throws: `notJoined` unless this device may write; `seal`.
    public mutating func rotate(
        _ surroundings: Surroundings
    ) throws(SyncError) -> ReplicaChange {
        var change = ReplicaChange()
        try rotate(surroundings, into: &change)
        finish(&change)
        return change
    }

    mutating func rotate(
        _ surroundings: Surroundings,
        into change: inout ReplicaChange
    ) throws(SyncError) {
        guard maySeal || mayHandOn, let membership else { throw .notJoined }
        let (epoch, key) = try nextEpoch(
            for: membership.recipients,
            surroundings,
            into: &change
        )
        try appendEntry(
            .epoch,
            clear: epoch.bytes,
            epoch: key,
            surroundings,
            use: 0,
            into: &change
        ) { _ in }
    }

    /// Makes and learns a new key, and wraps all older ones under it.
    private mutating func nextEpoch(
        for recipients: [EpochRecord.Recipient],
        _ surroundings: Surroundings,
        into change: inout ReplicaChange
    ) throws(SyncError) -> (EpochRecord, EpochKey) {
        let fresh = surroundings.separated("epoch")
        let key = EpochKey(secret: SecretBytes(fresh.derived(0).bytes), space: space)
        var ephemerals: [EpochRecord.Recipient: Bytes32] = [:]
        for (index, recipient) in recipients.enumerated() {
            ephemerals[recipient] = fresh.derived(UInt64(index) + 2)
        }
        let older = epochs.values.sorted { $0.id < $1.id }
        let record: EpochRecord
        do {
            record = try EpochRecord(
                key: key,
                parents: membership?.latestEpochs { epochs[$0] != nil } ?? [],
                recipients: ephemerals,
                older: Array(older.suffix(SyncLimits.wrappedKeyCount)),
                random: fresh.derived(1)
            )
        } catch {
            throw .seal(error)
        }
        epochRecords[key.id, default: []].append(record)
        learn(key, into: &change)
        return (record, key)
    }

    /// Where this device's next record would stand, with what it has seen.
    var nextSource: Membership.Source {
        let own = indexes[ownLog].map { logs[$0] }
        var seen = Version()
        for log in logs where log.id != ownLog {
            let before = own?.readState.context[log.id] ?? .zero
            seen[log.id] = max(log.applied, before, vouching[log.id])
        }
        return Membership.Source(
            author: self.own,
            log: ownLog,
            offset: own?.end ?? .zero,
            hash: EntryHash(value: .zero),
            seen: seen
        )
    }

    /// The epoch that own entries are sealed under: the newest that is safe and complete, of those
    /// whose key we have. Without one, as for somebody who only reads, the deepest we have.
    var writeEpoch: EpochKey? { epochChoice?.newest.flatMap { epochs[$0] } }

    /// Whether a new epoch is due, which whoever writes next makes: of those whose key we have each
    /// is known to somebody who lost the right to read, or is missing to a member; or a member
    /// lacks an older key.
    public var needsEpoch: Bool { maySeal ? epochChoice?.isDue ?? false : mustHandOn }

    /// Whether a member lacks a key that this device has and nobody who may write is known to hand
    /// on. Then this device does, though it may not write any more: the record has no effect but
    /// that.
    public var mustHandOn: Bool { epochChoice?.isMissing == true && !maySeal && mayHandOn }

    private var mayHandOn: Bool {
        guard let membership, !needsRebuild, isMember,
            (membership.role(ofLog: ownLog) ?? .reader) >= .writer,
            let own = indexes[ownLog]
        else { return false }
        return logs[own].readEnd == logs[own].end
    }

    /// Works out which epoch to write under, after a record was folded or a key learned.
    mutating func chooseEpoch() {
        guard isEpochChoiceStale, let membership else { return }
        isEpochChoiceStale = false
        epochChoice = membership.choice(
            where: { epochs[$0] != nil },
            isHandedOn: { wrappedKeys[$0]?.contains($1) ?? false },
            isApplied: { place in
                indexes[place.log].map { logs[$0].applied > place.offset } ?? false
            }
        )
    }
}

extension Surroundings {
    /// Other randomness for another step within the same call.
    func separated(_ step: String) -> Surroundings {
        Surroundings(
            authorTime: authorTime,
            random: Hash.digest(.derive, [Array(step.utf8)], key: random.bytes)
        )
    }
}
