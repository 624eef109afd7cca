import SennitWire

/// Everything that ever happened in one document: which events there are, what each came after and
/// what each does. Grows only; what the text looks like is for a `Branch` to say.
struct History: Sendable {
    private(set) var graph = EventGraph()
    private(set) var names = EventNames()
    private(set) var operations = OperationLog()
    /// What came before, if it is not here. Then "no parents" means the base.
    let base: HistoryBase?
    /// What is left to be compared of the runs that are being added.
    private(set) var uncompared = UncomparedParents()

    /// Begins without events, after a base if there is one.
    init(base: HistoryBase? = nil) { self.base = base }

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
            operationCount: operations.operationCount,
            frontier: graph.frontier
        )
    }

    /// Takes everything back that was added since `mark`, before it was coalesced.
    mutating func truncate(to mark: Mark) {
        uncompared = UncomparedParents()
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
    ///   `historyNeeded` if some lie before the base.
    func version(named names: [EventID]) throws(DocumentError) -> [LocalEvent] {
        graph.dominators(of: try events(named: names))
    }

    /// The same, but one may be an ancestor of another.
    private func events(named names: [EventID]) throws(DocumentError) -> [LocalEvent] {
        if let base {
            if names == base.names { return [] }
            guard !names.isEmpty else { throw .historyNeeded }
        }
        var version: [LocalEvent] = []
        var unknown: [EventID] = []
        for name in names {
            if let event = self.names.event(named: name) {
                version.append(event)
            } else {
                unknown.append(name)
            }
        }
        guard unknown.isEmpty else {
            throw unknown.contains(where: contains) ? .historyNeeded : .unknownEvents(unknown)
        }
        return version
    }
}

// MARK: - Adding

extension History {
    /// Begins to add runs; `compareParents` ends it.
    /// - Returns: The state before.
    mutating func beginAdding() -> Mark {
        uncompared = UncomparedParents()
        uncompared.budget = DocumentLimits.minimumComparingStepCount + 4 * graph.runs.count
        return mark
    }

    /// Adds the events of `run` that are not here yet.
    /// - Returns: Whether there were any.
    /// - Throws: `overLimit`, `invalidRun`, `unknownEvents`, `conflictingEvent`, `historyNeeded`.
    ///   What was added
    ///   by earlier runs stays; the caller truncates.
    mutating func add(_ run: OperationRun) throws(DocumentError) -> Bool {
        let eventCount = try validated(run)
        let first = Int(run.start.number)
        let named = try events(named: run.parents)
        let version = graph.dominators(of: named, within: &uncompared.budget)
        let parents = version ?? Set(named).sorted()
        if let base, base.contains(anyOf: first..<(first + eventCount), of: run.start.log) {
            throw .historyNeeded
        }
        var knownCount = 0
        var lastKnown: LocalEvent?
        if let known = names.firstKnown(in: first..<(first + eventCount), of: run.start.log) {
            guard known == first else {
                throw .conflictingEvent(EventID(log: run.start.log, number: UInt64(known)))
            }
            knownCount = try countKnownEvents(of: run, eventCount: eventCount, parents: version)
            if version == nil { uncompared.known.append((run.start, parents)) }
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
        guard run.textByteCount <= DocumentLimits.maximumTextByteCount - operations.pool.count
        else {
            throw .overLimit(
                what: "bytes of inserted text",
                value: operations.pool.count + run.textByteCount,
                limit: DocumentLimits.maximumTextByteCount
            )
        }
        let newCount = eventCount - knownCount
        if version == nil, lastKnown == nil { uncompared.added.append((count, parents)) }
        appendNames(log: run.start.log, number: first + knownCount, count: newCount)
        appendToGraph(count: newCount, parents: lastKnown.map { [$0] } ?? parents)
        operations.append(run.content, skipping: knownCount)
        return true
    }

    /// Compares the parents of those runs for which that would have taken too long one by one.
    /// - Throws: `conflictingEvent`; the caller truncates.
    mutating func compareParents(since mark: Mark) throws(DocumentError) {
        let uncompared = self.uncompared
        self.uncompared = UncomparedParents()
        let redundant = uncompared.redundantParents(in: graph)
        if !redundant.isEmpty {
            graph.removeParents(redundant, since: mark.count, frontier: mark.frontier)
        }
        if let name = uncompared.conflict(in: self) { throw .conflictingEvent(name) }
    }

    /// Adds names for the next events that have none.
    mutating func appendNames(log: LogID, number: Int, count: Int) {
        names.append(count: count, log: log, number: number)
    }

    /// Adds events to the graph.
    mutating func appendToGraph(count: Int, parents: [LocalEvent]) {
        graph.append(eventCount: count, parents: parents)
    }

    /// Lends the three tables to a reader that fills them together: as many events in each.
    @inline(__always)
    mutating func fill<Failure: Error>(
        _ body: (inout EventGraph, inout EventNames, inout OperationLog) throws(Failure) -> Void
    ) throws(Failure) {
        try body(&graph, &names, &operations)
    }

    /// The index of a log among the names.
    mutating func logIndex(adding log: LogID) -> Int { names.logIndex(adding: log) }

    /// Adds events that continue the newest one in every respect; `body` adds what they do.
    @inline(__always)
    mutating func extend(by eventCount: Int, _ body: (inout OperationLog) -> Void) {
        graph.extend(by: eventCount)
        names.extend(by: eventCount)
        body(&operations)
    }

    /// Takes over operations that were read for the events of the graph.
    mutating func setOperations(_ operations: OperationLog) {
        self.operations = operations
    }
}

extension OperationRun {
    /// How many bytes the run adds to the texts of a document.
    fileprivate var textByteCount: Int {
        if case .insert(_, let text) = content { text.string.utf8.count } else { 0 }
    }
}
