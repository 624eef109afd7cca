public import SennitWire

extension Document {
    /// Who wrote a part of the text.
    public struct Authorship: Hashable, Sendable {
        /// The scalars, by their positions in the text as it is.
        public var range: Range<Int>
        /// The event that inserted the first one; the others follow in the same log.
        public var first: EventID
    }

    /// Who wrote what is in a range of the text, from left to right, as few pieces as can be.
    /// - Throws: `positionOutOfBounds`; `historyNeeded`.
    /// - Complexity: O(log n + pieces) after the history has been replayed once, as below.
    public mutating func authorship(
        of range: Range<Int>
    ) throws(DocumentError) -> [Authorship] {
        try requirePosition(range.upperBound)
        let weave = try ownWeave()
        var result: [Authorship] = []
        var position = range.lowerBound
        for events in weave.events(in: range) {
            var event = events.lowerBound
            while event < events.upperBound {
                let end = min(history.names.endOfRun(holding: event), events.upperBound)
                let count = end - event
                let first = history.names.name(of: event)
                result.append(Authorship(range: position..<(position + count), first: first))
                position += count
                event = end
            }
        }
        return result
    }

    /// What turns the text at one version into the text at another, from left to right.
    ///
    /// Scalars are told apart by who inserted them, so what was deleted and typed anew is a change.
    /// - Parameter older: Any events of this document; what they descend from is included. The
    ///   same for `newer`, which need not descend from it.
    /// - Returns: Patches that touch each place once; each applies to the text that the one before
    ///   it left.
    /// - Throws: `unknownEvents`; `historyNeeded`.
    /// - Complexity: O(s) for s spans of history, after the history has been replayed once, as
    ///   below.
    public mutating func changes(
        from older: [EventID],
        to newer: [EventID]
    ) throws(DocumentError) -> [Patch] {
        let weave = try ownWeave()
        let older = try history.version(named: older)
        let newer = try history.version(named: newer)
        let before = EventRanges(weave.visible(at: older, in: history.graph))
        var writer = PatchWriter()
        for stretch in weave.stretches(at: newer, in: history.graph) {
            before.split(stretch.events) { events, wasVisible in
                switch (wasVisible, stretch.isVisible) {
                case (true, true): writer.keep(events.count)
                case (true, false): writer.delete(events.count)
                case (false, true): writer.insert(events, of: history)
                case (false, false): break
                }
            }
        }
        return writer.finish()
    }

    /// Makes the text what it was at an older version, by a new edit that others merge as any
    /// other. What they write at the same time stays.
    /// - Parameters:
    ///   - version: Any events of this document; what they descend from is included.
    ///   - author: The log that the events will be in.
    ///   - firstEvent: The number of the first new event in that log.
    /// - Returns: The new events, for others to merge, and what happened to the current text.
    /// - Throws: As `changes` and `edit` do.
    public mutating func restore(
        to version: [EventID],
        author: LogID,
        firstEvent: UInt64
    ) throws(DocumentError) -> (runs: [OperationRun], changes: [Patch]) {
        let patches = try changes(from: frontier, to: version)
        let runs = try edit(patches, author: author, firstEvent: firstEvent)
        return (runs, patches)
    }

    /// The version of the first events that this replica stored. Every replica that has the same
    /// events has such versions, in another order.
    /// - Parameter count: How many events; from 0 to `eventCount`.
    /// - Throws: `positionOutOfBounds`; `historyNeeded`.
    /// - Complexity: O(runs of the history).
    public mutating func version(ofFirst count: Int) throws(DocumentError) -> [EventID] {
        settle()
        try unpackHistory()
        guard (0...eventCount).contains(count) else {
            throw .positionOutOfBounds(position: count, scalarCount: eventCount)
        }
        return history.names(ofVersion: history.graph.frontier(ofFirst: count))
    }

    /// Who made the events of this document, in the order in which this replica stored them: the
    /// first event of each stretch of one log, and how many there are.
    /// - Throws: `historyNeeded`.
    /// - Complexity: O(stretches).
    public mutating func authors() throws(DocumentError) -> [(first: EventID, count: Int)] {
        settle()
        try unpackHistory()
        let names = history.names
        return names.runs.indices.map { index in
            let start = names.runs[index].start
            return (names.name(of: start), names.end(ofRun: index) - start)
        }
    }
}

// MARK: - Anchors

extension Document {
    /// An anchor at a position of the text as it is.
    /// - Parameters:
    ///   - position: In scalars, from 0 to the length of the text.
    ///   - side: Which neighbour it holds on to.
    /// - Throws: `positionOutOfBounds`; `historyNeeded`.
    /// - Complexity: O(log n) after the history has been replayed once, as below.
    public mutating func anchor(
        at position: Int,
        holding side: Anchor.Side = .right
    ) throws(DocumentError) -> Anchor {
        try requirePosition(position)
        switch side {
        case .left:
            if position == 0 { return .start }
            return .after(history.names.name(of: try ownWeave().event(at: position - 1)))
        case .right:
            if position == scalarCount { return .end }
            return .before(history.names.name(of: try ownWeave().event(at: position)))
        }
    }

    /// Where an anchor is in the text as it is, in scalars.
    /// - Throws: `unknownEvents` if it holds on to what this replica has not received, or to what
    ///   is no scalar; `historyNeeded`.
    /// - Complexity: As for `anchor`.
    public mutating func position(of anchor: Anchor) throws(DocumentError) -> Int {
        switch anchor {
        case .start: return 0
        case .end: return scalarCount
        case .before(let event): return try place(of: event).position
        case .after(let event):
            let place = try place(of: event)
            return place.position + (place.isVisible ? 1 : 0)
        }
    }

    private mutating func place(
        of name: EventID
    ) throws(DocumentError) -> (position: Int, isVisible: Bool) {
        let weave = try ownWeave()
        guard let event = history.names.event(named: name), let place = weave.place(of: event)
        else { throw .unknownEvents([name]) }
        return place
    }
}

// MARK: - The weave

extension Document {
    /// The whole history in the order of the text, up to now.
    /// - Throws: `historyNeeded`.
    /// - Complexity: That of replaying what is new since the last time; all, the first time. The
    ///   memory is given back by `releaseMergeState`.
    mutating func ownWeave() throws(DocumentError) -> Weave {
        settle()
        try unpackHistory()
        if weave == nil || !isKnownUniquelyReferenced(&weave) { weave = Weave() }
        guard let weave else { preconditionFailure("It has just been made.") }
        weave.catchUp(with: &history)
        return weave
    }

    private func requirePosition(_ position: Int) throws(DocumentError) {
        guard position <= scalarCount else {
            throw .positionOutOfBounds(position: position, scalarCount: scalarCount)
        }
    }
}

extension EventGraph {
    /// The version of the events below `count`.
    /// - Complexity: O(runs).
    func frontier(ofFirst count: Int) -> [LocalEvent] {
        if count == self.count { return frontier }
        var version: [LocalEvent] = []
        for run in runs.indices where runs[run].start < count {
            let parents = parentPool[parentRange(ofRun: run)]
            version.removeAll { parents.contains($0) }
            let events = events(ofRun: run)
            // A later run may begin in the middle of this one; its parent is then below its end.
            version.append(min(events.upperBound, count) - 1)
        }
        return dominators(of: version.sorted())
    }
}
