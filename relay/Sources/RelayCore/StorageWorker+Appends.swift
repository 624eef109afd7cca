import RelayStorage
import SennitWire

// Judging appends, a run at a time.

extension StorageWorker {
    func judge(
        _ run: AppendRun,
        _ job: Committer.Job,
        _ group: inout Judged
    ) throws(StorageError) {
        func refuse(_ refusal: Refusal) {
            group.answers.append((job, job.request.refused(refusal), nil))
        }
        guard let access = try access(of: run.space),
            access.allowsAppend(by: run.author, from: run.device)
        else { return refuse(.notMember("the log's author may not append")) }
        var known = try tail(of: run.log)
        // Another relay on the same storage may have moved it.
        if storage.isShared, run.appends.first?.from != known?.end ?? .zero, forget(run.log) {
            known = try tail(of: run.log)
        }
        if known == nil {
            let newCount = inFlight.newLogCounts[run.space, default: 0]
            guard try storage.logCount(of: run.space) + newCount < Limits.maximumLogCount else {
                return refuse(Refusal(code: .quotaExceeded, reason: "the space has too many logs"))
            }
        }
        if let known, let first = run.appends.first, let start = first.start,
            known.precedes(from: first.from, chain: start.chain, byteCount: start.byteCount),
            try isCharged(run, access)
        {
            return append(run, after: known, job, &group)
        }
        try judgeEach(run, after: known, isGuest: access.isGuest(run.author), job, &group)
    }

    /// Charges the space with a whole run, if there is room for it.
    private func isCharged(
        _ run: AppendRun,
        _ access: SpaceAccess
    ) throws(StorageError) -> Bool {
        let position = Position(log: run.log, offset: run.appends.first?.from ?? .zero)
        let charge = Governance.Charge(run, isGuest: access.isGuest(run.author))
        return try governor?.charge(charge, at: position) == nil
    }

    /// Reserves a run that follows on from `tail`: its appends are linked, so nothing is hashed.
    func append(
        _ run: AppendRun,
        after tail: LogTail,
        _ job: Committer.Job,
        _ group: inout Judged
    ) {
        var unit: StorageUnit = []
        var answers: [AppendAnswer] = []
        unit.reserveCapacity(run.appends.count)
        answers.reserveCapacity(run.appends.count)
        for append in run.appends {
            let batch = Batch(first: append.from, packed: append.entries, head: append.head)
            unit.append(.append(batch, log: run.log))
            answers.append(AppendAnswer(append.head))
        }
        tails[run.log] = LogTail(run.log, run.descriptor, at: run.head)
        let charged = Governance.Share(byteCount: UInt64(run.byteCount))
        reserve(unit, answers, run, job, charged, &group)
    }

    private func judgeEach(
        _ run: AppendRun,
        after known: LogTail?,
        isGuest: Bool,
        _ job: Committer.Job,
        _ group: inout Judged
    ) throws(StorageError) {
        var tail = known ?? LogTail(startOf: run.descriptor, in: run.space)
        var unit: StorageUnit = []
        var answers: [AppendAnswer] = []
        var charged = Governance.Share()
        for append in run.appends {
            var base = tail
            var overlap: [Batch] = []
            if append.from < tail.end {
                // What it is to be compared with isn't in storage yet.
                if inFlight.logs[run.log] != nil || !unit.isEmpty {
                    let rest = run.part(answers.count..<run.appends.count)
                    postponed.append(Committer.Job(request: .append(rest), outlet: job.outlet))
                    break
                }
                (base, overlap) = try self.overlap(of: append, run, with: tail)
            }
            let verdict = tail.judge(
                run.range(append),
                hashes: append.start == nil ? append.hashes : append.entries.hashes,
                overlap: overlap,
                base: base
            )
            switch verdict {
            case .refused(let refusal): answers.append(.refused(refusal))
            case .known: answers.append(.acked(end: tail.end, chain: tail.chain))
            case .appends(let batch):
                let beginsLog = known == nil && unit.isEmpty
                let charge = Governance.Charge(batch, of: tail, run.space, isGuest, beginsLog)
                let position = Position(log: run.log, offset: batch.first)
                if let refusal = try governor?.charge(charge, at: position) {
                    answers.append(.refused(refusal))
                    continue
                }
                charged.add(charge.share)
                if beginsLog {
                    unit.append(.createLog(tail.descriptor, space: run.space))
                }
                unit.append(.append(batch, log: run.log))
                tail = LogTail(run.log, run.descriptor, at: batch.head)
                answers.append(AppendAnswer(batch.head))
            }
        }
        if answers.isEmpty { return }
        let answered =
            answers.count == run.appends.count ? run : run.part(0..<answers.count)
        let answeredJob = Committer.Job(
            request: .append(answered),
            outlet: job.outlet,
            attemptCount: job.attemptCount
        )
        if unit.isEmpty {
            group.answers.append((answeredJob, .answered(answered, answers), nil))
            return
        }
        if known == nil {
            group.newLogs.append(run.space)
            inFlight.newLogCounts[run.space, default: 0] += 1
        }
        tails[run.log] = tail
        reserve(unit, answers, answered, answeredJob, charged, &group)
    }

    private func reserve(
        _ unit: StorageUnit,
        _ answers: [AppendAnswer],
        _ run: AppendRun,
        _ job: Committer.Job,
        _ charged: Governance.Share,
        _ group: inout Judged
    ) {
        group.units.append(unit)
        let number = group.units.count - 1
        group.answers.append((job, .answered(run, answers), number))
        group.runs.append((run, job.outlet.id, number, charged))
        inFlight.logs[run.log, default: 0] += 1
    }

    private func tail(of log: LogID) throws(StorageError) -> LogTail? {
        if let known = tails[log] { return known }
        let tail = try storage.log(log).map(LogTail.init)
        tails[log] = tail
        return tail
    }

    /// The stored batches that an append is compared with, and the tail before them.
    private func overlap(
        of append: AppendRun.Append,
        _ run: AppendRun,
        with tail: LogTail
    ) throws(StorageError) -> (base: LogTail, [Batch]) {
        var batches: [Batch] = []
        var next = append.from
        while next < min(tail.end, append.head.end) {
            let more = try storage.batches(
                of: run.log,
                from: next,
                maximumCount: Limits.maximumBatchCount,
                maximumByteCount: Limits.maximumBatchByteCount
            )
            guard let last = more.last, next < last.end else {
                throw .damagedLog(log: run.log, offset: next, reason: "a batch is missing")
            }
            batches += more
            next = last.end
        }
        guard let first = batches.first?.first, first > .zero else {
            return (LogTail(startOf: tail.descriptor, in: run.space), batches)
        }
        guard let head = try storage.head(of: run.log, endingAt: first) else {
            throw .damagedLog(log: run.log, offset: first, reason: "a head is missing")
        }
        return (LogTail(tail.log, tail.descriptor, at: head), batches)
    }
}
