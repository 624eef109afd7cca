public import SennitWire

// Which epoch to write under. SPEC.md section 7.8.
//
// The idea: who can have an epoch's key follows from the records. Its author has it, the devices
// and invites it is sealed to, whoever joined by one of those, the invites whose box holds it; and
// whoever has the key of an epoch that follows it, because older keys are wrapped under newer ones.
// An epoch is safe if they all belong to the space, and complete if all who belong to it are among
// them. That is asked of the members as they are now: nothing depends on whether the author of an
// epoch knew who had been removed, only on whom the key was given to.

extension Membership {
    /// Every epoch that somebody who may write announced, by its key's id. If two records announced
    /// one then depth and author are those of the record that stands first by log id and offset.
    public var epochs: [EpochKeyID: Epoch] {
        let access = EpochAccess(self)
        return access.announced.mapValues { records in
            let first = first(of: records)
            let holders = access.holders(of: first.epoch?.epoch)
            return Epoch(
                record: first.epoch ?? .unsealed,
                author: first.author,
                depth: first.depth,
                isSafe: holders.isSubset(of: access.allowed),
                isComplete: access.isComplete(holders)
            )
        }
    }

    /// The epoch to write under: the deepest of those that are safe and complete, among them the
    /// one of the highest id. `nil` if there is none: then the next who may write makes one.
    public var currentEpoch: EpochKeyID? {
        epochs.filter { $0.value.isSafe && $0.value.isComplete }
            .max { ($0.value.depth, $0.key) < ($1.value.depth, $1.key) }?.key
    }

    /// Which epoch a device writes under, and whether it should announce another.
    /// - Parameters:
    ///   - isKnown: whether the device has the key.
    ///   - isHandedOn: whether it knows the second key to be wrapped under the first.
    ///   - isApplied: whether the entry there counts.
    /// - Complexity: O(records), and as much for each epoch that is newer than the one chosen or
    ///   isn't handed on by it.
    public func choice(
        where isKnown: (EpochKeyID) -> Bool,
        isHandedOn: (EpochKeyID, EpochKeyID) -> Bool,
        isApplied: (Position) -> Bool
    ) -> EpochChoice {
        let access = EpochAccess(self)
        let known = access.announced.filter { isKnown($0.key) }
            .map { (epoch: $0.key, depth: first(of: $0.value).depth, records: $0.value) }
            .sorted { ($0.depth, $0.epoch) > ($1.depth, $1.epoch) }
        let good = known.first { next in
            let holders = access.holders(of: next.epoch)
            return holders.isSubset(of: access.allowed) && access.isComplete(holders)
        }
        // The records may not tell that the author of a good epoch had a key and handed it on: it
        // may have come by a record that can't be read yet. Nothing that counts is sealed under an
        // epoch whose announcement doesn't.
        let isMissing = known.contains { next in
            next.epoch != good?.epoch
                && !(good.map { isHandedOn($0.epoch, next.epoch) } ?? false)
                && next.records.contains {
                    isApplied(Position(log: $0.source.log, offset: $0.source.offset))
                }
                && !access.isComplete(access.holders(of: next.epoch))
        }
        return EpochChoice(
            newest: (good ?? known.first)?.epoch,
            isDue: good == nil || isMissing,
            isMissing: isMissing
        )
    }

    private func first(of records: [ControlRecord]) -> ControlRecord {
        records.min { $0.source.precedes($1.source) } ?? records[0]
    }

    /// Epochs that no other one follows, ascending: the parents of the next. At most
    /// `Limits.maximumEpochParentCount`, the deepest.
    /// - Parameter isKnown: whether the key is known, so that it can be wrapped under the next.
    public func latestEpochs(where isKnown: (EpochKeyID) -> Bool) -> [EpochKeyID] {
        let epochs = epochs.filter { isKnown($0.key) }
        let followed = Set(epochs.values.flatMap(\.record.parents))
        return epochs.filter { !followed.contains($0.key) }
            .sorted { ($0.value.depth, $0.key) > ($1.value.depth, $1.key) }
            .prefix(Limits.maximumEpochParentCount)
            .map(\.key).sorted()
    }
}

/// Which epoch to write under, and whether there should be a new one.
public struct EpochChoice: Hashable, Sendable {
    /// The epoch to write under; one that isn't safe or complete if no other is known.
    public let newest: EpochKeyID?
    /// Whether whoever writes next announces a new one.
    public let isDue: Bool
    /// Whether a member lacks a key that the device has.
    public let isMissing: Bool
}

/// Who can have the key of each epoch.
private struct EpochAccess {
    /// Who was given a key.
    enum Holder: Hashable {
        case device(DeviceKey)
        case agreement(AgreementKey)
        case invite(AgreementKey)
    }

    /// A record by which its author gives a key to others.
    struct Gift {
        let author: DeviceKey
        let receivers: Set<Holder>
        /// The epoch it announces; `nil` for an invite's box.
        let epoch: EpochKeyID?
    }

    /// The records that announce each epoch.
    var announced: [EpochKeyID: [ControlRecord]] = [:]
    /// Who belongs to the space: members, and invites that aren't closed, be they used up or not.
    var allowed: Set<Holder> = []
    /// Who must be able to read: members and open invites.
    var required: Set<Holder> = []

    // Who makes an epoch has its key; who hands an older one on, in a box or wrapped under a newer
    // epoch, must have had that.
    private var gifts: [EpochKeyID: [Gift]] = [:]
    private var handedOn: [EpochKeyID: [Gift]] = [:]
    // The keys by which each device reads, whether it still is a member or not.
    private var keys: [DeviceKey: Set<Holder>] = [:]

    init(_ membership: Membership) {
        keys[membership.genesis.founder] = [.agreement(membership.genesis.founderAgreement)]
        for record in membership.controls where record.isAuthorised || record.epoch != nil {
            switch record.content {
            case .invite(let clear, _):
                let gift = Gift(
                    author: record.author,
                    receivers: [.invite(clear.agreement)],
                    epoch: nil
                )
                handedOn[clear.epoch, default: []].append(gift)
            case .join(let join):
                keys[join.device, default: []].insert(.agreement(join.agreement))
                guard let invite = record.invite,
                    case .invite(let clear, _) = membership.controls[invite].content
                else { continue }
                keys[join.device, default: []].insert(.invite(clear.agreement))
            case .epoch(let epoch), .changes(_, let epoch):
                if membership.mayWrite(record) { take(epoch, record) }
            }
        }
        let state = membership.state
        for device in state.roles.keys {
            allowed.insert(.device(device))
            required.insert(.device(device))
        }
        for agreement in state.agreements.values.joined() { allowed.insert(.agreement(agreement)) }
        for index in state.joins.keys {
            guard case .invite(let clear, _) = membership.controls[index].content,
                !state.closedInvites.contains(clear.invite)
            else { continue }
            allowed.insert(.invite(clear.agreement))
        }
        for open in membership.openInvites { required.insert(.invite(open.clear.agreement)) }
    }

    private mutating func take(_ epoch: EpochRecord, _ record: ControlRecord) {
        announced[epoch.epoch, default: []].append(record)
        let receivers = epoch.recipients.map { recipient -> Holder in
            switch recipient.kind {
            case .device: .agreement(recipient.agreement)
            case .invite: .invite(recipient.agreement)
            }
        }
        let gift = Gift(
            author: record.author,
            receivers: Set(receivers + [.device(record.author)]),
            epoch: epoch.epoch
        )
        gifts[epoch.epoch, default: []].append(gift)
        for parent in epoch.parents { handedOn[parent, default: []].append(gift) }
    }

    /// Who was given the key, by whoever had it.
    func holders(of epoch: EpochKeyID?) -> Set<Holder> {
        guard let epoch else { return [] }
        var holders: Set<Holder> = []
        for gift in gifts[epoch] ?? [] { holders.formUnion(gift.receivers) }
        var visited: Set<EpochKeyID> = [epoch]
        var open = handedOn[epoch] ?? []
        while true {
            let count = open.count
            var next: [Gift] = []
            open.removeAll { gift in
                guard isReader(gift.author, among: holders) else { return false }
                holders.formUnion(gift.receivers)
                if let newer = gift.epoch, visited.insert(newer).inserted {
                    next += handedOn[newer] ?? []
                }
                return true
            }
            if open.count == count { return holders }
            open += next
        }
    }

    /// Whether all who must read are among holders.
    func isComplete(_ holders: Set<Holder>) -> Bool {
        required.allSatisfy { reader in
            if case .device(let device) = reader { return isReader(device, among: holders) }
            return holders.contains(reader)
        }
    }

    private func isReader(_ device: DeviceKey, among holders: Set<Holder>) -> Bool {
        holders.contains(.device(device)) || !holders.isDisjoint(with: keys[device] ?? [])
    }
}
