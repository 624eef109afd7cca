import SennitWire

/// Everything that ever happened in one document: which events there are, what each came after and
/// what each does. Grows only; what the text looks like is for a `Branch` to say.
struct History: Sendable {
    private(set) var graph = EventGraph()
    private(set) var names = EventNames()
    private(set) var operations = OperationLog()

    /// How many events there are.
    var count: Int { graph.count }

    /// What `truncate` needs to take additions back.
    struct Mark {
        var count: Int
        var operationCount: Int
        var frontier: [LocalEvent]
    }

    /// The state before additions that may have to be taken back.
    var mark: Mark {
        Mark(
            count: count,
            operationCount: operations.operations.count,
            frontier: graph.frontier
        )
    }

    /// Takes everything back that was added since `mark`, before it was coalesced.
    mutating func truncate(to mark: Mark) {
        graph.truncate(to: mark.count, frontier: mark.frontier)
        names.truncate(to: mark.count)
        operations.truncate(to: mark.count)
    }

    /// Joins operations that were added since `mark` where they can be joined.
    mutating func coalesce(since mark: Mark) {
        operations.coalesce(from: mark.operationCount)
    }

    /// Marks a stored operation as being without effect.
    mutating func markVoid(operationIndex: Int) {
        operations.markVoid(operationIndex: operationIndex)
    }

    /// The local events of a version's names.
    /// - Throws: `unknownEvents` with those that are not here.
    func version(named names: [EventID]) throws(DocumentError) -> [LocalEvent] {
        var version: [LocalEvent] = []
        var unknown: [EventID] = []
        for name in names {
            if let event = self.names.event(named: name) {
                version.append(event)
            } else {
                unknown.append(name)
            }
        }
        guard unknown.isEmpty else { throw .unknownEvents(unknown) }
        return version.count <= 1 ? version : graph.dominators(of: version)
    }
}

// MARK: - Adding

extension History {
    /// Adds the events of `run` that are not here yet.
    /// - Returns: Whether there were any.
    /// - Throws: `overLimit`, `invalidRun`, `unknownEvents`, `conflictingEvent`. What was added
    ///   by earlier runs stays; the caller truncates.
    mutating func add(_ run: OperationRun) throws(DocumentError) -> Bool {
        let eventCount = try validated(run)
        let first = Int(run.start.number)
        let parents = try version(named: run.parents)
        var knownCount = 0
        var lastKnown: LocalEvent?
        if let known = names.firstKnown(in: first..<(first + eventCount), of: run.start.log) {
            guard known == first else {
                throw .conflictingEvent(EventID(log: run.start.log, number: UInt64(known)))
            }
            knownCount = try countKnownEvents(of: run, eventCount: eventCount, parents: parents)
            if knownCount == eventCount { return false }
            let number = run.start.number + UInt64(knownCount - 1)
            lastKnown = names.event(named: EventID(log: run.start.log, number: number))
        }
        guard count + eventCount <= DocumentLimits.maximumDocumentEventCount else {
            throw .overLimit(
                what: "events of a document",
                value: count + eventCount,
                limit: DocumentLimits.maximumDocumentEventCount
            )
        }
        let newCount = eventCount - knownCount
        appendNames(log: run.start.log, number: first + knownCount, count: newCount)
        appendToGraph(count: newCount, parents: lastKnown.map { [$0] } ?? parents)
        operations.append(run.content, skipping: knownCount)
        return true
    }

    /// Adds names for the next events that have none.
    mutating func appendNames(log: LogID, number: Int, count: Int) {
        names.append(count: count, log: log, number: number)
    }

    /// Adds events to the graph.
    mutating func appendToGraph(count: Int, parents: [LocalEvent]) {
        graph.append(eventCount: count, parents: parents)
    }

    /// Takes over operations that were read for the events of the graph.
    mutating func setOperations(_ operations: OperationLog) {
        self.operations = operations
    }
}
