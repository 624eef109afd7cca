import SennitSeal
import SennitWire

// Logs that ended, and how much of them counts. SPEC.md section 7.7.
//
// A log ends when its device is removed or loses the right to write. Its entries up to a limit
// count: the highest offset that an entry which itself counts, in a log that may write, names in
// its context. The rest is kept aside. But whether a removal has an effect follows from *all*
// records, those in the rest as well (two owners who remove each other), so an ended log is *read*
// on past its limit: its entries are opened, their contexts and records taken in, and nothing else
// of them. That is the whole difference between reading and applying; of a log that hasn't ended
// the two are one.
//
//     ended log   [ applied: counts | read: only its records | not read yet ]
//                                   ^ limit, rises when somebody who may write has built on more
//
// Limits only rise while the same logs are ended. When another log ends it may be that entries were
// applied which don't count any more: then the replica is built anew from all stored entries
// (`rebuilt`), first reading all of them, then applying what counts.

extension Replica {
    /// Reads the next entry of an ended log, or writes down why it waits.
    /// - Returns: whether an entry was read.
    mutating func readNext(
        at index: Int,
        into change: inout ReplicaChange,
        ready: inout [LogID]
    ) -> Bool {
        guard onlyReads || logs[index].limit != nil else { return false }
        return read(at: index, into: &change, ready: &ready)
    }

    private mutating func read(
        at index: Int,
        into change: inout ReplicaChange,
        ready: inout [LogID]
    ) -> Bool {
        let state = logs[index].readState
        guard let opened = logs[index].nextToRead ?? open(at: index, after: state) else {
            return false
        }
        logs[index].nextToRead = opened
        if let hold = reasonToHold(opened, at: index, after: state) {
            wait(hold, at: index)
            return false
        }
        var next = state
        next.end = state.end.next
        if let body = opened.body,
            let plan = plan(body, table: opened.table, after: state, at: index)
        {
            next.context = plan.context
            next.table = plan.table
            next.nextEvent = plan.eventEnd
            let records = body.records
            if opened.entry.type.isControl || (opened.entry.type == .edit && !records.isEmpty) {
                let source = source(of: opened.entry, at: state.end, seen: plan.context, index)
                _ = fold(opened.entry, payloads: records, from: source)
                change.membershipChanged = true
            }
        } else if opened.entry.type == .genesis, opened.outcome == .applied {
            _ = applyGenesis(opened.entry, at: index, into: &change)
        }
        logs[index].reading = next
        logs[index].nextToRead = nil
        logs[index].hold = nil
        let log = logs[index].id
        ready += waiters.removeValue(forKey: log) ?? []
        return true
    }

    /// Why an entry whose causal past was read can't be applied yet: some of the past isn't. If it
    /// may write then what it has seen of ended logs counts from now on.
    mutating func reasonToWait(
        _ opened: OpenedEntry,
        at index: Int,
        into change: inout ReplicaChange,
        ready: inout [LogID]
    ) -> Hold? {
        var hold: Hold?
        let log = logs[index].id
        for position in opened.body?.context.positions ?? [] {
            guard let other = indexes[position.log], logs[other].applied < position.offset else {
                continue
            }
            if let limit = logs[other].limit, limit < position.offset {
                // Who writes a log is told by the record that begins it: a join is read first.
                if membership?.role(ofLog: log) == nil, logs[index].readEnd == .zero {
                    _ = read(at: index, into: &change, ready: &ready)
                }
                guard (membership?.role(ofLog: log) ?? .reader) >= .writer else { continue }
                guard !logs[index].isAtLimit else { return nil }
                logs[other].limit = position.offset
                ready.append(position.log)
            }
            hold = hold ?? .context(log: position.log, end: position.offset)
        }
        return hold
    }

    /// Writes down why the next entry of a log isn't applied, where what it waits for is found.
    mutating func wait(_ hold: Hold, at index: Int) {
        logs[index].hold = hold
        let log = logs[index].id
        if case .context(let other, _) = hold { waiters[other, default: []].insert(log) }
        if hold == .unsealed { waitingForSeal.insert(log) }
    }

    // MARK: Ends

    /// Stops applying logs that ended by the newest record, and goes on with those that didn't end
    /// after all.
    mutating func noteEnds() {
        guard let membership else { return }
        let (ended, decided) = (membership.endedLogs, membership.decidedEnds)
        guard ended != knownEnds || decided != decidedEnds else { return }
        (knownEnds, decidedEnds) = (ended, decided)
        endsChanged = true
        for index in logs.indices {
            let isEnded = ended.contains(logs[index].id)
            guard isEnded != (logs[index].limit != nil) else { continue }
            logs[index].limit = isEnded ? logs[index].applied : nil
        }
    }

    /// Works out how much of each ended log counts, by what the applied entries of logs that may
    /// write have seen, and by the membership records in it that have an effect.
    ///
    /// What an ended log's entries have seen counts only if all that is applied of it counts.
    /// - Returns: the logs that may go on now.
    mutating func settleLimits() -> [LogID] {
        endsChanged = false
        var vouched = decidedEnds
        var unsure: [Int] = []
        func take(_ log: LogState, in vouched: inout [LogID: Offset]) {
            guard (membership?.role(ofLog: log.id) ?? .reader) >= .writer else { return }
            for (other, end) in log.context.offsets where end > vouched[other] ?? .zero {
                vouched[other] = end
            }
        }
        for (index, log) in logs.enumerated() {
            if log.limit == nil { take(log, in: &vouched) } else { unsure.append(index) }
        }
        while true {
            let sure = unsure.filter { logs[$0].applied <= vouched[logs[$0].id] ?? .zero }
            if sure.isEmpty { break }
            for index in sure { take(logs[index], in: &vouched) }
            unsure.removeAll { sure.contains($0) }
        }
        for index in logs.indices where logs[index].limit != nil {
            logs[index].limit = vouched[logs[index].id] ?? .zero
        }
        if !unsure.isEmpty { needsRebuild = true }
        return logs.map(\.id)
    }

    /// Writes down that somebody announced an epoch without a box for this device. It says no more:
    /// what the record changes is sealed under the key that we don't have.
    mutating func noteIfLeftOut(by entry: Entry, at offset: Offset, _ index: Int) {
        guard entry.type == .membership, isMember,
            let record = try? EpochRecord(decoding: entry.clear),
            record.box(for: identity.agreement, kind: .device) == nil
        else { return }
        note(.leftOut(at: offset), about: logs[index].id)
    }

    /// Whether this device may put what was typed here into an entry.
    var maySeal: Bool {
        guard var membership, !needsRebuild,
            (membership.role(of: identity.device) ?? .reader) >= .writer
        else { return false }
        if !hasBegunOwnLog {
            // What counts is what the log would be once it is begun.
            let join = JoinRecord(again: identity, incarnation: own.incarnation, space: space)
            membership.apply(join, nil, from: nextSource)
        }
        return (membership.role(ofLog: ownLog) ?? .reader) >= .writer
            && !membership.endedLogs.contains(ownLog)
    }

    /// Whether what was typed here must become an entry before others' records are applied.
    public var mustSeal: Bool { !waitingForSeal.isEmpty && !pending.isEmpty && maySeal }
}
