import SennitDocument
import SennitSeal
import SennitWire

extension Replica {
    /// Builds the replica anew from all its stored entries: reads all of them, so that it is known
    /// which logs ended and where, then applies what counts.
    ///
    /// Nothing of what is stored is lost: what doesn't count waits, set aside. If what is typed
    /// here and in no entry builds on that then it becomes an entry that says so, and what it
    /// builds on counts; if this device may write no more, it waits as well.
    /// - Parameter entries: every entry that is stored, ascending by offset within each log.
    /// - Returns: a replica in place of this one, and the change that takes the place of all that
    ///   was applied before.
    /// - Throws: `corrupt` if entries are missing; `seal`.
    /// - Complexity: O(all entries).
    public func rebuilt(
        from entries: [StoredEntry],
        _ surroundings: Surroundings
    ) throws(SyncError) -> (replica: Replica, change: ReplicaChange) {
        var fresh = Replica(
            space: space,
            spaceNonce: spaceNonce,
            identity: identity,
            own: own,
            invite: invite
        )
        var change = ReplicaChange()
        change.isRebuild = true
        try fresh.takeOver(entries, from: self)
        fresh.readAll(into: &change)
        fresh.applyWhatCounts(into: &change)
        fresh.isOwnLogTaken = isOwnLogTaken
        fresh.acked = acked
        try fresh.takePending(from: self, surroundings, into: &change)
        fresh.finishRebuild(&change)
        return (fresh, change)
    }

    // MARK: Steps

    /// Takes over all that is stored, none of it read or applied, and what doesn't follow from it.
    /// - Parameter cut: from where on entries of the old own log are left out.
    mutating func takeOver(
        _ entries: [StoredEntry],
        from old: Replica,
        cut: Offset? = nil
    ) throws(SyncError) {
        var stored: [LogID: [StoredEntry]] = [:]
        for entry in entries { stored[entry.log, default: []].append(entry) }
        for log in old.logs {
            let kept = stored[log.id] ?? []
            let cut = log.id == old.ownLog ? cut : nil
            let end = Offset(UInt64(kept.count))
            guard end == cut ?? log.end else { throw .corrupt(log: log.id, offset: end) }
            // An own log of which nothing is left is unknown until the relay gives it.
            if kept.isEmpty, cut != nil { continue }
            let byteCount = kept.reduce(0) { $0 + UInt64($1.bytes.count) }
            let head = log.end == end ? log.head : old.head(upTo: end, byteCount: byteCount)
            indexes[log.id] = logs.count
            logs.append(log.unapplied(kept, byteCount: byteCount, head: head, space: space))
        }
        var unused = ReplicaChange()
        for key in old.epochs.values { learn(key, into: &unused) }
        _ = learnKeys(from: entries.map(\.bytes), into: &unused)
        refused = old.refused
        let kept: Set<LogStatus.Kind> = [.rolledBack, .corrupt, .forked, .relayForked, .copied]
        findings = old.findings.filter { kept.contains($0.value.kind) }
        if cut != nil { findings[old.ownLog] = nil }
        life = old.life
        nextSequence = old.nextSequence
    }

    /// Reads all entries, so that it is known which logs ended. Until `applyWhatCounts` what comes
    /// in is only read.
    mutating func readAll(into change: inout ReplicaChange) {
        onlyReads = true
        applyReady(logs.map(\.id), into: &change)
    }

    /// Applies what counts of the entries that were read.
    mutating func applyWhatCounts(into change: inout ReplicaChange) {
        onlyReads = false
        for index in logs.indices where logs[index].limit != nil {
            logs[index].limit = decidedEnds[logs[index].id] ?? .zero
        }
        applyReady(logs.map(\.id), into: &change)
    }

    mutating func finishRebuild(_ change: inout ReplicaChange) {
        change.touched.formUnion(logs.map(\.id))
        change.membershipChanged = true
        finish(&change)
    }

    private mutating func takePending(
        from other: Replica,
        _ surroundings: Surroundings,
        into change: inout ReplicaChange
    ) throws(SyncError) {
        pending = other.pending
        pendingEvents = other.pendingEvents
        if merge(pending.map(\.batch)) { return }
        vouching = other.appliedVersion
        defer { vouching = Version() }
        if maySeal { try sealPending(surroundings, into: &change) }
    }

    /// Merges what was typed here and is applied from no entry.
    /// - Returns: whether all of it fits.
    mutating func merge(_ typed: [OperationBatch]) -> Bool {
        for batch in typed {
            guard
                (try? documents[batch.document, default: Document()].merge(batch.runs)) != nil
            else { return false }
        }
        return true
    }
}

extension LogState {
    /// The log with these of its entries stored and none applied.
    fileprivate func unapplied(
        _ entries: [StoredEntry],
        byteCount: UInt64,
        head: Head?,
        space: SpaceID
    ) -> LogState {
        let record = LogRecord(
            descriptor: descriptor,
            end: Offset(UInt64(entries.count)),
            applied: .zero,
            byteCount: byteCount,
            nextEvent: 0,
            table: LogTable(),
            context: Version(),
            head: head
        )
        return LogState(
            restoring: RestoredLog(
                record: record,
                chains: entries.map(\.chain),
                eventEnds: []
            ),
            waiting: entries.map(\.bytes),
            space: space
        )
    }
}
