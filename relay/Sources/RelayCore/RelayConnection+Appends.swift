import SennitWire

// What a device appends: checked here as far as it takes no storage, and gathered to runs.

extension RelayConnection {
    /// The log that a connection appended to last: what is looked up or hashed once for all of its
    /// appends.
    struct LastLog {
        let descriptor: LogDescriptor
        let log: LogID
        let mayAppend: Bool
        /// The head of the last append that was taken.
        var head: Head?
    }

    /// An append among others that came together. What is taken is handed on by `endRead`.
    mutating func gather(_ range: PackedRange, now: Duration) -> [Action] {
        let byteCount = range.entries.byteCount
        let hasRoom = pendingByteCount + byteCount <= limits.maximumPendingByteCount
        let refusal = member?.take(
            range,
            hasRoom: hasRoom,
            maximumCount: limits.maximumPendingAppendCount,
            headChecks,
            now: now
        )
        if let refusal { return [.send(.refused(refusal))] }
        pendingByteCount += byteCount
        return []
    }

    /// The input that stood there is over: hands on what was gathered.
    mutating func endRead(now: Duration) -> [Action] {
        guard let runs = member?.runs, !runs.isEmpty else { return [] }
        member?.runs = []
        return runs.map { run in
            var run = run
            if case .byDriver = headChecks { member?.setHeadChecks(&run, now: now) }
            return .submit(.append(run))
        }
    }

    /// What appends came to.
    mutating func answer(_ run: AppendRun, _ answers: [AppendAnswer]) -> [Action] {
        pendingByteCount -= run.byteCount
        guard member != nil else { return [] }
        member?.pendingAppendCount -= run.appends.count
        for case .refused(let refusal) in answers where refusal.code == .badHead {
            member?.hadBadHead = true
        }
        // From the first to the last that is stored; a refusal in between ends the log there.
        guard let first = run.appends.first, let end = answers.lastEnd else {
            return [.answer(run.log, answers)]
        }
        let stored = min(end, run.head.end)
        member?.subscription.skip(run.log, run.descriptor, from: first.from, to: stored)
        return [.answer(run.log, answers)]
    }
}

extension RelayConnection.Member {
    /// Takes an append, or says why not.
    mutating func take(
        _ range: PackedRange,
        hasRoom: Bool,
        maximumCount: Int,
        _ headChecks: RelayConnection.HeadChecks,
        now: Duration
    ) -> Refusal? {
        let log = findLog(range.descriptor)
        func refusal(
            _ code: Refusal.Code,
            _ reason: String,
            after pause: Duration? = nil
        ) -> Refusal {
            let position = Position(log: log, offset: range.from)
            return Refusal(code: code, position: position, retryAfter: pause, reason: reason)
        }
        guard range.entries.count == 1 || range.entries.byteCount <= Limits.maximumBatchByteCount
        else {
            return refusal(.tooLarge, "a batch has at most \(Limits.maximumBatchByteCount) bytes")
        }
        guard pendingAppendCount < maximumCount, hasRoom else {
            return refusal(.rateLimited, "too many appends wait for the disk")
        }
        guard last?.mayAppend == true else {
            return refusal(.notMember, "the log's author may not append")
        }
        if let pause = appends.take(byteCount: UInt64(range.entries.byteCount), now: now) {
            return refusal(.rateLimited, "this connection writes too fast", after: pause)
        }
        if case .atOnce = headChecks,
            !range.head.isSigned(by: range.descriptor.device, space: access.space, log: log)
        {
            return refusal(.badHead, Refusal.badHeadReason)
        }
        let append = AppendRun.Append(range, after: last?.head)
        pendingAppendCount += 1
        last?.head = range.head
        if !runs.isEmpty, runs[runs.count - 1].extend(log, with: append) { return nil }
        runs.append(
            AppendRun(
                space: access.space,
                device: device,
                log: log,
                descriptor: range.descriptor,
                append
            )
        )
        return nil
    }

    /// The log's id. It costs a hash, and whether the device may append there some more.
    private mutating func findLog(_ descriptor: LogDescriptor) -> LogID {
        if last?.descriptor == descriptor, let log = last?.log { return log }
        let log = descriptor.logID(in: access.space)
        last = RelayConnection.LastLog(
            descriptor: descriptor,
            log: log,
            mayAppend: access.allowsAppend(by: descriptor.device, from: device)
        )
        return log
    }

    /// Says which heads a driver has to check; `HeadVerifier` has the rule.
    mutating func setHeadChecks(_ run: inout AppendRun, now: Duration) {
        guard run.author == device, !hadBadHead else {
            for index in run.appends.indices { run.setHeadCheck(.required, of: index) }
            return
        }
        let last = run.appends.count - 1
        if heads.take(now: now) { run.setHeadCheck(.affordable, of: last) }
        // The first one is checked; those behind it wait for that.
        if !hasOwnHead { run.setHeadCheck(.required, of: 0) }
        hasOwnHead = true
    }
}
