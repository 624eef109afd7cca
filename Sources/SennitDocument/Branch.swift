// The text at one version of a history, and what it takes to extend it by more events.
//
// An operation made at exactly the branch's version is applied to the text as it is. One that was
// made elsewhere goes through the tracker, which begins at a critical version: an event that all
// else either precedes or follows, so that what came before is plain text to everything after it.
//
//     G -> A -> B -> C          C is concurrent to D. The text is at C when D arrives.
//           \                   The base is A: B and C are replayed into a tracker, which says
//            -> D               where D lands. The next operation after D finds it ready.
//
// The tracker is kept. Operations that are applied to the text as it is are not put into it until
// another concurrent one arrives; then they are caught up with, or, if that one's base is newer
// and the old tracker is not worth its upkeep, a new tracker begins there. Each event is so put
// into a tracker O(log n) times as long as bases move forward; a base that moves back to an older
// event costs a replay from there, once.

/// The text at one version, ready for more events.
struct Branch: Sendable {
    /// The text at `version`.
    private(set) var text = Rope()
    /// The version of all events that are in the branch.
    private(set) var version: [LocalEvent] = []
    /// The events that are in the branch. Invariant: ascending, apart from each other.
    private(set) var events: [Range<LocalEvent>] = []
    /// What the last concurrent operation needed. Invariant: holds all events of the branch from
    /// its base to its end, and everything in the branch that is not before the base is after it.
    var tracker: Tracker?

    /// An empty text before all events.
    init() {}

    /// The text of a whole history, which the caller vouches for.
    init(text: Rope, of history: History) {
        self.text = text
        version = history.graph.frontier
        if history.count > 0 { events = [0..<history.count] }
    }

    /// Whether an operation has an effect in the text it was made for.
    enum Verdict {
        case valid
        case void
    }
}

extension Branch {
    /// Adds the events of the next operation, all of whose ancestors are in the branch.
    /// - Parameter changes: Receives what happens to the text.
    /// - Returns: `void` if the position does not exist at the parents; then the events have no
    ///   effect, here and everywhere, because this depends on nothing but the operation's past.
    /// - Complexity: O(log n) for an operation made at the branch's version; otherwise see above.
    mutating func apply(
        _ operation: OperationLog.Operation,
        of history: History,
        changes: inout PatchList
    ) -> Verdict {
        let parents = history.graph.parents(of: operation.events.lowerBound)
        var verdict = Verdict.valid
        if parents == version {
            verdict = applyVerbatim(operation, of: history, changes: &changes)
        } else if operation.isOnText {
            var tracker = takeTracker(holding: parents, in: history)
            tracker.move(to: parents, in: history.graph)
            verdict = apply(operation, of: history, with: &tracker, parents, changes: &changes)
            self.tracker = tracker
        } else if let tracker, !tracker.canHold(parents) {
            self.tracker = nil
        }
        EventGraph.advance(&version, to: operation.events.upperBound - 1, over: parents)
        if let last = events.indices.last,
            events[last].upperBound == operation.events.lowerBound
        {
            events[last] = events[last].lowerBound..<operation.events.upperBound
        } else {
            events.append(operation.events)
        }
        return verdict
    }

    /// How many scalars the text at another version of the branch has.
    /// - Complexity: As for applying an operation that was made at that version.
    mutating func scalarCount(at target: [LocalEvent], in history: History) -> Int {
        if target == version { return text.scalarCount }
        var tracker = takeTracker(holding: target, in: history)
        tracker.move(to: target, in: history.graph)
        self.tracker = tracker
        return tracker.currentCount(finalCount: text.scalarCount)
    }

    private mutating func applyVerbatim(
        _ operation: OperationLog.Operation,
        of history: History,
        changes: inout PatchList
    ) -> Verdict {
        guard operation.hasEffectOnText else { return operation.isVoid ? .void : .valid }
        guard operation.exists(in: text.scalarCount) else { return .void }
        if operation.kind == .insert {
            let bytes = history.operations.pool[operation.text]
            text.insert(utf8: bytes, at: operation.position)
            changes.insert(bytes, count: operation.events.count, at: operation.position)
        } else {
            let range = operation.position..<(operation.position + operation.events.count)
            text.remove(range)
            changes.delete(range)
        }
        return .valid
    }

    private mutating func apply(
        _ operation: OperationLog.Operation,
        of history: History,
        with tracker: inout Tracker,
        _ parents: [LocalEvent],
        changes: inout PatchList
    ) -> Verdict {
        var operation = operation
        let count = tracker.currentCount(finalCount: text.scalarCount)
        operation.isVoid = operation.isVoid || !operation.exists(in: count)
        let scalarCount = operation.events.count
        let bytes = history.operations.pool[operation.text]
        tracker.apply(
            operation,
            in: .version,
            parents: parents,
            isBefore: history.precedes(operation.events.lowerBound)
        ) { effect in
            switch effect {
            case .insert(let position):
                text.insert(utf8: bytes, at: position)
                changes.insert(bytes, count: scalarCount, at: position)
            case .delete(let range):
                text.remove(range)
                changes.delete(range)
            }
        }
        return operation.isVoid ? .void : .valid
    }
}

// MARK: - The tracker

extension Branch {
    /// A tracker that holds all events of the branch from a base on that precedes `parents`. It is
    /// taken out, so that it has one owner while it changes; the caller puts it back.
    private mutating func takeTracker(
        holding parents: [LocalEvent],
        in history: History
    ) -> Tracker {
        let kept = tracker.flatMap { $0.canHold(parents) ? $0 : nil }
        tracker = nil
        var tracker: Tracker
        switch history.graph.base(of: [version, parents], floor: kept?.end ?? 0) {
        case .event(let base):
            tracker = Branch.better(kept, base: base)
        case .root, .belowFloor:
            tracker = Branch.better(kept, base: -1)
        }
        catchUp(&tracker, in: history)
        return tracker
    }

    /// Either the kept tracker or a new one that begins at `base`.
    ///
    /// Keeping one that is older than it need be costs what was not yet put into it, up to the new
    /// base. It is worth that if building it cost more: then whoever is still working at an old
    /// version can be merged without building it again, and the cost of keeping is spread over
    /// that of building.
    private static func better(_ kept: consuming Tracker?, base: LocalEvent) -> Tracker {
        guard let kept else { return Tracker(base: base) }
        if base < kept.end { return kept }
        let isWorthKeeping =
            kept.spans.count <= DocumentLimits.maximumKeptSpanCount
            && base - kept.end <= kept.end - kept.firstEvent
        return isWorthKeeping ? kept : Tracker(base: base)
    }

    /// Puts the events into the tracker that are in the branch and not yet in it.
    private func catchUp(_ tracker: inout Tracker, in history: History) {
        let start = tracker.end
        let first = events.lastIndex { $0.upperBound <= start }.map { $0 + 1 } ?? 0
        for range in events[first...] {
            history.forEachPiece(in: max(range.lowerBound, start)..<range.upperBound) { piece in
                let parents = history.graph.parents(of: piece.events.lowerBound)
                var frame = Tracker.Frame.everything
                if piece.hasEffectOnText && (parents != tracker.tip || parents == tracker.version) {
                    frame = .version
                    tracker.move(to: parents, in: history.graph)
                }
                tracker.apply(
                    piece,
                    in: frame,
                    parents: parents,
                    isBefore: history.precedes(piece.events.lowerBound)
                ) { _ in
                    // The text shows it already.
                }
            }
        }
    }
}

extension Tracker {
    /// Whether a version can have come after the base, given that everything with a higher number
    /// than the base does.
    func canHold(_ version: [LocalEvent]) -> Bool {
        base < 0 || (!version.isEmpty && version.allSatisfy { $0 >= base })
    }
}

extension OperationLog.Operation {
    /// Whether the kind is one of text.
    var isOnText: Bool {
        switch kind {
        case .insert, .deleteForward, .deleteBackward: true
        case .map, .unknown, .gather: false
        }
    }

    /// Whether the operation may change the text.
    var hasEffectOnText: Bool { isOnText && !isVoid }

    /// Whether the position of a text operation exists in a text of `count` scalars.
    func exists(in count: Int) -> Bool {
        kind == .insert ? position <= count : position + events.count <= count
    }
}

extension History {
    /// Whether the name of an event is smaller than those of others.
    func precedes(_ event: LocalEvent) -> (LocalEvent) -> Bool {
        { other in names.name(of: event) < names.name(of: other) }
    }

    /// Calls `body` with the operations of a range of events, cut so that each is a chain.
    func forEachPiece(
        in range: Range<LocalEvent>,
        _ body: (OperationLog.Operation) -> Void
    ) {
        if range.isEmpty { return }
        var event = range.lowerBound
        var operationIndex = operations.operationIndex(of: event)
        var runIndex = graph.runIndex(of: event)
        while event < range.upperBound {
            let operation = operations.operations[operationIndex]
            let run = graph.runs[runIndex]
            let end = min(
                operation.events.upperBound,
                run.events.upperBound,
                range.upperBound
            )
            body(operations.piece(of: operation, event..<end))
            if end == operation.events.upperBound { operationIndex += 1 }
            if end == run.events.upperBound { runIndex += 1 }
            event = end
        }
    }
}
