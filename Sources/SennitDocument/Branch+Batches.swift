// Many events at once.
//
// One operation at a time needs the tracker to say at once where it lands (Branch.swift). Of a
// batch only the outcome matters, so it is taken stretch by stretch between critical versions,
// events that all others either precede or follow:
//
//     G -> A -> B -> C ----> E -> F         verbatim      G A      nothing is concurrent to them
//               \           /               concurrent    B C D    from the base A on
//                -> D -----                 verbatim      E F
//
// What is verbatim is applied to the text as it is. A concurrent stretch is replayed into a tracker
// in the order of a `ReplayPlan`; nothing is said about where operations land. At its end the
// characters lie in document order, each known to be in the old text, in the new one, in both or in
// neither, and one walk over them gives the difference as patches from left to right, however often
// the same place was changed. If the text holds events of the stretch already, those are replayed
// first, and what they leave is the old text.
//
// Source: Eg-walker, 3.5 (critical versions), 3.6 (partial replay). The difference by one walk is
// ours; it saves the search for where each operation lands and all text that is deleted again.

extension Branch {
    /// How many new operations are cheaper to add at once: a batch begins a new tracker, so it must
    /// be worth more than the one that is kept.
    var minimumBatchCount: Int {
        guard let state, state.isCurrent else { return DocumentLimits.minimumBatchCount }
        return max(DocumentLimits.minimumBatchCount, state.tracker.spans.count / 2)
    }

    /// Adds all events of the history from `first` on; the branch has those before it.
    /// - Parameters:
    ///   - keepsTracker: Whether more concurrent operations are likely to follow. If not, the
    ///     memory of a large stretch is given back before the text is made.
    ///   - changes: Receives what happens to the text.
    /// - Returns: Whether all verdicts are those that the history had noted; nothing is noted of
    ///   runs that have just been added.
    /// - Complexity: O(n + k log k) for n events without concurrency and k with, after replaying
    ///   once the m old events since the last critical version.
    mutating func applyBatch(
        from first: LocalEvent,
        of history: inout History,
        keepsTracker: Bool = true,
        changes: inout PatchList
    ) -> Bool {
        let state = ownState()
        state.tracker.wrongVerdictCount = 0
        wrongVerdictCount = 0
        state.isCurrent = false
        let base = batchBase(from: first, in: history.graph)
        var batch = Batch(base: base, oldEnd: first, keepsTracker: keepsTracker)
        let firstRun = history.graph.runIndex(of: base + 1)
        let lowestParents = history.graph.lowestParents(fromRun: firstRun)
        var tips: [LocalEvent] = base < 0 ? [] : [base]
        for run in firstRun..<history.graph.runs.count {
            let events = history.graph.events(ofRun: run)
            let start = max(events.lowerBound, base + 1)
            if events.lowerBound < start {
                tips.removeAll { $0 == start - 1 }
            } else {
                for index in history.graph.parentRange(ofRun: run) {
                    let parent = history.graph.parentPool[index]
                    if let place = tips.firstIndex(of: parent) { tips.remove(at: place) }
                }
            }
            tips.append(events.upperBound - 1)
            guard tips.count == 1 else { continue }
            let lastCritical = min(events.upperBound - 1, lowestParents[run - firstRun])
            // A critical version below `first` would have been the base.
            guard lastCritical >= max(start, first) else { continue }
            let firstCritical = max(start, first)
            replay(
                batch.base + 1..<firstCritical,
                after: batch,
                with: state,
                of: &history,
                changes: &changes
            )
            state.isCurrent = false
            applyVerbatim(firstCritical..<(lastCritical + 1), of: &history, changes: &changes)
            batch.base = lastCritical
            batch.oldEnd = lastCritical + 1
        }
        replay(
            batch.base + 1..<history.count,
            after: batch,
            with: state,
            of: &history,
            changes: &changes
        )
        settle(at: history.graph.frontier, count: history.count)
        return wrongVerdictCount + state.tracker.wrongVerdictCount == 0
    }

    /// The last event that everything in the branch precedes or follows, and all new events follow.
    private func batchBase(from first: LocalEvent, in graph: EventGraph) -> LocalEvent {
        if first == 0 { return -1 }
        var versions = [version]
        var lowest = first
        for run in graph.runIndex(of: first)..<graph.runs.count {
            let events = graph.events(ofRun: run)
            if events.lowerBound < first {
                versions.append([first - 1])
                continue
            }
            let parents = Array(graph.parentPool[graph.parentRange(ofRun: run)])
            if parents.isEmpty { return -1 }
            guard parents[0] < lowest else { continue }
            lowest = parents[0]
            versions.append(parents.filter { $0 < first })
        }
        if case .event(let base) = graph.base(of: versions, floor: 0) { return base }
        return -1
    }

    /// Applies a chain of events that nothing is concurrent to.
    private mutating func applyVerbatim(
        _ events: Range<LocalEvent>,
        of history: inout History,
        changes: inout PatchList
    ) {
        var pending = PendingEdit()
        var hint = 0
        // Verdicts change, texts don't. Asked for at each operation, it would be retained as often.
        let pool = history.operations.pool
        history.forEachOperation(in: events, near: &hint) { operation, index, history in
            guard operation.isOnText else { return }
            let scalarCount = text.scalarCount + pending.growth
            if history.isVerdictWrong(operation, index: index, in: scalarCount) {
                wrongVerdictCount += 1
            }
            if history.operations.isVoid(operationIndex: index) { return }
            let position = operation.position
            let count = operation.events.count
            if operation.kind == .insert {
                if !pending.insert(operation.text, of: pool, count: count, at: position) {
                    pending.settle(in: &text, from: pool, at: position)
                    _ = pending.insert(operation.text, of: pool, count: count, at: position)
                }
                changes.insert(pool[operation.text], count: count, at: position)
            } else {
                let range = position..<(position + count)
                if !pending.delete(range, of: pool) {
                    pending.settle(in: &text, from: pool, at: range.upperBound)
                    _ = pending.delete(range, of: pool)
                }
                changes.delete(range)
            }
        }
        pending.settle(in: &text, from: pool, at: 0)
    }
}

// MARK: - Concurrent stretches

extension Branch {
    /// Where a batch has got to.
    private struct Batch {
        /// The text is at this event, apart from events between it and `oldEnd`.
        var base: LocalEvent
        /// Events below are in the text.
        var oldEnd: LocalEvent
        let keepsTracker: Bool
    }

    private mutating func replay(
        _ events: Range<LocalEvent>,
        after batch: Batch,
        with state: MergeState,
        of history: inout History,
        changes: inout PatchList
    ) {
        if events.isEmpty { return }
        let oldEnd = max(batch.oldEnd, events.lowerBound)
        let old = events.lowerBound..<oldEnd
        let new = oldEnd..<events.upperBound
        let scalarCount = text.scalarCount
        state.withParts { tracker, plan, difference in
            tracker.reset(base: batch.base)
            tracker.reserve(operationCount: history.operations.count(in: events))
            let isPlanned = plan.prepare(of: history.graph, events: events, cut: oldEnd)
            if isPlanned {
                plan.walk(old) { tracker.take($0, of: &history, unknownCount: nil) }
            } else {
                tracker.replayAsArrived(old, of: &history, unknownCount: nil)
            }
            tracker.beginOutput()
            let unknownCount = scalarCount - Int(tracker.content.total.final)
            if isPlanned {
                plan.walk(new) { tracker.take($0, of: &history, unknownCount: unknownCount) }
                tracker.finishReplay(at: plan.last, end: events.upperBound, in: history.graph)
            } else {
                tracker.replayAsArrived(new, of: &history, unknownCount: unknownCount)
            }
            tracker.note(&difference, from: oldEnd)
            if !batch.keepsTracker, tracker.isLarge {
                wrongVerdictCount += tracker.wrongVerdictCount
                tracker = Tracker(base: -1)
                plan = ReplayPlan()
            }
            apply(difference, of: history, changes: &changes)
        }
        state.isCurrent = state.tracker.end == events.upperBound
    }

    /// Changes the text from left to right.
    private mutating func apply(
        _ difference: borrowing TextDifference,
        of history: History,
        changes: inout PatchList
    ) {
        var bytes: [UInt8] = []
        var hint = 0
        for index in 0..<difference.changes.count {
            let change = difference.changes[index]
            if change.deletedCount > 0 {
                text.remove(change.deleted)
                changes.delete(change.deleted)
            }
            if change.insertedCount == 0 { continue }
            var position = change.position
            var count = 0
            for place in difference.inserted(by: index) {
                let events = difference.inserted[place]
                history.appendText(
                    of: events.start..<events.end,
                    near: &hint,
                    to: &bytes
                )
                count += events.end - events.start
                if bytes.count >= DocumentLimits.maximumGatheredByteCount {
                    insert(&bytes, count: count, at: position, changes: &changes)
                    position += count
                    count = 0
                }
            }
            insert(&bytes, count: count, at: position, changes: &changes)
        }
    }

    private mutating func insert(
        _ bytes: inout [UInt8],
        count: Int,
        at position: Int,
        changes: inout PatchList
    ) {
        text.insert(utf8: bytes[...], at: position)
        changes.insert(bytes[...], count: count, at: position)
        bytes.removeAll(keepingCapacity: true)
    }
}

extension Tracker {
    /// Replays a whole history from nothing, through its critical versions as well.
    /// - Complexity: O(n log n), and what the plan can't keep short.
    mutating func weave(_ history: inout History) {
        reset(base: -1)
        let events = 0..<history.count
        if events.isEmpty { return }
        reserve(operationCount: history.operations.operationCount)
        var plan = ReplayPlan()
        if plan.prepare(of: history.graph, events: events, cut: 0) {
            plan.walk(events) { take($0, of: &history, unknownCount: nil) }
            finishReplay(at: plan.last, end: events.upperBound, in: history.graph)
        } else {
            replayAsArrived(events, of: &history, unknownCount: nil)
        }
    }

    /// What was deleted up to here is not in the old text.
    fileprivate mutating func beginOutput() {
        for index in 0..<spans.count { spans[index].wasDeletedByBatch = false }
    }

    /// Performs a step of a plan.
    /// - Parameter unknownCount: What to add to the count of current characters for the length of
    ///   the text at the version; if it is there, positions of new operations are judged by it.
    fileprivate mutating func take(
        _ step: ReplayPlan.Step,
        of history: inout History,
        unknownCount: Int?
    ) {
        switch step {
        case .retreat(let events): change(events, by: -1)
        case .advance(let events): change(events, by: 1)
        case .apply(let events): replay(events, of: &history, unknownCount: unknownCount)
        }
    }

    /// Applies a chain of events at whose parents the version is.
    private mutating func replay(
        _ events: Range<LocalEvent>,
        of history: inout History,
        unknownCount: Int?
    ) {
        var hint = lastOperation
        defer { lastOperation = hint }
        history.forEachOperation(in: events, near: &hint) { operation, index, history in
            guard operation.isOnText else { return }
            if let unknownCount {
                let scalarCount = currentTotal + unknownCount
                if history.isVerdictWrong(operation, index: index, in: scalarCount) {
                    wrongVerdictCount += 1
                }
            }
            if history.operations.isVoid(operationIndex: index) { return }
            replay(operation, names: history.names)
        }
    }

    /// The same for events in the order of arrival, which may be from several branches.
    fileprivate mutating func replayAsArrived(
        _ events: Range<LocalEvent>,
        of history: inout History,
        unknownCount: Int?
    ) {
        var event = events.lowerBound
        while event < events.upperBound {
            let run = history.graph.runIndex(of: event)
            let end = min(history.graph.events(ofRun: run).upperBound, events.upperBound)
            let parents = history.graph.parents(of: event)
            move(to: parents, by: history.names.author(of: event), in: history.graph)
            replay(event..<end, of: &history, unknownCount: unknownCount)
            EventGraph.advance(&tip, to: end - 1, over: parents)
            version = [end - 1]
            event = end
        }
        self.end = events.upperBound
    }

    /// Notes what a plan has replayed, so that single operations may follow.
    fileprivate mutating func finishReplay(
        at last: LocalEvent,
        end: LocalEvent,
        in graph: EventGraph
    ) {
        self.end = end
        tip = graph.frontier
        version = [last]
    }

    /// Notes what changed from the text of the events below `oldEnd` to that of all.
    fileprivate mutating func note(_ difference: inout TextDifference, from oldEnd: LocalEvent) {
        difference.removeAll()
        let firstNewKey = key(of: oldEnd)
        content.forEach { handle in
            let span = spans[handle]
            // A span may have been typed on at its end.
            let oldCount = min(max(firstNewKey - span.key, 0), Int(span.count))
            if span.wasDeletedByBatch {
                difference.delete(oldCount)
                spans[handle].wasDeletedByBatch = false
            } else if !span.wasDeleted {
                difference.keep(oldCount)
                if oldCount < Int(span.count) {
                    let start = event(ofKey: span.key)
                    difference.insert((start + oldCount)..<(start + Int(span.count)))
                }
            }
        }
    }
}

extension History {
    /// Calls `body` with the operations of a chain of events, cut to it, and their indexes.
    /// - Parameter hint: Where to look first; where it ended.
    @inline(__always)
    mutating func forEachOperation(
        in range: Range<LocalEvent>,
        near hint: inout Int,
        _ body: (OperationLog.Operation, Int, inout History) -> Void
    ) {
        if range.isEmpty { return }
        var event = range.lowerBound
        var index = operations.operationIndex(of: event, near: hint)
        defer { hint = index }
        while event < range.upperBound {
            let operation = operations[index]
            let end = min(operation.events.upperBound, range.upperBound)
            body(operations.piece(of: operation, event..<end), index, &self)
            index += 1
            event = end
        }
    }

    /// Judges a new operation by the text that its author saw, when its first piece is replayed. If
    /// its place does not exist there, it is marked as being without effect.
    /// - Parameter piece: A part of the operation within one chain. What belongs to another chain
    ///   is another author's or another version's, however it is stored.
    /// - Returns: Whether that is not what was noted of the operation before.
    fileprivate mutating func isVerdictWrong(
        _ piece: OperationLog.Operation,
        index: Int,
        in scalarCount: Int
    ) -> Bool {
        if !piece.isVoid {
            // If all of the operation from here on exists, so does what is judged, which begins
            // here and may end earlier. Of the other kinds the end doesn't matter.
            var rest = piece
            if piece.kind == .deleteForward {
                let end = operations[index].events.upperBound
                rest.events = piece.events.lowerBound..<end
            }
            if rest.exists(in: scalarCount) { return false }
        }
        let stored = operations[index]
        if piece.events == stored.events {
            // The piece is within one chain, so all of the operation is.
            if stored.exists(in: scalarCount) { return stored.isVoid }
            if !stored.isVoid { markVoid(operationIndex: index) }
            return !stored.isVoid
        }
        let chain = graph.events(ofRun: graph.runIndex(of: piece.events.lowerBound))
        let start = max(stored.events.lowerBound, chain.lowerBound)
        guard piece.events.lowerBound == start else { return false }
        let end = min(stored.events.upperBound, chain.upperBound)
        let whole = operations.piece(of: stored, start..<end)
        if whole.exists(in: scalarCount) { return stored.isVoid }
        if !stored.isVoid { markVoid(operationIndex: index) }
        return !stored.isVoid
    }

    /// Appends the characters that a range of events inserted.
    /// - Parameter hint: As for `forEachOperation`.
    func appendText(
        of events: Range<LocalEvent>,
        near hint: inout Int,
        to bytes: inout [UInt8]
    ) {
        var event = events.lowerBound
        var index = operations.operationIndex(of: event, near: hint)
        defer { hint = index }
        while event < events.upperBound {
            let operation = operations[index]
            let end = min(operation.events.upperBound, events.upperBound)
            let piece = operations.piece(of: operation, event..<end)
            bytes.append(contentsOf: operations.pool[piece.text])
            index += 1
            event = end
        }
    }
}

extension EventGraph {
    /// For each run from `first` on, the lowest parent of all runs after it; `Int.max` after the
    /// last, -1 if one of them has no parents.
    fileprivate func lowestParents(fromRun first: Int) -> [LocalEvent] {
        var lowest = [LocalEvent](repeating: .max, count: runs.count - first)
        for run in stride(from: runs.count - 1, to: first, by: -1) {
            let parents = parentRange(ofRun: run)
            let least = parents.isEmpty ? -1 : parentPool[parents.lowerBound]
            lowest[run - 1 - first] = min(lowest[run - first], least)
        }
        return lowest
    }
}
