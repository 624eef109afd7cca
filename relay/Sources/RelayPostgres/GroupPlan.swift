#if PostgreSQL
import RelayStorage
import SennitWire

// What a group of units comes to: each is judged against what the relay knows, in order, and what
// fits is gathered into one transaction. Nothing is asked and nothing is sent here.
//
//     known: a ends at 4     units [a: 4..<6] [a: 6..<7] [b: 0..<1, made here] [a: 9..<10]
//     results                ok        ok        ok                    conflict: a ends at 7
//     transaction            make b; move a from 4 to 7 and b from 0 to 1; three batches
//
// What is known may be wrong: another relay has moved `a`. Then its guard stops the transaction,
// what is known is read again, and the same units are judged once more. So are units that don't
// fit: what they don't fit is read again before they are refused.

/// A group's transaction, and what each of its units comes to.
struct GroupPlan {
    /// A log's end as the transaction moves it.
    private struct Move {
        let expected: UInt64
        var head: Head
    }

    /// One unit's changes, until it is known to fit.
    private struct Draft {
        var spaces: [SpaceID: Ledger.Space] = [:]
        var logs: [LogID: Ledger.Log] = [:]
        var newSpaces: Set<SpaceID> = []
        var newLogs: Set<LogID> = []
        var early: [PostgresCall] = []
        var late: [PostgresCall] = []
        var batches: [(log: LogID, number: Int64, batch: Batch, expected: UInt64)] = []
        var changedSpaces: [SpaceID] = []
    }

    /// Of each unit that was judged.
    private(set) var results: [StorageError?] = []
    /// Logs that grew, with where they did from.
    private(set) var growths: [LogID: (space: SpaceID, first: UInt64, end: UInt64)] = [:]
    /// Spaces whose list or admissions changed, and those that came or went.
    private(set) var changedSpaces: Set<SpaceID> = []
    /// How many spaces there are more.
    private(set) var spaceCountChange = 0
    var marks: RaceMarks

    private var spaces: [SpaceID: Ledger.Space] = [:]
    private var logs: [LogID: Ledger.Log] = [:]
    private var removed: SpaceID?
    private var early: [PostgresCall] = []
    private var late: [PostgresCall] = []
    private var moves: [LogID: Move] = [:]
    private var numbers: [Int64] = []
    private var ends: [Int64] = []
    private var firsts: [Int64] = []
    private var entries: [[UInt8]] = []
    private var heads: [[UInt8]] = []

    init(marks: RaceMarks) { self.marks = marks }

    /// Whether nothing is to be stored.
    var isEmpty: Bool { early.isEmpty && late.isEmpty && moves.isEmpty }

    /// Bytes of the batches.
    var byteCount: Int { zip(entries, heads).reduce(0) { $0 + $1.0.count + $1.1.count } }

    /// Judges the next unit.
    mutating func judge(_ unit: StorageUnit, submission: UInt64, _ ledger: Ledger) {
        var draft = Draft()
        do throws(StorageError) {
            for change in unit { try judge(change, &draft, submission, ledger) }
            take(draft)
            results.append(nil)
        } catch {
            results.append(error)
        }
    }

    /// What is known once the transaction is committed.
    func apply(to ledger: inout Ledger) {
        ledger.spaces.merge(spaces) { $1 }
        ledger.logs.merge(logs) { $1 }
        guard let removed else { return }
        ledger.spaces[removed] = nil
        ledger.logs = ledger.logs.filter { $0.value.space != removed }
    }

    /// The statements between BEGIN and COMMIT.
    var calls: [PostgresCall] {
        var calls = early
        if !moves.isEmpty {
            let sorted = moves.sorted { $0.key < $1.key }
            calls.append(
                PostgresCall(
                    statement: .moveEnds,
                    parameters: [
                        .byteStrings(sorted.map(\.key.bytes)),
                        .integers(sorted.map { Int64($0.value.expected) }),
                        .integers(sorted.map { Int64($0.value.head.end.value) }),
                        .integers(sorted.map { Int64(clamping: $0.value.head.byteCount) }),
                        .byteStrings(sorted.map(\.value.head.rowBytes)),
                        .integer(Int64(sorted.count)),
                    ]
                )
            )
            calls.append(
                PostgresCall(
                    statement: .addBatches,
                    parameters: [
                        .integers(numbers), .integers(ends), .integers(firsts),
                        .byteStrings(entries), .byteStrings(heads),
                    ]
                )
            )
        }
        return calls + late
    }

    private mutating func take(_ draft: Draft) {
        spaces.merge(draft.spaces) { $1 }
        logs.merge(draft.logs) { $1 }
        early += draft.early
        late += draft.late
        changedSpaces.formUnion(draft.changedSpaces)
        spaceCountChange += draft.newSpaces.count
        for (log, number, batch, expected) in draft.batches {
            moves[log, default: Move(expected: expected, head: batch.head)].head = batch.head
            numbers.append(number)
            ends.append(Int64(batch.end.value))
            firsts.append(Int64(batch.first.value))
            entries.append(batch.rowEntries)
            heads.append(batch.head.rowBytes)
            guard let space = logs[log]?.space else { continue }
            growths[log, default: (space, batch.first.value, 0)].end = batch.end.value
        }
    }

    private func find(_ space: SpaceID, _ draft: Draft, _ ledger: Ledger) -> Ledger.Space? {
        draft.spaces[space] ?? spaces[space] ?? ledger.spaces[space]
    }

    private func find(_ log: LogID, _ draft: Draft, _ ledger: Ledger) -> Ledger.Log? {
        draft.logs[log] ?? logs[log] ?? ledger.logs[log]
    }

    private func require(
        _ space: SpaceID,
        _ draft: Draft,
        _ ledger: Ledger
    ) throws(StorageError) -> Ledger.Space {
        guard let found = find(space, draft, ledger) else {
            throw .unfit(reason: "there is no space \(space)")
        }
        return found
    }

    private mutating func judge(
        _ change: StorageChange,
        _ draft: inout Draft,
        _ submission: UInt64,
        _ ledger: Ledger
    ) throws(StorageError) {
        switch change {
        case .append(let batch, let log):
            try judge(batch, log, &draft, submission, ledger)
        case .createLog(let descriptor, let space):
            try judge(descriptor, space, &draft, ledger)
        case .truncate(let head, let log): try judge(head, log, &draft, ledger)
        case .setAccess(let list): try judge(list, &draft, submission, ledger)
        case .createSpace(let genesis):
            let id = genesis.spaceID
            guard find(id, draft, ledger) == nil else {
                throw .unfit(reason: "space \(id) is there already")
            }
            draft.spaces[id] = Ledger.Space()
            draft.newSpaces.insert(id)
            draft.changedSpaces.append(id)
            draft.early.append(.init(.createSpace, .bytes(id.bytes), .bytes(genesis.bytes)))
        case .admit(let device, let invite, let space):
            _ = try require(space, draft, ledger)
            draft.changedSpaces.append(space)
            draft.early.append(
                .init(.admit, .bytes(space.bytes), .bytes(device.bytes), .bytes(invite.bytes))
            )
        case .forget(let devices, let space):
            _ = try require(space, draft, ledger)
            draft.changedSpaces.append(space)
            draft.early.append(
                .init(.forget, .bytes(space.bytes), .byteStrings(devices.map(\.bytes)))
            )
        case .removeSpace(let space): try judgeRemoval(of: space, &draft, ledger)
        }
    }

    private mutating func judgeRemoval(
        of space: SpaceID,
        _ draft: inout Draft,
        _ ledger: Ledger
    ) throws(StorageError) {
        _ = try require(space, draft, ledger)
        removed = space
        spaceCountChange -= 1
        draft.changedSpaces.append(space)
        for statement in [PostgresStatement.discardLogs, .dropAdmissions, .dropSpace] {
            draft.early.append(.init(statement, .bytes(space.bytes)))
        }
    }

    private mutating func judge(
        _ list: AccessList,
        _ draft: inout Draft,
        _ submission: UInt64,
        _ ledger: Ledger
    ) throws(StorageError) {
        let space = list.space
        var known = try require(space, draft, ledger)
        let hash = list.hash.bytes
        // A list that skips versions is a copy of another storage's, made by who looked first.
        let follows =
            known.accessHash.isEmpty || known.accessHash == hash
            || known.accessHash == list.previous.bytes
            || list.version > known.accessVersion && list.version - known.accessVersion > 1
        let isAllowed = marks.allows(.space(space), submission: submission)
        guard isAllowed, follows || !known.isFresh else {
            if known.isFresh, !follows { marks.lose(.space(space), by: submission) }
            throw .unfit(reason: "space \(space) has another access list by now")
        }
        draft.early.append(
            .init(
                .setAccess,
                .bytes(space.bytes),
                .bytes(list.bytes),
                .bytes(hash),
                .integer(Int64(clamping: list.version)),
                .bytes(known.accessHash)
            )
        )
        known.accessHash = hash
        known.accessVersion = list.version
        known.isFresh = false
        draft.spaces[space] = known
        draft.changedSpaces.append(space)
    }

    private func judge(
        _ descriptor: LogDescriptor,
        _ space: SpaceID,
        _ draft: inout Draft,
        _ ledger: Ledger
    ) throws(StorageError) {
        _ = try require(space, draft, ledger)
        let id = descriptor.logID(in: space)
        guard find(id, draft, ledger) == nil else {
            throw .unfit(reason: "log \(id) is there already")
        }
        let number = Int64.random(in: 1...Int64.max)
        draft.logs[id] = Ledger.Log(number: number, space: space, end: 0, start: 0)
        draft.newLogs.insert(id)
        draft.early.append(
            .init(
                .createLog,
                .bytes(id.bytes),
                .integer(number),
                .bytes(space.bytes),
                .bytes(descriptor.device.bytes),
                .bytes(descriptor.incarnation.bytes)
            )
        )
    }

    private mutating func judge(
        _ batch: Batch,
        _ log: LogID,
        _ draft: inout Draft,
        _ submission: UInt64,
        _ ledger: Ledger
    ) throws(StorageError) {
        guard var known = find(log, draft, ledger) else {
            throw .unfit(reason: "there is no log \(log)")
        }
        let fits = batch.first.value == known.end
        guard fits, marks.allows(.log(log), submission: submission) else {
            if known.isFresh, !fits { marks.lose(.log(log), by: submission) }
            throw .conflict(log: log, end: Offset(known.end))
        }
        guard (1...Limits.maximumBatchCount).contains(batch.packed.count),
            batch.end.value <= Limits.maximumOffset,
            batch.end.value == known.end + UInt64(batch.packed.count)
        else { throw .unfit(reason: "the head isn't that of the batch") }
        draft.batches.append((log, known.number, batch, known.end))
        known.end = batch.end.value
        known.isFresh = false
        draft.logs[log] = known
    }

    private func judge(
        _ head: Head,
        _ log: LogID,
        _ draft: inout Draft,
        _ ledger: Ledger
    ) throws(StorageError) {
        guard var known = find(log, draft, ledger) else {
            throw .unfit(reason: "there is no log \(log)")
        }
        let place = head.end.value
        guard known.end == 0 || place <= known.end, place > 0, place <= Limits.maximumOffset
        else { throw .unfit(reason: "log \(log) ends before the head it is to begin at") }
        guard place > known.start else { return }
        let values: [PostgresParameter] = [
            .bytes(log.bytes), .integer(Int64(place)), .integer(Int64(clamping: head.byteCount)),
            .bytes(head.rowBytes),
        ]
        if known.end == 0 {
            draft.early.append(PostgresCall(statement: .beginAt, parameters: values))
            known.end = place
        } else {
            draft.late.append(PostgresCall(statement: .moveStart, parameters: values))
            draft.late.append(.init(.discard, .integer(known.number), .integer(Int64(place))))
        }
        known.start = place
        draft.logs[log] = known
    }
}

extension PostgresCall {
    init(_ statement: PostgresStatement, _ parameters: PostgresParameter...) {
        self.init(statement: statement, parameters: parameters)
    }
}
#endif
