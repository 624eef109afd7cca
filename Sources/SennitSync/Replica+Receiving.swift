import SennitSeal
public import SennitWire

// Entries from outside, verified before anything of them is kept. The order of the checks is that
// of SPEC.md section 13.

extension Replica {
    /// Verifies consecutive entries of one log, stores them, and applies whatever is ready.
    ///
    /// Entries that are stored already are compared and dropped, so a range may come twice.
    /// - Returns: what to make durable; empty if nothing was new.
    /// - Throws: `gap`, `forked`, `ownLogTaken`, `corrupt`, `tooManyLogs`, `batchTooLarge`. Nothing
    ///   was changed but `findings`.
    /// - Complexity: a hash per entry and one signature check per range, then what applying costs.
    public mutating func receive(_ range: EntryRange) throws(SyncError) -> ReplicaChange {
        let log = range.descriptor.logID(in: space)
        let fresh: [(entry: [UInt8], chain: ChainHash)]
        do {
            fresh = try verify(range, of: log)
        } catch {
            switch error {
            case .forked(_, let offset) where log == ownLog: throw .ownLogTaken(from: offset)
            case .forked(_, let offset): note(.forked(at: offset), about: log)
            case .corrupt, .batchTooLarge: note(corruptAt: range.from, of: range.descriptor)
            default: break
            }
            throw error
        }
        clear(.corrupt, about: log)
        refused[log] = nil
        guard !fresh.isEmpty else { return ReplicaChange() }
        if range.descriptor.device == identity.device {
            // The relay has entries of ours that we don't: the profile was restored or copied. What
            // is pending has taken their events' numbers, so they can't be taken in.
            let end = indexes[log].map { logs[$0].end } ?? .zero
            if log == ownLog, !pending.isEmpty { throw .ownLogTaken(from: end) }
            isOwnLogTaken = isOwnLogTaken || log == ownLog
            note(.copied(at: end), about: log)
        }
        return store(fresh, head: range.head, at: try index(of: range.descriptor))
    }

    /// Whether a range follows on from others of the own log that wait for `renewed`, as far as can
    /// be told before that.
    public func follows(_ range: EntryRange, _ waiting: [EntryRange]) -> Bool {
        range.descriptor == own && range.from == waiting.last?.head.end
            && range.head.isSigned(by: own.device, space: space, log: ownLog)
    }

    /// Writes down that the relay gives bytes of a log, from an offset on, that can't be of it, and
    /// of which nothing was taken.
    public mutating func note(corruptAt offset: Offset, of descriptor: LogDescriptor) {
        let log = descriptor.logID(in: space)
        if indexes[log] == nil {
            guard refused[log] != nil || refused.count < Limits.maximumLogCount else { return }
            refused[log] = descriptor
        }
        note(.corrupt(at: offset), about: log)
    }

    /// The logs of which all that came was corrupt.
    public var refusedLogs: [LogSummary] {
        refused.sorted { $0.key < $1.key }.map { log, descriptor in
            LogSummary(
                log: log,
                descriptor: descriptor,
                end: .zero,
                applied: .zero,
                byteCount: 0,
                isOwn: log == ownLog,
                author: name(of: descriptor.device),
                hold: nil
            )
        }
    }

    /// The entries of a range that are new here, each with the chain after it.
    ///
    /// Nothing is changed, so no copy of the log's state outlives this call and storing is in
    /// place.
    private func verify(
        _ range: EntryRange,
        of log: LogID
    ) throws(SyncError) -> [(entry: [UInt8], chain: ChainHash)] {
        let byteCount = range.entries.reduce(0) { $0 + $1.count }
        guard range.entries.count == 1 || byteCount <= Limits.maximumBatchByteCount else {
            throw .batchTooLarge(log: log, byteCount: byteCount)
        }
        let known = indexes[log].map { logs[$0] } ?? LogState(range.descriptor, space: space)
        guard range.from <= known.end, var chain = known.chain(at: range.from) else {
            throw .gap(log: log, have: known.end, offered: range.from)
        }
        var fresh: [(entry: [UInt8], chain: ChainHash)] = []
        var divergence: Offset?
        var offset = range.from
        for entry in range.entries {
            chain = chain.extended(by: EntryHash(of: entry))
            if offset >= known.end {
                fresh.append((entry, chain))
            } else if divergence == nil, chain != known.chain(at: offset.next) {
                divergence = offset
            }
            offset = offset.next
        }
        // Whether the range is garbage or another history is told by its head.
        let isGenuine =
            range.head.chain == chain && range.head.end == offset
            && range.head.isSigned(by: range.descriptor.device, space: space, log: log)
        guard isGenuine else { throw .corrupt(log: log, offset: range.from) }
        if let divergence { throw .forked(log: log, offset: divergence) }
        let total = fresh.reduce(known.byteCount) { $0 + UInt64($1.entry.count) }
        guard fresh.isEmpty || range.head.byteCount == total else {
            throw .corrupt(log: log, offset: range.from)
        }
        return fresh
    }

    private mutating func store(
        _ fresh: [(entry: [UInt8], chain: ChainHash)],
        head: Head,
        at index: Int
    ) -> ReplicaChange {
        var change = ReplicaChange()
        let log = logs[index].id
        var offset = logs[index].end
        for (entry, chain) in fresh {
            change.entries.append(
                StoredEntry(log: log, offset: offset, bytes: entry, chain: chain)
            )
            offset = offset.next
        }
        let entries = fresh.map(\.entry)
        logs[index].store(entries, chains: fresh.map(\.chain), head: head)
        change.touched.insert(log)
        var ready = [log]
        if learnKeys(from: entries, into: &change) {
            ready += waitingForKey
            waitingForKey = []
        }
        applyReady(ready, into: &change)
        finish(&change)
        return change
    }

    /// Writes down the record of every log that the change touched.
    mutating func finish(_ change: inout ReplicaChange) {
        for log in change.touched {
            if let index = indexes[log] { change.logs[log] = logs[index].record }
        }
    }

    /// Compares what the relay holds with what is here.
    ///
    /// A relay that holds less of a log than it had shown was rolled back, or lies; either way
    /// nothing here changes, and own entries are sent again.
    public mutating func compare(with welcome: Welcome) {
        var offered: [LogID: Offset] = [:]
        for log in welcome.logs { offered[log.descriptor.logID(in: space)] = log.end }
        for log in logs {
            let held = offered[log.id] ?? .zero
            if log.id == ownLog {
                // Own entries may be here and not there for the best of reasons: not sent yet.
                clear(.rolledBack, about: log.id)
                if held < acked[log.id] ?? .zero {
                    note(.rolledBack(have: acked[log.id] ?? .zero, offered: held), about: log.id)
                }
            } else if held < log.end {
                note(.rolledBack(have: log.end, offered: held), about: log.id)
            } else {
                clear(.rolledBack, about: log.id)
            }
        }
    }

    /// The relay says that it fsynced own entries before `end`, and what its chain is there.
    /// - Returns: whether that is our chain. If not, the word of this relay is worth nothing: hang
    /// up.
    public mutating func acknowledge(_ end: Offset, chain theirs: ChainHash) -> Bool {
        guard let ours = chain(of: ownLog, at: end), ours == theirs else {
            note(.relayForked(at: end), about: ownLog)
            return false
        }
        acked[ownLog] = max(acked[ownLog] ?? .zero, end)
        clear(.rolledBack, about: ownLog)
        clear(.relayForked, about: ownLog)
        return true
    }

    /// The relay says that it holds other entries of our own log from `offset` on. It is its word
    /// alone, no proof: a copy of this profile may have sent them.
    public mutating func note(conflictAt offset: Offset) {
        note(.relayForked(at: offset), about: ownLog)
    }
}
