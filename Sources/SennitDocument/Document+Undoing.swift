public import SennitWire

extension Document {
    /// Takes back the last group of one's own that something is left of. What others wrote stays.
    /// - Parameters:
    ///   - stack: What one did; it notes what is done now, for `redo`.
    ///   - author: The log that the events will be in.
    ///   - firstEvent: The number of the first new event in that log.
    /// - Returns: The new events, for others to merge, and what happened to the current text; none
    ///   if there is nothing to undo.
    /// - Throws: As `edit` does, and `historyNeeded`. Then nothing has changed.
    /// - Complexity: O(s) for s spans of history, after the history has been replayed once; see
    ///   `changes(from:to:)`.
    public mutating func undo(
        _ stack: inout UndoStack,
        author: LogID,
        firstEvent: UInt64
    ) throws(DocumentError) -> (runs: [OperationRun], changes: [Patch]) {
        try takeBack(&stack, .undo, author: author, firstEvent: firstEvent)
    }

    /// Does again what `undo` took back last.
    /// - Returns: As `undo`.
    /// - Throws: As `undo` does.
    public mutating func redo(
        _ stack: inout UndoStack,
        author: LogID,
        firstEvent: UInt64
    ) throws(DocumentError) -> (runs: [OperationRun], changes: [Patch]) {
        try takeBack(&stack, .redo, author: author, firstEvent: firstEvent)
    }

    private mutating func takeBack(
        _ stack: inout UndoStack,
        _ direction: UndoStack.Direction,
        author: LogID,
        firstEvent: UInt64
    ) throws(DocumentError) -> (runs: [OperationRun], changes: [Patch]) {
        var taken = stack
        while let group = taken.take(direction) {
            let (patches, restored) = try inverse(of: group, copies: taken.copies)
            if patches.isEmpty { continue }
            let runs = try edit(patches, author: author, firstEvent: firstEvent)
            taken.note(runs, copies(of: restored, in: runs), after: direction)
            stack = taken
            return (runs, patches)
        }
        stack = taken
        return ([], [])
    }

    /// What takes a group of events back, and what the scalars are copies of that it inserts, from
    /// left to right.
    private mutating func inverse(
        of group: UndoStack.Group,
        copies: [UndoStack.Copy]
    ) throws(DocumentError) -> (patches: [Patch], restored: [LocalEvent]) {
        let weave = try ownWeave()
        var own: [Range<LocalEvent>] = []
        for events in group { own += history.names.events(named: events.first, events.count) }
        let events = EventRanges(own)
        let copies = LocalCopies(copies, in: history.names)
        let first = history.names.event(named: group[0].first)
        let parents = first.map(history.graph.parents(of:)) ?? []
        var undoing = Undoing(
            inserted: copies.families(of: events),
            targets: EventRanges(weave.targets(of: events.ranges)),
            before: EventRanges(weave.visible(at: parents, in: history.graph)),
            copies: copies
        )
        for stretch in weave.stretches(at: history.graph.frontier, in: history.graph) {
            undoing.pass(stretch, in: weave)
        }
        let (patches, restored) = undoing.patches(of: history)
        return (patches, restored.joined().map(copies.original))
    }

    /// Which new scalars are copies of which: both lists are in the same order.
    private func copies(of originals: [LocalEvent], in runs: [OperationRun]) -> [UndoStack.Copy] {
        var new: [EventID] = []
        for run in runs {
            guard case .insert = run.content else { continue }
            for index in 0..<run.eventCount {
                new.append(EventID(log: run.start.log, number: run.start.number + UInt64(index)))
            }
        }
        var copies: [UndoStack.Copy] = []
        for (event, copy) in zip(originals, new) {
            let original = history.names.name(of: event)
            if let last = copies.last, last.end == (original, copy) {
                copies[copies.count - 1].count += 1
            } else {
                copies.append(UndoStack.Copy(original: original, copy: copy, count: 1))
            }
        }
        return copies
    }
}

extension UndoStack.Copy {
    /// The names that would go on with both.
    fileprivate var end: (EventID, EventID) {
        let count = UInt64(self.count)
        return (
            EventID(log: original.log, number: original.number + count),
            EventID(log: copy.log, number: copy.number + count)
        )
    }
}

extension EventNames {
    /// The local events of consecutive names, in that order, up to one that is not here.
    func events(named first: EventID, _ count: Int) -> [Range<LocalEvent>] {
        var result: [Range<LocalEvent>] = []
        var done = 0
        while done < count {
            let name = EventID(log: first.log, number: first.number + UInt64(done))
            guard let event = event(named: name) else { break }
            let end = min(endOfRun(holding: event), event + count - done)
            result.append(event..<end)
            done += end - event
        }
        return result
    }
}
