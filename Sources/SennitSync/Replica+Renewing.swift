import SennitDocument
import SennitSeal
public import SennitWire

// A device that goes on in a new log because a copy of it has written its own. SPEC.md section 7.9.
//
// A profile may be copied, restored from a backup or rolled back with its machine. Then two lives
// of one device write one log, and where both wrote, at most one of them is with the relay:
//
//     own log, here     0 1 2 a b      a, b and what is pending: typed here
//     with the relay    0 1 2 x y z    the log differs from 2 on
//
//     after             0 1 2 x y z    an old log of this device, like anybody's
//     own log, new      J a' b'        J: join again; a', b' name a, b as their origin
//
// What was pending when the profile was copied may be in x, for the copy has sealed it; or in
// another new log, if this is the second time that the same backup is restored. So what was typed
// here is first looked for there, from the first event on: the same document, parents, content and
// life (Lives.swift), which tells what was copied from what both typed alike. A machine that is
// rolled back while Sennit runs on it repeats a life: there, that last second is told by content.
//
// The log's events from there on have other names with the relay. So the replica is built anew from
// the entries that both have, and what was typed here is done again under names in the new log.
// Its operations keep their positions and parents. That they mean the same then takes one more
// thing: ties between concurrent inserts are broken by log id, so the new log's id is chosen to
// stand where the old one stood among the others. Nothing is lost and nothing comes twice, for what
// is done again is only what the relay proved, under our own signature, not to have.
//
// Left out: if a relay is rolled back and then given another history of the log, others may hold a
// from before. They see that the log forked, and a' besides.

extension Replica {
    /// Goes on in a new log from here. The own log is like anybody's then.
    ///
    /// Call it once `isOwnLogTaken`. The log has no entries until there is something to write.
    public mutating func beginNewLog(_ surroundings: Surroundings) -> ReplicaChange {
        precondition(pending.isEmpty, "Nothing pending has a name in the log that is left.")
        clear(.relayForked, about: ownLog)
        own = nextDescriptor(surroundings)
        ownLog = own.logID(in: space)
        isOwnLogTaken = false
        acked = [:]
        var change = ReplicaChange()
        change.own = own
        return change
    }

    /// Builds the replica anew without own entries from `ownEnd` on, and does again in a new log
    /// what these and the pending operations did.
    /// - Parameters:
    ///   - entries: every entry that is stored, ascending by offset within each log.
    ///   - ownEnd: where the own log differs, as `ownLogTaken` says.
    ///   - ranges: what `receive` refused by that, and what came of the log behind it: the other
    ///     copy's entries. They are taken in.
    /// - Returns: a replica in place of this one, and the change that takes the place of all that
    ///   was applied before.
    /// - Throws: `ownEntriesWait` if the other copy's entries build on others that haven't come:
    ///   try again then. `corrupt` if entries are missing; `seal`, `document`.
    /// - Complexity: O(all entries).
    public func renewed(
        from entries: [StoredEntry],
        ownEnd: Offset,
        _ ranges: [EntryRange],
        _ surroundings: Surroundings
    ) throws(SyncError) -> (replica: Replica, change: ReplicaChange) {
        var fresh = Replica(
            space: space,
            spaceNonce: spaceNonce,
            identity: identity,
            own: nextDescriptor(surroundings),
            invite: invite
        )
        var change = ReplicaChange()
        change.isRebuild = true
        change.own = fresh.own
        change.dropped = Position(log: ownLog, offset: ownEnd)
        let isBranch = { (entry: StoredEntry) in entry.log == ownLog && entry.offset >= ownEnd }
        let shared = entries.filter { !isBranch($0) }
        try fresh.takeOver(shared, from: self, cut: ownEnd)
        // The other copy's entries may hold a record that ends logs, so they are read first, too.
        fresh.readAll(into: &change)
        let fork = try fresh.end(of: own)
        let branch = try fresh.opened(entries.filter(isBranch), of: ownLog, from: fork)
        for range in ranges { change.append(try fresh.receive(range)) }
        fresh.applyWhatCounts(into: &change)
        let theirs = change.entries.filter { $0.log == ownLog }
        let renaming = EventRenaming(
            of: TypedEvents(branch, pending),
            from: ownLog,
            found: try fresh.histories(
                shared,
                own: try fresh.opened(theirs, of: ownLog, from: fork),
                of: self
            ),
            to: fresh.ownLog
        )
        try fresh.carryOver(branch, from: self, renaming, surroundings, into: &change)
        change.texts = [:]
        change.mapsChanged = []
        fresh.finishRebuild(&change)
        fresh.note(.copied(at: ownEnd), about: ownLog)
        return (fresh, change)
    }

    /// Begins the own log, if it isn't, before a record that is judged by the log's role; under a
    /// new key if one is due.
    mutating func beginOwnLogIfNeeded(
        _ surroundings: Surroundings,
        into change: inout ReplicaChange
    ) throws(SyncError) {
        guard !hasBegunOwnLog, maySeal else { return }
        if needsEpoch {
            try rotate(surroundings.separated("begin"), into: &change)
        } else if let epoch = writeEpoch {
            try beginOwnLog(epoch, surroundings, into: &change)
        }
    }

    /// Whether the own log has entries.
    var hasBegunOwnLog: Bool { indexes[ownLog].map { logs[$0].end > .zero } ?? false }

    /// Begins the own log, which a member does by its own word.
    mutating func beginOwnLog(
        _ epoch: EpochKey,
        _ surroundings: Surroundings,
        into change: inout ReplicaChange
    ) throws(SyncError) {
        let join = JoinRecord(again: identity, incarnation: own.incarnation, space: space)
        let member = membership?.record(of: identity.device)
        try appendEntry(
            .join,
            clear: join.bytes,
            epoch: epoch,
            surroundings,
            use: RenewalUse.join,
            into: &change
        ) { writer in
            if let member { writer.append(member) }
        }
    }
}

/// Uses of randomness within a step that others don't count up to.
private enum RenewalUse {
    static let join: UInt64 = 1 << 40
    static let incarnation: UInt64 = 1 << 41
}

// MARK: The log's name

extension Replica {
    /// A new incarnation whose log stands right behind the own log among those that have events,
    /// or, if there is hardly room, anywhere.
    ///
    /// It depends on all that was written here besides the randomness: two copies whose source of
    /// randomness repeats begin two logs, unless they are the same to the last keystroke.
    private func nextDescriptor(_ surroundings: Surroundings) -> LogDescriptor {
        let random = surroundings.derived(RenewalUse.incarnation)
        let written = [ownLog.bytes, indexes[ownLog].map { logs[$0].lastChain.bytes } ?? []]
        let typed = pending.map { $0.batch.stored.bytes }
        let seed = Hash.digest(.derive, written + typed, key: random.bytes)
        let next = logs.filter { $0.nextEvent > 0 && $0.id > ownLog }.map(\.id).min()
        var first: LogDescriptor?
        for attempt in 0..<SyncLimits.incarnationAttempts {
            var writer = ByteWriter(capacity: 8)
            writer.write(attempt)
            let bytes = Hash.digest(.derive, [writer.bytes], key: seed.bytes).bytes
            guard let incarnation = Incarnation(Array(bytes.prefix(Incarnation.byteCount))) else {
                preconditionFailure("A hash has as many bytes as an incarnation, and more.")
            }
            let descriptor = LogDescriptor(device: identity.device, incarnation: incarnation)
            let log = descriptor.logID(in: space)
            if log > ownLog, next.map({ log < $0 }) ?? true { return descriptor }
            first = first ?? descriptor
        }
        guard let first else { preconditionFailure("There is at least one attempt.") }
        return first
    }
}

// MARK: Carrying over

/// An own entry that is written again.
private struct CarriedEntry {
    let type: EntryType
    let clear: [UInt8]
    let epoch: EpochKey
    let origin: Origin
    var parts: [Part]
    /// For all events of `parts`.
    var lives: Lives

    enum Part {
        case operations(OperationBatch)
        /// Names no log by an index, so its bytes stay as they are.
        case other(Payload)
    }

    var batches: [OperationBatch] {
        parts.compactMap { if case .operations(let batch) = $0 { batch } else { nil } }
    }

    private var eventCount: UInt64 { batches.reduce(0) { $0 + UInt64($1.eventCount) } }

    func renamed(by renaming: EventRenaming) -> CarriedEntry {
        var entry = self
        entry.parts = parts.compactMap { part in
            guard case .operations(let batch) = part else { return part }
            return renaming.renamed(batch).map(Part.operations)
        }
        let dropped = eventCount - entry.eventCount
        entry.lives = lives.dropping(dropped)
        return entry
    }
}

extension Replica {
    /// What the own log and its siblings hold from where it differs, of those that are applied.
    private func histories(
        _ entries: [StoredEntry],
        own theirs: [CarriedEntry],
        of old: Replica
    ) throws(SyncError) -> [LogID: TypedEvents] {
        var histories: [LogID: TypedEvents] = [:]
        for log in logs where log.descriptor.device == identity.device {
            if log.id == old.ownLog {
                guard log.readEnd == log.end else { throw .ownEntriesWait }
                histories[log.id] = TypedEvents(theirs)
            } else if log.applied == log.end {
                let own = entries.filter { $0.log == log.id }
                let start = (LogTable(), log.descriptor.chainStart(in: space))
                histories[log.id] = TypedEvents(try opened(own, of: log.id, from: start))
            }
        }
        return histories
    }

    private mutating func carryOver(
        _ branch: [CarriedEntry],
        from old: Replica,
        _ renaming: EventRenaming,
        _ surroundings: Surroundings,
        into change: inout ReplicaChange
    ) throws(SyncError) {
        let carried = branch.map { $0.renamed(by: renaming) }.filter { !$0.parts.isEmpty }
        let typed = old.pending.compactMap { pending in
            renaming.renamed(pending.batch).map { ($0, pending.life) }
        }
        change.sealedBelow = old.nextSequence
        let fits = merge(carried.flatMap(\.batches) + typed.map(\.0))
        if !fits { vouch(for: old) }
        defer { vouching = Version() }
        var rest = carried[...]
        if !rest.isEmpty { try beginOwnLogIfNeeded(surroundings, into: &change) }
        while maySeal, let entry = rest.first {
            let use = UInt64(carried.count - rest.count)
            if entry.type == .edit, needsEpoch {
                try rotate(surroundings.separated("rotate \(use)"), into: &change)
            }
            guard let epoch = entry.type == .edit ? writeEpoch : entry.epoch else { break }
            try append(entry, under: epoch, surroundings, use: use, into: &change)
            rest.removeFirst()
        }
        // Not a member any more, or not yet, or no writer: what was typed waits.
        for entry in rest {
            var lives = entry.lives
            for batch in entry.batches {
                append(batch, lives.stretches.first?.life ?? 0, into: &change)
                lives = lives.dropping(UInt64(batch.eventCount))
            }
        }
        for (batch, life) in typed { append(batch, life, into: &change) }
        if !fits { try sealPending(surroundings.separated("typed"), into: &change) }
    }

    /// Lets the next entries name what was applied before, and what else is of the old own log:
    /// what is written again builds on some of it that is set aside.
    private mutating func vouch(for old: Replica) {
        vouching = old.appliedVersion
        vouching[old.ownLog] = indexes[old.ownLog].map { logs[$0].readEnd } ?? .zero
    }

    /// The table of logs and the chain at the end of an own log, all of which was read.
    private func end(of log: LogDescriptor) throws(SyncError) -> (LogTable, ChainHash) {
        guard let index = indexes[log.logID(in: space)] else {
            return (LogTable(), log.chainStart(in: space))
        }
        guard logs[index].readEnd == logs[index].end else { throw .ownEntriesWait }
        return (logs[index].readState.table, logs[index].lastChain)
    }

    /// What consecutive own entries did.
    /// - Parameter start: the table of logs and the chain before them.
    private func opened(
        _ entries: [StoredEntry],
        of log: LogID,
        from start: (table: LogTable, chain: ChainHash)
    ) throws(SyncError) -> [CarriedEntry] {
        var (table, chain) = start
        var carried: [CarriedEntry] = []
        for stored in entries {
            defer { chain = stored.chain }
            guard let entry = try? Entry(decoding: stored.bytes), entry.type != .genesis else {
                continue
            }
            let place = EntryPlace(space: space, log: log, offset: stored.offset, chain: chain)
            for key in epochs.values where key.hint == entry.keyHint {
                guard let bytes = try? Seal.open(entry, at: place, under: key) else { continue }
                // A join isn't carried over, but what follows may use its table of logs.
                let (parts, lives) = try parts(of: bytes, at: place, &table)
                guard entry.type != .join else { break }
                carried.append(
                    CarriedEntry(
                        type: entry.type,
                        clear: entry.clear,
                        epoch: key,
                        origin: Origin(
                            log: log,
                            offset: stored.offset,
                            hash: EntryHash(of: stored.bytes)
                        ),
                        parts: parts,
                        lives: lives
                    )
                )
                break
            }
        }
        return carried
    }

    private func parts(
        of bytes: [UInt8],
        at place: EntryPlace,
        _ table: inout LogTable
    ) throws(SyncError) -> ([CarriedEntry.Part], Lives) {
        let body: EntryBody
        do {
            body = try EntryBody(decoding: bytes, at: place, logs: &table)
        } catch {
            throw .seal(error)
        }
        var parts: [CarriedEntry.Part] = []
        var lives = Lives()
        var eventCount = 0
        for payload in body.payloads {
            if payload.kind == .lives {
                lives = Lives(payload.bytes)
                continue
            }
            guard payload.kind == .operations else {
                parts.append(.other(payload))
                continue
            }
            do {
                let batch = try OperationBatch(
                    decoding: payload.bytes,
                    author: place.log,
                    logs: &table
                )
                parts.append(.operations(batch))
                eventCount += batch.eventCount
            } catch {
                throw .document(error)
            }
        }
        return (parts, lives.covering(UInt64(eventCount)))
    }

    private mutating func append(
        _ entry: CarriedEntry,
        under epoch: EpochKey,
        _ surroundings: Surroundings,
        use: UInt64,
        into change: inout ReplicaChange
    ) throws(SyncError) {
        try appendEntry(
            entry.type,
            clear: entry.clear,
            epoch: epoch,
            surroundings,
            use: use,
            origin: entry.origin,
            into: &change
        ) { writer in
            for part in entry.parts {
                switch part {
                case .operations(let batch):
                    writer.append(.operations) { bytes, logs in
                        batch.write(to: &bytes, logs: &logs)
                    }
                case .other(let payload):
                    writer.append(payload.kind) { (bytes, _) in bytes.write(payload.bytes) }
                }
            }
            writer.append(entry.lives)
        }
    }
}

extension TypedEvents {
    fileprivate init(_ entries: [CarriedEntry], _ pending: [Replica.Pending] = []) {
        var lives = Lives()
        for entry in entries { lives.append(entry.lives) }
        for next in pending { lives.append(UInt64(next.batch.eventCount), next.life) }
        self.init(
            batches: entries.flatMap(\.batches) + pending.map(\.batch),
            lives: lives
        )
    }
}

extension BodyWriter {
    /// Adds the lives of the body's events, if any is known.
    mutating func append(_ lives: Lives) {
        guard lives.isKnown else { return }
        append(.lives) { (bytes, _) in bytes.write(lives.bytes) }
    }
}
