internal import SennitWire

// Which joins of one invite count. SPEC.md section 7.4.
//
// A join counts if it has seen fewer than `uses` others that count. That is a function of its
// causal past alone, so a device that is in stays in, whoever turns up later and in whatever order,
// and all replicas agree about every entry it wrote. The price: people who join by one invite
// without having seen each other all get in, as many as they are. Example, with one use: B and C
// join without having seen each other, and D has seen C. B and C count, D doesn't.

/// Something that an entry says, with the entry.
struct Attributed<Value: Sendable>: Sendable {
    let value: Value
    let source: Membership.Source
}

/// An invite that counts, and everybody who came by it.
struct InviteUse: Sendable {
    let clear: InviteClear
    let record: InviteRecord
    let source: Membership.Source

    /// The joins that use it up.
    private(set) var counting: [Attributed<JoinRecord>] = []

    private var seen: Set<LogID> = []

    init(clear: InviteClear, record: InviteRecord, source: Membership.Source) {
        self.clear = clear
        self.record = record
        self.source = source
    }

    /// Adds a join; it comes after those it has seen.
    /// - Returns: whether it counts.
    /// - Complexity: O(n) for n joins that count.
    mutating func add(_ join: JoinRecord, from source: Membership.Source) -> Bool {
        guard seen.insert(source.log).inserted else { return false }
        let used = counting.count { source.hasSeen($0.source) }
        guard UInt64(used) < record.uses else { return false }
        counting.append(Attributed(value: join, source: source))
        return true
    }
}
