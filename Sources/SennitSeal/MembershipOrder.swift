internal import SennitWire

// The one order in which records are taken. SPEC.md section 7.6.
//
// Records that take something (membership records, but for those that only make owners) come as
// early as they can: the most senior author's first, of equals the one that has seen fewest, and
// before each all that it has seen, in this same order. Then the rest, by how many records each has
// seen. Whoever has seen a record has seen all that it has seen and the record, so that count rises
// along the causal order; the entry hash decides between equals. Example, with `A -> B` for A
// removes B, A the senior, none having seen another: `A -> B`, then `B -> A`, which has no effect.

extension ControlRecord {
    /// Whether it takes its place before others.
    fileprivate var isTaking: Bool {
        changes.contains { change in
            if case .role(_, .owner) = change { false } else { true }
        }
    }

    fileprivate func isTaken(before other: ControlRecord) -> Bool {
        (isTaking ? seniority : 0, rank, source.hash)
            < (isTaking ? other.seniority : 0, other.rank, other.source.hash)
    }
}

/// Puts records in order.
struct MembershipOrder {
    private let records: [ControlRecord]
    private var isPlaced: [Bool]
    private var order: [Int] = []

    init(_ records: [ControlRecord]) {
        self.records = records
        isPlaced = [Bool](repeating: false, count: records.count)
    }

    /// The records at `indices`, which hold all that each of them has seen, in order.
    /// - Complexity: O(n t) for n records of which t take something.
    consuming func placing(_ indices: [Int]) -> [Int] {
        place(indices)
        return order
    }

    // It calls itself for a record's past, in which all that take something and aren't placed yet
    // have less senior authors: at most `Limits.maximumSeniority` times.
    private mutating func place(_ indices: [Int]) {
        let takings = indices.filter { records[$0].isTaking }
        for taking in takings.sorted(by: { records[$0].isTaken(before: records[$1]) })
        where !isPlaced[taking] {
            let source = records[taking].source
            place(indices.filter { !isPlaced[$0] && source.hasSeen(records[$0].source) })
            append(taking)
        }
        let rest = indices.filter { !isPlaced[$0] }
        for index in rest.sorted(by: { records[$0].isTaken(before: records[$1]) }) {
            append(index)
        }
    }

    private mutating func append(_ index: Int) {
        order.append(index)
        isPlaced[index] = true
    }
}
