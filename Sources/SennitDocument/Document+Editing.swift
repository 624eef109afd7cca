public import SennitWire

extension Document {
    /// Changes the text as it is now.
    /// - Parameters:
    ///   - patches: Each applies to the text that the one before it left.
    ///   - author: The log that the events will be in.
    ///   - firstEvent: The number of the first new event in that log.
    /// - Returns: The new events, for others to merge.
    /// - Throws: `positionOutOfBounds`; `conflictingEvent` if a number is taken.
    /// - Complexity: O(log n + length of the text) for each patch.
    public mutating func edit(
        _ patches: [Patch],
        author: LogID,
        firstEvent: UInt64
    ) throws(DocumentError) -> [OperationRun] {
        try edit(patches, atLocal: history.graph.frontier, author: author, firstEvent: firstEvent)
            .runs
    }

    /// Changes the text as somebody sees it who has not caught up.
    /// - Parameters:
    ///   - patches: Each applies to the text that the one before it left; the first one to the
    ///     text at `parents`.
    ///   - parents: Any events of this document; what they descend from is included.
    ///   - author: The log that the events will be in.
    ///   - firstEvent: The number of the first new event in that log.
    /// - Returns: The new events, for others to merge, and what happened to the current text.
    /// - Throws: `unknownEvents`; `positionOutOfBounds`; `conflictingEvent` if a number is taken;
    ///   `historyNeeded`.
    /// - Complexity: That of merging the same events.
    public mutating func edit(
        _ patches: [Patch],
        at parents: [EventID],
        author: LogID,
        firstEvent: UInt64
    ) throws(DocumentError) -> (runs: [OperationRun], changes: [Patch]) {
        if parents != frontier {
            do {
                _ = try history.version(named: parents)
            } catch {
                guard error == .historyNeeded else { throw error }
                try unpackHistory()
            }
        }
        let version =
            parents == frontier ? history.graph.frontier : try history.version(named: parents)
        return try edit(patches, atLocal: version, author: author, firstEvent: firstEvent)
    }

    /// Sets a key of the root map, in place of all values that are there now.
    /// - Parameter firstEvent: The number of the new event.
    /// - Returns: The new event, for others to merge; after it has gathered more concurrent
    ///   versions than one run may name, several.
    /// - Throws: `conflictingEvent` if the number is taken; `overLimit`.
    public mutating func setMap(
        key: String,
        value: [UInt8],
        author: LogID,
        firstEvent: UInt64
    ) throws(DocumentError) -> [OperationRun] {
        try change(.mapSet(key: .init(key), value: value), author: author, firstEvent: firstEvent)
    }

    /// Removes a key of the root map with all values that are there now.
    /// - Parameter firstEvent: The number of the new event.
    /// - Returns: As for `setMap`.
    /// - Throws: `conflictingEvent` if the number is taken; `overLimit`.
    public mutating func removeMap(
        key: String,
        author: LogID,
        firstEvent: UInt64
    ) throws(DocumentError) -> [OperationRun] {
        try change(.mapRemove(key: .init(key)), author: author, firstEvent: firstEvent)
    }

    private mutating func change(
        _ content: OperationRun.Content,
        author: LogID,
        firstEvent: UInt64
    ) throws(DocumentError) -> [OperationRun] {
        var builder = OperationRunBuilder(
            author: author,
            firstEvent: firstEvent,
            parents: frontier
        )
        builder.append(content, count: 1)
        try requireNew(builder.runs)
        _ = try merge(builder.runs)
        return builder.runs
    }

    private mutating func edit(
        _ patches: [Patch],
        atLocal version: [LocalEvent],
        author: LogID,
        firstEvent: UInt64
    ) throws(DocumentError) -> (runs: [OperationRun], changes: [Patch]) {
        settle()
        var builder = OperationRunBuilder(
            author: author,
            firstEvent: firstEvent,
            parents: history.names(ofVersion: version)
        )
        let scalarCount = branch.scalarCount(at: version, in: history)
        try builder.add(patches, scalarCount: scalarCount)
        try requireNew(builder.runs)
        let result = try merge(builder.runs)
        return (builder.runs, result.changes)
    }

    /// A number that is taken would make the new events look like old ones, and they would be lost.
    private func requireNew(_ runs: [OperationRun]) throws(DocumentError) {
        for run in runs {
            let first = Int(clamping: run.start.number)
            let numbers = first..<(first.addingReportingOverflow(run.eventCount).partialValue)
            if let base = history.base, base.contains(anyOf: numbers, of: run.start.log) {
                throw .conflictingEvent(run.start)
            }
            if let taken = history.names.firstKnown(in: numbers, of: run.start.log) {
                throw .conflictingEvent(EventID(log: run.start.log, number: UInt64(taken)))
            }
        }
    }
}
