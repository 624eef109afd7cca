import SennitDocument
import SennitSeal
import SennitWire

// Standing up again: what the journal holds, folded in the order in which it was applied.

extension Replica {
    /// Takes over what the journal holds into a replica that has nothing.
    mutating func restore(_ record: ReplicaRecord) throws(SyncError) {
        var waiting: [LogID: [[UInt8]]] = [:]
        for entry in record.waiting { waiting[entry.log, default: []].append(entry.bytes) }
        for (log, restored) in record.logs.sorted(by: { $0.key < $1.key }) {
            indexes[log] = logs.count
            logs.append(LogState(restoring: restored, waiting: waiting[log] ?? [], space: space))
        }
        position = record.position
        var unused = ReplicaChange()
        for key in record.epochs { learn(key, into: &unused) }
        let keyHolders = record.controls.map(\.entry.bytes) + record.waiting.map(\.bytes)
        _ = learnKeys(from: keyHolders, into: &unused)
        for control in record.controls { restore(control) }
        noteEnds()
        chooseEpoch()
        // Who only reads may have seen more of an ended log than counts. The records in that rest
        // aren't among those that were applied, so what was folded here is not to be relied on.
        let applied = appliedVersion
        if logs.contains(where: { !applied.covers($0.context) }) { needsRebuild = true }

        documents.merge(record.documents) { _, stored in stored }
        for operations in record.pending {
            let batch = try decode(operations.operations)
            pending.append(
                Pending(
                    sequence: operations.sequence,
                    batch: batch,
                    byteCount: operations.operations.bytes.count,
                    life: operations.life
                )
            )
            pendingEvents += UInt64(batch.eventCount)
            nextSequence = operations.sequence + 1
        }
        try merge(record.operations, typed: record.pending.map(\.operations))
    }

    /// Goes on with what waited when the process ended: entries whose causal past is here by now,
    /// or that a newer Sennit can read. Call it once after standing up.
    /// - Returns: what to make durable.
    public mutating func resume() -> ReplicaChange {
        var change = ReplicaChange()
        applyReady(logs.map(\.id), into: &change)
        finish(&change)
        return change
    }

    /// Folds one control record into membership again, with what its author had seen then.
    private mutating func restore(_ control: (entry: StoredEntry, applied: AppliedEntry)) {
        guard let index = indexes[control.entry.log],
            let entry = try? Entry(decoding: control.entry.bytes)
        else { return }
        if entry.type == .genesis {
            var unused = ReplicaChange()
            _ = applyGenesis(entry, at: index, into: &unused)
        } else if let bytes = control.applied.controlBody,
            let note = try? ControlNote(decoding: bytes)
        {
            _ = fold(
                entry,
                payloads: note.payloads,
                from: Membership.Source(
                    author: logs[index].descriptor,
                    log: control.entry.log,
                    offset: control.entry.offset,
                    hash: EntryHash(of: control.entry.bytes),
                    seen: note.seen
                )
            )
        }
    }

    /// Merges operations the journal holds, one batch for each document, then those that are in no
    /// entry. These may build on what doesn't count any more, if this device may not write or what
    /// counts is still to be worked out.
    private mutating func merge(
        _ operations: [StoredOperations],
        typed: [StoredOperations]
    ) throws(SyncError) {
        let (applied, own) = (try runs(of: operations), try runs(of: typed))
        let all = applied.merging(own) { $0 + $1 }
        let lacking = all.filter { documents[$0.key]?.needsHistory(toMerge: $0.value) == true }
        guard lacking.isEmpty else { throw .historyNeeded(Set(lacking.keys)) }
        for (id, runs) in applied { try merge(runs, into: id) }
        for (id, runs) in own {
            do {
                try merge(runs, into: id)
            } catch {
                guard needsRebuild || !maySeal else { throw error }
            }
        }
    }

    private func runs(
        of operations: [StoredOperations]
    ) throws(SyncError) -> [DocumentID: [OperationRun]] {
        var runs: [DocumentID: [OperationRun]] = [:]
        for stored in operations {
            runs[stored.document, default: []] += try decode(stored).runs
        }
        return runs
    }

    private mutating func merge(_ runs: [OperationRun], into id: DocumentID) throws(SyncError) {
        do {
            _ = try documents[id, default: Document()].merge(runs)
        } catch {
            throw .document(error)
        }
    }

    private func decode(_ stored: StoredOperations) throws(SyncError) -> OperationBatch {
        do {
            return try stored.batch()
        } catch {
            throw .document(error)
        }
    }
}
