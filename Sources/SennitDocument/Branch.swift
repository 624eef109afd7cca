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
    var text = Rope()
    /// The version of all events that are in the branch.
    private(set) var version: [LocalEvent] = []
    /// The events that are in the branch. Invariant: ascending, apart from each other.
    private(set) var events: [Range<LocalEvent>] = []
    /// What the last concurrent operation needed. Invariant: a current tracker holds all events of
    /// the branch from its base to its end, and everything in the branch that is not before the
    /// base is after it.
    var state: MergeState?
    /// How many operations of a batch were judged otherwise than the history had noted.
    var wrongVerdictCount = 0

    /// An empty text before all events.
    init() {}

    /// The event after the last one of the branch.
    var endOfEvents: LocalEvent { events.last?.upperBound ?? 0 }

    /// The text at a base, before all events after it.
    init(text: Rope) { self.text = text }

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
            let state = prepareTracker(holding: parents, in: history)
            state.tracker.move(
                to: parents,
                by: history.names.author(of: operation.events.lowerBound),
                in: history.graph
            )
            verdict = apply(operation, of: history, with: state, parents, changes: &changes)
        } else if let state, state.isCurrent, !state.tracker.canHold(parents) {
            ownState().isCurrent = false
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
        let state = prepareTracker(holding: target, in: history)
        state.tracker.move(to: target, by: -1, in: history.graph)
        return state.tracker.currentCount(finalCount: text.scalarCount)
    }

    /// Notes which version the text has been brought to.
    mutating func settle(at version: [LocalEvent], count: Int) {
        self.version = version
        events = [0..<count]
    }

    /// Applies an operation that was made at the branch's version.
    @discardableResult
    mutating func applyVerbatim(
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
        with state: MergeState,
        _ parents: [LocalEvent],
        changes: inout PatchList
    ) -> Verdict {
        var operation = operation
        let count = state.tracker.currentCount(finalCount: text.scalarCount)
        operation.isVoid = operation.isVoid || !operation.exists(in: count)
        let scalarCount = operation.events.count
        let bytes = history.operations.pool[operation.text]
        state.tracker.apply(
            operation,
            in: .version,
            parents: parents,
            names: history.names
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
    /// The merge state, with no other owner. If there was one, what it knew is lost to this branch.
    mutating func ownState() -> MergeState {
        if state != nil, isKnownUniquelyReferenced(&state), let state { return state }
        let fresh = MergeState()
        state = fresh
        return fresh
    }

    /// Makes the tracker hold all events of the branch from a base on that precedes `parents`.
    private mutating func prepareTracker(
        holding parents: [LocalEvent],
        in history: History
    ) -> MergeState {
        let state = ownState()
        if !state.tracker.canHold(parents) { state.isCurrent = false }
        var base = -1
        let floor = state.isCurrent ? state.tracker.end : 0
        if case .event(let event) = history.graph.base(of: [version, parents], floor: floor) {
            base = event
        }
        if !(state.isCurrent && isWorthKeeping(state, newBase: base)) {
            state.tracker.reset(base: base)
            state.isCurrent = true
        }
        catchUp(state, in: history)
        return state
    }

    /// Whether the tracker is kept, or a new one begins at `base`.
    ///
    /// Keeping one that is older than it need be costs what was not yet put into it, up to the new
    /// base. It is worth that if building it cost more: then whoever is still working at an old
    /// version can be merged without building it again, and the cost of keeping is spread over
    /// that of building.
    private func isWorthKeeping(_ state: MergeState, newBase base: LocalEvent) -> Bool {
        if base < state.tracker.end { return true }
        return state.tracker.spans.count <= DocumentLimits.maximumKeptSpanCount
            && base - state.tracker.end <= state.tracker.end - state.tracker.firstEvent
    }

    /// Puts the events into the tracker that are in the branch and not yet in it.
    private func catchUp(_ state: MergeState, in history: History) {
        let start = state.tracker.end
        let first = events.lastIndex { $0.upperBound <= start }.map { $0 + 1 } ?? 0
        for index in first..<events.count {
            let range = events[index]
            let new = max(range.lowerBound, start)..<range.upperBound
            state.tracker.follow(new, of: history)
        }
    }
}

extension Tracker {
    /// Applies events that the text shows already and that follow all applied so far.
    /// - Complexity: O(log n) for each operation and for each span of events in which its parents
    ///   differ from what was applied before.
    mutating func follow(_ events: Range<LocalEvent>, of history: History) {
        history.forEachPiece(in: events) { piece in
            let parents = history.graph.parents(of: piece.events.lowerBound)
            var frame = Frame.everything
            if piece.hasEffectOnText && (parents != tip || parents == version) {
                frame = .version
                let author = history.names.author(of: piece.events.lowerBound)
                move(to: parents, by: author, in: history.graph)
            }
            apply(piece, in: frame, parents: parents, names: history.names) { _ in }
        }
    }

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
            let operation = operations[operationIndex]
            let chain = graph.events(ofRun: runIndex).upperBound
            let end = min(operation.events.upperBound, chain, range.upperBound)
            body(operations.piece(of: operation, event..<end))
            if end == operation.events.upperBound { operationIndex += 1 }
            if end == chain { runIndex += 1 }
            event = end
        }
    }
}
