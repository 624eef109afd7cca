import SennitDocument
import SennitSeal
import SennitWire

// From stored entries to documents: open, hold back until the causal context is applied, apply.
//
// A log moves on only entry by entry. When its next entry waits for another log or for a key, the
// log is written down with those that wait for the same; whatever is applied wakes those that
// waited for it. A log that doesn't begin with a record that counts waits for ever. So the work is
// O(entries), whatever the order of arrival. An entry whose operations take history that is on the
// disk only waits for that in the same way: Replica+History.swift.
//
// Whether an entry takes effect is a pure function of the entry and of its causal past. That is why
// an operation's parents must lie in the context its author declared: a replica that happens to
// know more must not accept what another one, that knows just the context, would refuse.

extension Replica {
    /// Applies what is ready, beginning with these logs.
    mutating func applyReady(_ first: [LogID], into change: inout ReplicaChange) {
        var ready = first
        repeat {
            while let log = ready.popLast() {
                guard let index = indexes[log] else { continue }
                while readNext(at: index, into: &change, ready: &ready) {}
                while applyNext(at: index, into: &change, ready: &ready) {}
            }
            if endsChanged { ready = settleLimits() }
        } while !ready.isEmpty
        chooseEpoch()
    }

    /// Applies the next entry of one log, or writes down why it waits.
    /// - Returns: whether an entry was applied.
    private mutating func applyNext(
        at index: Int,
        into change: inout ReplicaChange,
        ready: inout [LogID]
    ) -> Bool {
        guard !onlyReads, !logs[index].isAtLimit else { return false }
        guard let opened = openNext(at: index) else {
            if logs[index].hold != nil { change.touched.insert(logs[index].id) }
            return false
        }
        let log = logs[index].id
        let ahead = reasonToHold(opened, at: index, after: logs[index].appliedState)
        if let hold = ahead ?? reasonToWait(opened, at: index, into: &change, ready: &ready) {
            wait(hold, at: index)
            return false
        }
        // Its own record may have ended the log.
        guard !logs[index].isAtLimit else { return false }
        let before = logs[index].appliedState
        let plan = opened.body.flatMap {
            self.plan($0, table: opened.table, after: before, at: index)
        }
        if let document = documentLackingHistory(plan?.batches ?? []) {
            logs[index].hold = .history(document)
            historyWaiters[document, default: []].insert(log)
            return false
        }
        apply(opened, plan, at: index, into: &change)
        ready += waiters.removeValue(forKey: log) ?? []
        return true
    }

    /// The next entry of a log to apply, opened; `nil` if there is none or its key isn't known.
    private mutating func openNext(at index: Int) -> OpenedEntry? {
        if let opened = logs[index].next { return opened }
        logs[index].next = open(at: index, after: logs[index].appliedState)
        return logs[index].next
    }

    /// The entry after a state of its log, opened; `nil` if there is none or its key isn't known.
    mutating func open(at index: Int, after state: AuthorState) -> OpenedEntry? {
        guard let bytes = logs[index].waitingBytes(at: state.end),
            let chain = logs[index].chain(at: state.end)
        else { return nil }
        let place = EntryPlace(
            space: space,
            log: logs[index].id,
            offset: state.end,
            chain: chain
        )
        let table = state.table
        guard let entry = try? Entry(decoding: bytes) else {
            return OpenedEntry(
                entry: .unreadable,
                outcome: .poison,
                body: nil,
                table: table
            )
        }
        if entry.type == .genesis {
            let isGenuine = (try? Seal.genesis(in: entry, at: place)) != nil
            return OpenedEntry(
                entry: entry,
                outcome: isGenuine ? .applied : .poison,
                body: nil,
                table: table
            )
        }
        let keys = epochs.values.filter { $0.hint == entry.keyHint }
        guard !keys.isEmpty else {
            logs[index].hold = .key(hint: entry.keyHint)
            waitingForKey.insert(logs[index].id)
            noteIfLeftOut(by: entry, at: state.end, index)
            return nil
        }
        let opened = open(entry, at: place, under: keys, table: table)
        switch opened {
        case .success(let opened):
            clear(.leftOut, about: logs[index].id)
            return opened
        case .failure(.version):
            // Nobody here can say which logs the body names, so the log waits for an update.
            logs[index].hold = .version
            note(.needsUpdate(at: state.end), about: logs[index].id)
        case .failure(let hold):
            logs[index].hold = hold
            waitingForKey.insert(logs[index].id)
        }
        return nil
    }

    /// What an entry holds, or why nobody here can tell yet.
    ///
    /// That none of the keys with the right hint opens it doesn't make it poison: others may have
    /// a key with the same hint that does. It is poison only if it opens and isn't well-formed.
    private func open(
        _ entry: Entry,
        at place: EntryPlace,
        under keys: [EpochKey],
        table: LogTable
    ) -> Result<OpenedEntry, Hold> {
        for key in keys {
            do {
                let bytes = try Seal.open(entry, at: place, under: key)
                var newTable = table
                let body = try EntryBody(decoding: bytes, at: place, logs: &newTable)
                let isKnown = EntryType.known.contains(entry.type)
                return .success(
                    OpenedEntry(
                        entry: entry,
                        outcome: isKnown ? .applied : .unknown,
                        body: body,
                        table: newTable
                    )
                )
            } catch {
                switch error {
                case .needsUpdate: return .failure(.version)
                case .notAuthentic: continue
                default:
                    return .success(
                        OpenedEntry(entry: entry, outcome: .poison, body: nil, table: table)
                    )
                }
            }
        }
        return .failure(.key(hint: entry.keyHint))
    }

    /// Why an opened entry can't be read yet: what it has seen wasn't, or its log doesn't count.
    func reasonToHold(
        _ opened: OpenedEntry,
        at index: Int,
        after state: AuthorState
    ) -> Hold? {
        let log = logs[index]
        for position in opened.body?.context.positions ?? [] {
            let read = indexes[position.log].map { logs[$0].readEnd } ?? .zero
            if read < position.offset {
                return .context(log: position.log, end: position.offset)
            }
        }
        // It may take effect on what is typed here: that is put into an entry before.
        if opened.entry.type == .membership, log.id != ownLog, !pending.isEmpty, maySeal {
            return .unsealed
        }
        // The first entry of a log says who writes it: genesis or join. It needs no member before
        // it.
        if state.end == .zero, opened.entry.type == .genesis || opened.entry.type == .join {
            return nil
        }
        return membership?.role(ofLog: log.id) == nil ? .membership : nil
    }

    /// Applies one entry whose turn has come.
    private mutating func apply(
        _ opened: OpenedEntry,
        _ plan: Plan?,
        at index: Int,
        into change: inout ReplicaChange
    ) {
        let log = logs[index].id
        let offset = logs[index].applied
        let nextEvent = logs[index].nextEvent
        var effect = Effect(outcome: opened.outcome, eventEnd: nextEvent)
        if opened.entry.type == .genesis {
            if effect.outcome == .applied {
                effect.outcome = applyGenesis(opened.entry, at: index, into: &change)
                effect.controlBody = []
            }
        } else if let body = opened.body {
            if let plan {
                logs[index].context = plan.context
                logs[index].table = plan.table
                checkDigest(of: body.context, log: log, offset: offset)
                carryOut(plan, of: opened.entry, body: body, at: index, &effect, into: &change)
            } else {
                effect.outcome = .poison
            }
        }
        if effect.outcome == .poison { note(.poison(at: offset), about: log) }
        if effect.outcome == .unknown { note(.needsUpdate(at: offset), about: log) }
        change.applied.append(
            AppliedEntry(
                position: position,
                log: log,
                offset: offset,
                type: opened.entry.type,
                outcome: effect.outcome,
                authorTime: opened.body?.authorTime ?? 0,
                operations: effect.stored,
                controlBody: effect.controlBody,
                eventEnd: effect.eventEnd
            )
        )
        position = position.next
        logs[index].advance(eventEnd: effect.eventEnd)
        change.touched.insert(log)
    }

    /// What an entry came to.
    private struct Effect {
        var outcome: Outcome
        var eventEnd: UInt64
        var stored: [StoredOperations] = []
        var controlBody: [UInt8]?
    }

    /// A body that is well-formed to the last byte: only such a one changes anything.
    struct Plan {
        let context: Version
        let table: LogTable
        let batches: [OperationBatch]
        let eventEnd: UInt64
        let hasUnknownPayload: Bool
    }

    /// Decodes all of a body; `nil` if it is poison.
    func plan(
        _ body: EntryBody,
        table: LogTable,
        after state: AuthorState,
        at index: Int
    ) -> Plan? {
        let log = logs[index].id
        guard let context = try? body.context.advancing(state.context) else {
            return nil
        }
        var table = table
        var eventEnd = state.nextEvent
        var batches: [OperationBatch] = []
        var hasUnknownPayload = false
        for payload in body.payloads {
            switch payload.kind {
            case .operations:
                guard
                    let batch = try? OperationBatch(
                        decoding: payload.bytes,
                        author: log,
                        logs: &table
                    ),
                    batch.firstEvent == eventEnd
                else { return nil }
                eventEnd += UInt64(batch.eventCount)
                batches.append(batch)
            case .member, .invite, .changes, .lives:
                break
            default:
                hasUnknownPayload = true
            }
        }
        return Plan(
            context: context,
            table: table,
            batches: batches,
            eventEnd: eventEnd,
            hasUnknownPayload: hasUnknownPayload
        )
    }

    /// Lets a well-formed body take effect: control records first, then operations.
    private mutating func carryOut(
        _ plan: Plan,
        of entry: Entry,
        body: EntryBody,
        at index: Int,
        _ effect: inout Effect,
        into change: inout ReplicaChange
    ) {
        effect.eventEnd = plan.eventEnd
        if plan.hasUnknownPayload { effect.outcome = .unknown }
        let records = body.records
        if entry.type.isControl || (entry.type == .edit && !records.isEmpty) {
            effect.controlBody = ControlNote(seen: plan.context, payloads: records).bytes
            let outcome = applyControl(entry, payloads: records, at: index, into: &change)
            guard outcome == .applied else {
                effect.outcome = outcome
                return
            }
        }
        // A type that this version doesn't know has no effect, whatever it carries.
        guard EntryType.known.contains(entry.type) else { return }
        let role = membership?.role(ofLog: logs[index].id) ?? .reader
        let mayWrite = role >= .writer
        for batch in plan.batches {
            if mayWrite, isFounded(batch, at: index), merge(batch, into: &change) {
                effect.stored.append(batch.stored)
            } else {
                effect.outcome = .poison
            }
        }
    }

    /// Compares the author's digest over what it had seen with what is here.
    private mutating func checkDigest(of context: CausalContext, log: LogID, offset: Offset) {
        guard let theirs = context.digest else { return }
        var named: [(position: Position, chain: ChainHash)] = []
        for position in context.positions {
            guard let chain = chain(of: position.log, at: position.offset) else { return }
            named.append((position, chain))
        }
        if CausalContext.digest(of: named) != theirs {
            note(.unprovenContext(at: offset), about: log)
        }
    }

    /// Whether every parent lies in the author's own past: in the context it declared, or earlier
    /// in its own log.
    private func isFounded(_ batch: OperationBatch, at index: Int) -> Bool {
        let author = logs[index]
        return batch.runs.allSatisfy { run in
            run.parents.allSatisfy { parent in
                if parent.log == author.id { return parent.number < run.start.number }
                guard let other = indexes[parent.log] else { return false }
                let seen = author.context[parent.log]
                return parent.number < logs[other].eventCount(before: seen)
            }
        }
    }

    /// Merges operations whose parents are known.
    /// - Returns: false if the document refuses them, on every device alike.
    mutating func merge(_ batch: OperationBatch, into change: inout ReplicaChange) -> Bool {
        do {
            let result = try documents[batch.document, default: Document()].merge(batch.runs)
            change.note(result.changes, in: batch.document, mapChanged: batch.changesMap)
            return true
        } catch {
            // Refusing for a reason of this device alone would make its document another one.
            precondition(error != .historyNeeded, "History is asked for before anything is merged.")
            return false
        }
    }
}

extension EntryBody {
    /// What may be a record: all but operations and what says something of them.
    var records: [Payload] { payloads.filter { ![.operations, .lives].contains($0.kind) } }
}
