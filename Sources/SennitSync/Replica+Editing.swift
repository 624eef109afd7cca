public import SennitDocument
import SennitSeal
public import SennitWire

// What is typed here. An edit becomes operations on the document at once and is pending; when the
// relay can take an entry, all that is pending becomes the body of one. Both steps return what must
// be committed before anything may be called saved.

/// What a new entry needs from the world: the clock for display, and fresh randomness.
public struct Surroundings: Sendable {
    /// Milliseconds since 1970.
    public let authorTime: UInt64
    /// 32 fresh random bytes; everything random in the step derives from them.
    public let random: Bytes32

    /// Puts them together.
    public init(authorTime: UInt64, random: Bytes32) {
        self.authorTime = authorTime
        self.random = random
    }

    /// Random bytes for use number `index` within the step.
    func derived(_ index: UInt64) -> Bytes32 {
        var writer = ByteWriter(capacity: 8)
        writer.write(index)
        return Hash.digest(.derive, [writer.bytes], key: random.bytes)
    }
}

extension Replica {
    /// Makes sequential `patches` to a document's text as it is now.
    /// - Throws: `document` if a patch doesn't fit the text; `historyNeeded` if the document is at
    ///   rest at more concurrent versions than one run may name.
    public mutating func edit(
        _ document: DocumentID,
        _ patches: [Patch]
    ) throws(SyncError) -> ReplicaChange {
        try edit(document) { (state, author, firstEvent) throws(DocumentError) in
            let cut = patches.flatMap { $0.cut(toScalarCount: SyncLimits.insertScalarCount) }
            let runs = try state.edit(cut, author: author, firstEvent: firstEvent)
            return (runs, cut)
        }
    }

    /// Makes sequential `patches` to the text of an older version, `parents`.
    /// - Returns: in `texts`, what that did to the text as it is now.
    /// - Throws: `document` if a parent isn't known or a patch doesn't fit that text;
    ///   `historyNeeded` if the document is at rest and that version lies further back.
    public mutating func edit(
        _ document: DocumentID,
        _ patches: [Patch],
        at parents: [EventID]
    ) throws(SyncError) -> ReplicaChange {
        if documents[document]?.needsHistory(toEditAt: parents) == true {
            throw wantHistory(of: document)
        }
        return try edit(document) { (state, author, firstEvent) throws(DocumentError) in
            let cut = patches.flatMap { $0.cut(toScalarCount: SyncLimits.insertScalarCount) }
            let result = try state.edit(cut, at: parents, author: author, firstEvent: firstEvent)
            return (result.runs, result.changes)
        }
    }

    /// Sets a key of a document's root map; in the directory, a path.
    public mutating func setMap(
        _ document: DocumentID,
        key: String,
        value: [UInt8]
    ) throws(SyncError) -> ReplicaChange {
        try edit(document) { (state, author, firstEvent) throws(DocumentError) in
            let runs = try state.setMap(
                key: key,
                value: value,
                author: author,
                firstEvent: firstEvent
            )
            return (runs, [])
        }
    }

    /// Removes a key of a document's root map.
    public mutating func removeMap(
        _ document: DocumentID,
        key: String
    ) throws(SyncError) -> ReplicaChange {
        try edit(document) { (state, author, firstEvent) throws(DocumentError) in
            (try state.removeMap(key: key, author: author, firstEvent: firstEvent), [])
        }
    }

    private mutating func edit(
        _ document: DocumentID,
        _ body: (inout Document, LogID, UInt64) throws(DocumentError) -> ([OperationRun], [Patch])
    ) throws(SyncError) -> ReplicaChange {
        guard !needsRebuild else { throw .rebuilding }
        // Own entries that came back from the relay and wait hold event numbers that we don't know.
        guard indexes[ownLog].map({ logs[$0].applied == logs[$0].end }) ?? true else {
            throw .ownEntriesWait
        }
        try requireEditable(document)
        var change = ReplicaChange()
        let runs: [OperationRun]
        let patches: [Patch]
        do {
            (runs, patches) = try body(
                &documents[document, default: Document()],
                ownLog,
                nextOwnEvent
            )
        } catch {
            throw .document(error)
        }
        var mapChanged = false
        for batch in OperationBatch.split(runs, of: document, byteCount: SyncLimits.entryTarget) {
            mapChanged = mapChanged || batch.changesMap
            append(batch, life, into: &change)
        }
        change.note(patches, in: document, mapChanged: mapChanged)
        return change
    }

    /// Fails if an edit of the document as it is now would.
    /// - Throws: `historyNeeded`: load it and try again.
    public mutating func requireEditable(_ document: DocumentID) throws(SyncError) {
        if let state = documents[document], state.needsHistory(toEditAt: state.frontier) {
            throw wantHistory(of: document)
        }
    }

    /// Puts operations that the documents have behind what is pending.
    mutating func append(
        _ batch: OperationBatch,
        _ life: Life,
        into change: inout ReplicaChange
    ) {
        let stored = batch.stored
        change.pending.append(
            PendingOperations(sequence: nextSequence, operations: stored, life: life)
        )
        pending.append(
            Pending(
                sequence: nextSequence,
                batch: batch,
                byteCount: stored.bytes.count,
                life: life
            )
        )
        pendingEvents += UInt64(batch.eventCount)
        nextSequence += 1
    }

    /// The number of this device's next event.
    public var nextOwnEvent: UInt64 {
        (indexes[ownLog].map { logs[$0].nextEvent } ?? 0) + pendingEvents
    }

    /// Seals all that is pending into entries at the end of the own log: one, unless it is much.
    ///
    /// Call it when the session wants entries. Empty if nothing is pending or this device isn't a
    /// member yet.
    /// - Throws: `seal`.
    public mutating func sealPending(
        _ surroundings: Surroundings
    ) throws(SyncError) -> ReplicaChange {
        var change = ReplicaChange()
        try sealPending(surroundings, into: &change)
        finish(&change)
        return change
    }

    mutating func sealPending(
        _ surroundings: Surroundings,
        into change: inout ReplicaChange
    ) throws(SyncError) {
        guard maySeal, !pending.isEmpty else { return }
        if needsEpoch { try rotate(surroundings.separated("rotate"), into: &change) }
        guard let epoch = writeEpoch else { return }
        var count: UInt64 = 0
        while !pending.isEmpty {
            var taken = 0
            var byteCount = 0
            for next in pending {
                if taken > 0, byteCount + next.byteCount > SyncLimits.entryTarget { break }
                if taken == Limits.maximumPayloadCount - 1 { break }
                byteCount += next.byteCount
                taken += 1
            }
            let batches = OperationBatch.joined(pending.prefix(taken).map(\.batch))
            var lives = Lives()
            for next in pending.prefix(taken) {
                lives.append(UInt64(next.batch.eventCount), next.life)
            }
            try appendEntry(
                .edit,
                epoch: epoch,
                surroundings,
                use: count,
                into: &change
            ) { writer in
                for batch in batches {
                    writer.append(.operations) { bytes, logs in
                        batch.write(to: &bytes, logs: &logs)
                    }
                }
                writer.append(lives)
            }
            change.sealedBelow = pending[taken - 1].sequence + 1
            pendingEvents -= batches.reduce(0) { $0 + UInt64($1.eventCount) }
            pending.removeFirst(taken)
            count += 1
        }
        let waiting = waitingForSeal
        waitingForSeal = []
        applyReady(Array(waiting), into: &change)
    }

    /// The context of this device's next entry.
    private func nextContext() -> CausalContext {
        let own = indexes[ownLog].map { logs[$0] }
        let isFull = (own?.end.value ?? 0) % CausalContext.fullInterval == 0
        var named: [(position: Position, chain: ChainHash)] = []
        for log in logs where log.id != ownLog {
            // A log that ended may have been applied further when an own entry named it.
            let before = own?.readState.context[log.id] ?? .zero
            let end = max(log.applied, before, vouching[log.id])
            guard end > .zero, isFull || end > before else { continue }
            if let chain = log.chain(at: end) {
                named.append((Position(log: log.id, offset: end), chain))
            }
        }
        return CausalContext(isFull: isFull, naming: named)
    }

    /// Seals one entry at the end of the own log, signs the new head, and takes it as applied.
    mutating func appendEntry(
        _ type: EntryType,
        clear: [UInt8] = [],
        epoch: EpochKey,
        _ surroundings: Surroundings,
        use: UInt64,
        origin: Origin? = nil,
        into change: inout ReplicaChange,
        _ write: (inout BodyWriter) -> Void
    ) throws(SyncError) {
        let index = try index(of: own)
        if type != .join, logs[index].end == .zero, isMember {
            try beginOwnLog(epoch, surroundings, into: &change)
        }
        let place = EntryPlace(
            space: space,
            log: ownLog,
            offset: logs[index].end,
            chain: logs[index].lastChain
        )
        var writer = BodyWriter(
            authorTime: surroundings.authorTime,
            context: nextContext(),
            origin: origin,
            logs: logs[index].readState.table
        )
        write(&writer)
        let entry: Entry
        do {
            entry = try Seal.seal(
                writer.bytes,
                type: type,
                clear: clear,
                at: place,
                under: epoch,
                random: surroundings.derived(use)
            )
        } catch {
            throw .seal(error)
        }
        append(entry, epoch: epoch.id, at: index, into: &change)
    }

    /// Puts an own entry at the end of the own log, with a head.
    mutating func append(
        _ entry: Entry,
        epoch: EpochKeyID,
        at index: Int,
        into change: inout ReplicaChange
    ) {
        let bytes = entry.bytes
        let offset = logs[index].end
        let chain = logs[index].lastChain.extended(by: EntryHash(of: bytes))
        let head = identity.head(
            space: space,
            log: ownLog,
            end: offset.next,
            chain: chain,
            byteCount: logs[index].byteCount + UInt64(bytes.count),
            membership: membershipHash,
            epoch: epoch
        )
        change.entries.append(
            StoredEntry(log: ownLog, offset: offset, bytes: bytes, chain: chain)
        )
        logs[index].store([bytes], chains: [chain], head: head)
        change.touched.insert(ownLog)
        applyReady([ownLog], into: &change)
    }

    private var membershipHash: Bytes32 {
        var applied = appliedVersion
        let own = indexes[ownLog].map { logs[$0] }
        for (log, end) in own?.readState.context.offsets ?? [:] {
            applied[log] = max(applied[log], end)
        }
        if let own { applied[ownLog] = own.end }
        return membership?.hash(of: applied) ?? Hash.digest(.member, [[]])
    }

    /// A head over the own log's first `end` entries, for an upload that stops there.
    ///
    /// `byteCount` is the sum of their lengths; the driver, which has them, knows it.
    public func head(upTo end: Offset, byteCount: UInt64) -> Head? {
        guard let index = indexes[ownLog], let chain = logs[index].chain(at: end) else {
            return nil
        }
        if let head = logs[index].head, head.end == end { return head }
        return identity.head(
            space: space,
            log: ownLog,
            end: end,
            chain: chain,
            byteCount: byteCount,
            membership: membershipHash,
            epoch: writeEpoch?.id ?? EpochKeyID(value: .zero)
        )
    }
}
