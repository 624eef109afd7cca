internal import SennitWire

// A control record as membership keeps it: what it says, where it stands, and what follows from its
// own causal past alone. SPEC.md section 7.6.

/// Something that an entry says, with the entry.
struct Attributed<Value: Sendable>: Sendable {
    let value: Value
    let source: Membership.Source
}

/// One record that membership follows from.
struct ControlRecord: Sendable {
    enum Content: Sendable {
        case invite(InviteClear, InviteRecord)
        case join(JoinRecord)
        case epoch(EpochRecord)
        case changes(MembershipChanges, EpochRecord)
    }

    let content: Content
    let source: Membership.Source

    /// Whether its author had the right in the record's own past. Never changes.
    var isAuthorised = false
    /// How many grants lie between the founder and the author's right to own.
    var seniority = 0
    /// How many control records it has seen.
    var rank = 0
    /// For a join by an invite: the index of the invite's record.
    var invite: Int?
    /// For a join: what its log may do.
    var logRole: Role?
    /// For an epoch: 1 more than the deepest of its parents that its author had seen.
    var depth = 0

    init(_ content: Content, from source: Membership.Source) {
        self.content = content
        self.source = source
    }

    var author: DeviceKey { source.author.device }

    /// What it changes; nothing unless it is a membership record.
    var changes: [MembershipChange] {
        if case .changes(let changes, _) = content { changes.changes } else { [] }
    }

    /// The epoch it announces, if it does.
    var epoch: EpochRecord? {
        switch content {
        case .epoch(let epoch), .changes(_, let epoch): epoch
        case .invite, .join: nil
        }
    }

    var join: JoinRecord? {
        if case .join(let join) = content { join } else { nil }
    }
}
