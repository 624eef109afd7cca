internal import SennitWire

// Whether a record's author had the right to it, in the record's own causal past. SPEC.md section
// 7.6. It is decided when the record is applied, which is after all that it has seen, and never
// again.

extension Membership {
    /// The record with what follows from its past.
    func judged(_ record: ControlRecord) -> ControlRecord {
        let past = controls.indices.filter { record.source.hasSeen(controls[$0].source) }
        var record = record
        record.rank = past.count
        record.depth = depth(of: record, past)
        if case .epoch = record.content {
            record.isAuthorised = mayWrite(record)
            return record
        }
        let before = past.count == controls.count ? state : resolved(past)
        record.seniority = before.seniority[record.author] ?? Limits.maximumSeniority
        switch record.content {
        case .invite(let clear, let invite):
            record.isAuthorised =
                invite.belongs(to: clear) && invite.role < .owner && isOwner(record, before)
        case .join(let join):
            judge(join, &record, before)
        case .changes(let changes, _):
            record.isAuthorised =
                isOwner(record, before) && isFitting(changes, record, past, before)
        case .epoch: break
        }
        return record
    }

    func mayWrite(_ record: ControlRecord) -> Bool {
        (logRoles[record.source.log] ?? .reader) >= .writer
    }

    private func isOwner(_ record: ControlRecord, _ before: MembershipState) -> Bool {
        mayWrite(record) && before.roles[record.author] == .owner
            && before.isLive(record.source.log)
    }

    /// Whether it changes what is there. A device can't remove itself: whoever makes the new key
    /// knows it.
    private func isFitting(
        _ changes: MembershipChanges,
        _ record: ControlRecord,
        _ past: [Int],
        _ before: MembershipState
    ) -> Bool {
        let earlier = past.count { index in
            controls[index].source.log == record.source.log && !controls[index].changes.isEmpty
        }
        guard earlier < Limits.maximumMembershipRecordCount else { return false }
        return changes.changes.allSatisfy { change in
            switch change {
            case .remove(let device):
                return before.roles[device] != nil && device != record.author
            case .role(let device, let role):
                return before.roles[device].map { $0 != role } ?? false
            case .revoke(let invite):
                return !before.closedInvites.contains(invite)
                    && before.joins.keys.contains { index in
                        guard case .invite(let clear, _) = controls[index].content else {
                            return false
                        }
                        return clear.invite == invite
                    }
            }
        }
    }

    /// A join counts if its invite is open in its past; the beginning of another log if the device
    /// is a member there.
    private func judge(
        _ join: JoinRecord,
        _ record: inout ControlRecord,
        _ before: MembershipState
    ) {
        guard join.device == record.author else { return }
        if join.isAgain {
            record.logRole = before.roles[join.device]
            record.isAuthorised = record.logRole != nil
            return
        }
        let own = openInvites(in: before).filter { $0.invite.clear.invite == join.invite }
        let first = own.min { controls[$0.index].source.precedes(controls[$1.index].source) }
        guard let first else { return }
        record.invite = first.index
        record.logRole = first.invite.record.role
        record.isAuthorised = true
    }

    private func depth(of record: ControlRecord, _ past: [Int]) -> Int {
        guard let epoch = record.epoch else { return 0 }
        let parents = Set(epoch.parents)
        let depths = past.compactMap { index in
            let known = controls[index]
            return known.epoch.map { parents.contains($0.epoch) } == true ? known.depth : nil
        }
        return (depths.max() ?? -1) + 1
    }
}

extension Membership {
    /// To whom the epoch of a membership record at `source` is sealed: to those who belong to the
    /// space after it. `nil` if the record would have no effect.
    public func recipients(
        after changes: MembershipChanges,
        from source: Source
    ) -> [EpochRecord.Recipient]? {
        var after = self
        after.apply(changes, EpochRecord.unsealed, from: source)
        guard after.state.effective.contains(after.controls.count - 1) else { return nil }
        return after.recipients
    }
}
