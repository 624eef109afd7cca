#if PostgreSQL
import Foundation
import RelayStorage
import SennitWire
import Synchronization

// Group commit: whatever waits goes into one transaction, sent in one go, with one COMMIT. There
// is no timer; the next group is what came meanwhile.
//
// The answer to COMMIT is the only thing that an ack rests on. If it doesn't come, or comes with
// a warning (a wait for a standby that was cancelled by hand), the group is *in doubt*. Each
// transaction writes its group's number into the relay's own row of `nodes`. So after
// reconnecting, `take_node` on that row tells:
//
// - it waits for the old transaction if the server still has it, for that holds the row;
// - it raises the row's generation, without which the old transaction can't write it any more;
// - it returns the last group's number: that of the group in doubt, or an earlier one;
// - it is itself committed as appends are, so what was found then is on the standbys too.
//
//     COMMIT (group 7) ──► no answer ──► connect ──► take_node: 7 ──► ack
//                                                    take_node: 6 ──► judge and send again

extension PostgresShard {
    /// What the committer thread works with.
    struct Committing: @unchecked Sendable {
        // Safe, because it is reached through a mutex only and no part of it is let out.
        var connection: PostgresConnection?
        var generation: Int64 = 0
        var lastGroup: Int64 = 0
        var ledger = Ledger()
        var marks = RaceMarks()
        /// When the next connection is tried, after one failed.
        var pause: Deadline?
        var pauseTime = Duration.zero
        var commitCount: UInt64 = 0
        /// Submissions that may have lost a race and weren't told yet.
        private var losers: [UInt64: PostgresSubmission] = [:]

        /// Lets logs go on whose losers were told.
        mutating func settleRaces(_ group: [Item]) {
            if marks.isEmpty {
                losers = [:]
                return
            }
            for item in group { losers[item.submission.number] = item.submission }
            let last = group.last?.submission.number ?? 0
            marks.tell(judged: last) { losers[$0]?.lastUninformed }
            losers = losers.filter { marks.isAwaited($0.key) }
        }
    }

    private enum Outcome {
        case committed
        /// Nothing was stored; others were faster.
        case overtaken
        case refused(PostgresFailure)
        case inDoubt
    }

    private static let groupByteCount = 8 << 20
    private static let groupCount = 2048
    private static let maximumAttemptCount = 16

    /// Stores what is queued.
    func commitAll() {
        while true {
            let group = takeGroup()
            if group.isEmpty { break }
            let results = committing.withLock { commit(group, &$0) }
            for (item, result) in zip(group, results) {
                item.submission.settle(item.index, result)
            }
            settled()
            committing.withLock { $0.settleRaces(group) }
        }
        // Woken without work: to see whether the server is there, or there again.
        let isInQuestion = isInQuestion.exchange(false, ordering: .sequentiallyConsistent)
        guard isInQuestion || outage != nil, !isStopping.load(ordering: .sequentiallyConsistent)
        else { return }
        committing.withLock { committing in
            guard let known = committing.connection else {
                _ = try? self.connection(&committing, until: .after(.zero))
                return
            }
            do throws(PostgresFailure) {
                try known.run("SELECT 1", until: .after(options.connectTimeout))
            } catch {
                _ = fail(error, &committing)
            }
        }
    }

    /// The next units that share a transaction. The removal of a space stands alone.
    private func takeGroup() -> [Item] {
        queue.withLock { queue in
            var count = 0
            var byteCount = 0
            for item in queue.items {
                let isRemoval = item.unit.contains { change in
                    if case .removeSpace = change { true } else { false }
                }
                if count > 0, isRemoval || byteCount + item.byteCount > Self.groupByteCount {
                    break
                }
                count += 1
                byteCount += item.byteCount
                if isRemoval || count == Self.groupCount { break }
            }
            let group = Array(queue.items.prefix(count))
            queue.items.removeFirst(count)
            return group
        }
    }

    private func commit(_ group: [Item], _ committing: inout Committing) -> [StorageError?] {
        var failure = StorageError.failed(path: location, reason: "others were always faster")
        // Units differ in how long they may wait; the one that came last may wait longest.
        let holdDeadline = group.map(\.deadline).max() ?? .after(.zero)
        var inDoubt: (plan: GroupPlan, number: Int64)?
        var began = ContinuousClock.now
        for _ in 0..<Self.maximumAttemptCount {
            do throws(StorageError) {
                let connection = try connection(&committing, until: holdDeadline)
                if let (plan, number) = inDoubt {
                    inDoubt = nil
                    if committing.lastGroup == number {
                        return finish(group, plan, began, &committing)
                    }
                }
                let plan = try self.plan(group, connection, &committing)
                if plan.isEmpty {
                    committing.marks = plan.marks
                    return plan.results
                }
                let number = committing.lastGroup + 1
                began = .now
                switch try send(plan, number, connection, &committing) {
                case .committed:
                    committing.lastGroup = number
                    return finish(group, plan, began, &committing)
                case .overtaken: forget(group, &committing)
                case .inDoubt:
                    inDoubt = (plan, number)
                    committing.connection = nil
                case .refused(let refusal):
                    failure = refusal.storageError(location)
                    return fail(group, plan.results, failure, &committing)
                }
            } catch {
                failure = error
                guard case .unavailable = error, !holdDeadline.isOver else { break }
            }
        }
        return fail(group, group.map { _ in nil }, failure, &committing)
    }

    /// Gives a group up.
    /// - Parameter results: of its units; those that fitted get `failure`.
    private func fail(
        _ group: [Item],
        _ results: [StorageError?],
        _ failure: StorageError,
        _ committing: inout Committing
    ) -> [StorageError?] {
        // What is known in memory may be of a group that is stored, or isn't.
        committing.ledger = Ledger()
        // What was judged as if these units were stored must not find another relay's in their
        // place, and be put behind that.
        for item in group {
            var subjects = Subjects()
            subjects.add(item.unit)
            let number = item.submission.number
            for log in subjects.logs { committing.marks.lose(.log(log), by: number) }
            for space in subjects.spaces { committing.marks.lose(.space(space), by: number) }
        }
        figures.withLock { $0.addFailure() }
        return results.map { $0 ?? failure }
    }

    private func finish(
        _ group: [Item],
        _ plan: GroupPlan,
        _ began: ContinuousClock.Instant,
        _ committing: inout Committing
    ) -> [StorageError?] {
        let changeCount = zip(group, plan.results).reduce(0) { count, unit in
            count + (unit.1 == nil ? unit.0.unit.count : 0)
        }
        figures.withLock { figures in
            figures.addSync(
                byteCount: plan.byteCount,
                changeCount: changeCount,
                took: .now - began
            )
        }
        plan.apply(to: &committing.ledger)
        committing.ledger.forgetSome()
        committing.marks = plan.marks
        committing.commitCount += 1
        countSpaces(plan.spaceCountChange)
        watching.withLock { watching in
            for (log, growth) in plan.growths {
                watching.note(log, in: growth.space, first: growth.first, end: growth.end)
            }
        }
        hint(plan)
        return plan.results
    }

    // MARK: Judging

    /// What units are about.
    private struct Subjects {
        var spaces: Set<SpaceID> = []
        var logs: Set<LogID> = []

        mutating func add(_ unit: StorageUnit) {
            for change in unit {
                switch change {
                case .createSpace(let genesis): spaces.insert(genesis.spaceID)
                case .setAccess(let list): spaces.insert(list.space)
                case .admit(_, _, let space), .forget(_, let space), .removeSpace(let space):
                    spaces.insert(space)
                case .createLog(let descriptor, let space):
                    spaces.insert(space)
                    logs.insert(descriptor.logID(in: space))
                case .append(_, let log), .truncate(_, let log): logs.insert(log)
                }
            }
        }
    }

    private func forget(_ group: [Item], _ committing: inout Committing) {
        var subjects = Subjects()
        for item in group { subjects.add(item.unit) }
        for space in subjects.spaces { committing.ledger.spaces[space] = nil }
        for log in subjects.logs { committing.ledger.logs[log] = nil }
    }

    /// Reads what isn't known of the group's subjects, and judges its units.
    private func plan(
        _ group: [Item],
        _ connection: PostgresConnection,
        _ committing: inout Committing
    ) throws(StorageError) -> GroupPlan {
        var unknown = Subjects()
        for item in group { unknown.add(item.unit) }
        // What was only read, and long ago perhaps, is read again.
        unknown.spaces = unknown.spaces.filter { committing.ledger.spaces[$0]?.isFresh ?? true }
        unknown.logs = unknown.logs.filter { committing.ledger.logs[$0]?.isFresh ?? true }
        for space in unknown.spaces { committing.ledger.spaces[space] = nil }
        for log in unknown.logs { committing.ledger.logs[log] = nil }
        try load(unknown, connection, &committing)
        let plan = judge(group, committing)
        // What was refused by hearsay: this relay's memory may be behind.
        var doubtful = Subjects()
        for (item, result) in zip(group, plan.results) where result != nil {
            doubtful.add(item.unit)
        }
        var spaces: [SpaceID: Ledger.Space] = [:]
        for space in doubtful.spaces {
            if let known = committing.ledger.spaces[space], !known.isFresh { spaces[space] = known }
        }
        var logs: [LogID: Ledger.Log] = [:]
        for log in doubtful.logs {
            if let known = committing.ledger.logs[log], !known.isFresh { logs[log] = known }
        }
        if spaces.isEmpty, logs.isEmpty { return plan }
        doubtful = Subjects(spaces: Set(spaces.keys), logs: Set(logs.keys))
        for space in spaces.keys { committing.ledger.spaces[space] = nil }
        for log in logs.keys { committing.ledger.logs[log] = nil }
        try load(doubtful, connection, &committing)
        // Where nobody else wrote, nothing is news.
        for (space, var known) in spaces {
            let found = committing.ledger.spaces[space]
            known.isFresh = true
            if found == known { committing.ledger.spaces[space]?.isFresh = false }
        }
        for (log, var known) in logs {
            let found = committing.ledger.logs[log]
            known.isFresh = true
            if found == known { committing.ledger.logs[log]?.isFresh = false }
        }
        return judge(group, committing)
    }

    private func judge(_ group: [Item], _ committing: Committing) -> GroupPlan {
        var plan = GroupPlan(marks: committing.marks)
        for item in group {
            plan.judge(item.unit, submission: item.submission.number, committing.ledger)
        }
        return plan
    }

    /// Reads what the database has of spaces and logs.
    private func load(
        _ subjects: Subjects,
        _ connection: PostgresConnection,
        _ committing: inout Committing
    ) throws(StorageError) {
        do throws(PostgresFailure) {
            let deadline = Deadline.after(options.commitTimeout)
            if !subjects.spaces.isEmpty {
                let names = PostgresParameter.byteStrings(subjects.spaces.map(\.bytes))
                let rows = try connection.run(.spaceStates, [names], until: deadline)
                for row in 0..<rows.count {
                    guard let space = rows.bytes(row, 0).flatMap({ SpaceID($0) }) else { continue }
                    committing.ledger.spaces[space] = Ledger.Space(
                        accessHash: rows.bytes(row, 1) ?? [],
                        accessVersion: UInt64(clamping: rows.integer(row, 2) ?? 0),
                        isFresh: true
                    )
                }
            }
            if !subjects.logs.isEmpty {
                let names = PostgresParameter.byteStrings(subjects.logs.map(\.bytes))
                let rows = try connection.run(.logStates, [names], until: deadline)
                for row in 0..<rows.count {
                    guard let log = rows.bytes(row, 0).flatMap({ LogID($0) }),
                        let number = rows.integer(row, 1),
                        let space = rows.bytes(row, 2).flatMap({ SpaceID($0) })
                    else { continue }
                    committing.ledger.logs[log] = Ledger.Log(
                        number: number,
                        space: space,
                        end: UInt64(clamping: rows.integer(row, 3) ?? 0),
                        start: UInt64(clamping: rows.integer(row, 4) ?? 0),
                        isFresh: true
                    )
                }
            }
        } catch {
            throw fail(error, &committing)
        }
    }

    // MARK: Sending

    private func send(
        _ plan: GroupPlan,
        _ number: Int64,
        _ connection: PostgresConnection,
        _ committing: inout Committing
    ) throws(StorageError) -> Outcome {
        let mark = PostgresCall(
            .markGroup,
            .bytes(node),
            .integer(committing.generation),
            .integer(number)
        )
        let calls = [.init(statement: .begin)] + plan.calls + [mark, .init(statement: .commit)]
        let deadline = Deadline.after(options.commitTimeout)
        connection.clearWarning()
        do throws(PostgresFailure) {
            let results = try connection.run(pipeline: calls, until: deadline)
            guard case .success(let rows) = results.last, rows.command == "COMMIT" else {
                let refusals = results.compactMap { result -> PostgresFailure? in
                    if case .failure(let refusal) = result { refusal } else { nil }
                }
                let refusal = refusals.first ?? PostgresFailure(.refused(state: ""), "rolled back")
                try connection.run("ROLLBACK", until: deadline)
                return refusal.isTransient ? .overtaken : .refused(refusal)
            }
            return connection.hasWarning ? .inDoubt : .committed
        } catch {
            _ = fail(error, &committing)
            return .inDoubt
        }
    }
}
#endif
