import SennitWire

// The third pass over a chunk: what came before what. See HistoryChunk+Decoding.swift.

extension ChunkReader {
    func readGraph(into graph: inout EventGraph) throws(WireError) {
        var columns = GraphColumns(self)
        let bytes = set.bytes.span
        let runCount = columns.counts.end - columns.counts.index
        let parentCount = columns.runs.end - columns.runs.index + runCount
        var runs = ChunkRuns(
            first: head.events.lowerBound,
            runCount: runCount,
            parentCount: parentCount
        )
        if graph.count == 0 { graph.reserve(runCount: runCount, parentCount: parentCount) }
        var parents: [LocalEvent] = []
        // For each log its last event in the runs so far, and the run that holds it.
        var last = [(event: LocalEvent, run: Int)](repeating: (-1, -1), count: logCount)
        var name = 0
        var start = head.events.lowerBound
        while !columns.counts.isAtEnd {
            let run = runs.begin(at: start)
            while name + 1 < nameStarts.count, nameStarts[name + 1] <= start {
                // A name that ended before the run before was passed then, so it ends in that.
                last[nameLogs[name]] = (nameStarts[name + 1] - 1, run - 1)
                name += 1
            }
            let code = columns.counts.nextCount(bytes)
            guard code >> 1 <= DocumentLimits.maximumParentCount else {
                throw invalid("too many parents", ID.parentCounts)
            }
            for _ in 0..<(code >> 1) {
                let back = columns.runs.nextCount(bytes)
                let gap = columns.gaps.nextCount(bytes)
                guard runs.addParent(back: back, gap: gap) else {
                    throw invalid("no event", ID.parentRuns)
                }
            }
            if code & 1 == 1 {
                let own = nameStarts[name] < start ? (start - 1, run - 1) : last[nameLogs[name]]
                guard own.0 >= head.events.lowerBound else {
                    throw invalid("no event before", ID.parentCounts)
                }
                runs.addParent(own.0, run: own.1)
            }
            runs.copyParents(to: &parents)
            guard parents.count <= DocumentLimits.maximumParentCount, runs.hasVersion(in: graph)
            else { throw invalid("parents that are no version", ID.parentRuns) }
            guard
                let end = columns.counts.isAtEnd
                    ? head.events.upperBound : columns.ends.next(bytes, operationEnds),
                end > start
            else { throw invalid("a run that doesn't end", ID.graphEnds) }
            graph.append(eventCount: end - start, parents: parents)
            start = end
        }
        try columns.finish(self)
        guard start == head.events.upperBound else {
            throw invalid("events outside the graph", ID.parentCounts)
        }
    }
}

/// The columns that the graph is read from.
private struct GraphColumns {
    var counts: ColumnCursor
    var runs: ColumnCursor
    var gaps: ColumnCursor
    var ends: RunEnds

    private typealias ID = HistoryChunk.ColumnID

    init(_ reader: ChunkReader) {
        counts = reader.cursor(ID.parentCounts)
        runs = reader.cursor(ID.parentRuns)
        gaps = reader.cursor(ID.parentGaps)
        ends = RunEnds(reader.cursor(ID.graphEnds), reader.cursor(ID.graphInsides))
    }

    func finish(_ reader: ChunkReader) throws(WireError) {
        try reader.finish(counts, ID.parentCounts)
        try reader.finish(runs, ID.parentRuns)
        try reader.finish(gaps, ID.parentGaps)
        try ends.finish(reader, ID.graphEnds, ID.graphInsides)
    }
}

/// The runs of the chunk so far, and the parents of each with the runs that hold them: what
/// `EventGraph` would have to search for.
private struct ChunkRuns {
    private struct Run {
        var start: LocalEvent
        /// Where in `parents` those of the run begin.
        var firstParent: Int
        /// The last run for which this one was found to hold a parent, or ancestors of one.
        var mark = -1
        /// The parent that this run holds of the run `mark`, or `noEvent`.
        var candidate = noEvent
    }

    private let first: LocalEvent
    private var runs: [Run] = []
    /// Each parent and its run in the chunk; -1 if it lies before the chunk.
    private var parents: [(event: LocalEvent, run: Int)] = []

    private static let noEvent = Int.max

    init(first: LocalEvent, runCount: Int, parentCount: Int) {
        self.first = first
        runs.reserveCapacity(runCount)
        parents.reserveCapacity(parentCount)
    }

    /// Begins a run without parents.
    /// - Returns: Its index.
    @inline(__always)
    mutating func begin(at start: LocalEvent) -> Int {
        runs.append(Run(start: start, firstParent: parents.count))
        return runs.count - 1
    }

    /// Adds a parent to the last run.
    /// - Returns: Whether there is such an event.
    @inline(__always)
    mutating func addParent(back: Int, gap: Int) -> Bool {
        let run = runs.count - 2 - back
        let end = run < 0 ? first : runs[run + 1].start
        guard run >= -1, gap < end - (run < 0 ? 0 : runs[run].start) else { return false }
        addParent(end - 1 - gap, run: run)
        return true
    }

    /// Adds a parent to the last run, where it belongs among the others.
    @inline(__always)
    mutating func addParent(_ event: LocalEvent, run: Int) {
        var index = parents.count
        parents.append((event, run))
        let low = runs[runs.count - 1].firstParent
        while index > low, parents[index - 1].event > event {
            parents.swapAt(index - 1, index)
            index -= 1
        }
    }

    /// Copies the parents of the last run.
    @inline(__always)
    func copyParents(to events: inout [LocalEvent]) {
        let low = runs[runs.count - 1].firstParent
        while events.count > parents.count - low { events.removeLast() }
        for index in low..<parents.count {
            if index - low < events.count {
                events[index - low] = parents[index].event
            } else {
                events.append(parents[index].event)
            }
        }
    }

    /// Whether the parents of the last run differ and none of them is an ancestor of another. Walks
    /// down the runs from the highest parent to the lowest.
    mutating func hasVersion(in graph: EventGraph) -> Bool {
        let latest = runs.count - 1
        let own = runs[latest].firstParent..<parents.count
        if own.count <= 1 { return true }
        let lowest = parents[own.lowerBound]
        if lowest.run < 0 {
            // Rare: one from before the chunk, whose runs are not at hand.
            let events = parents[own].map(\.event)
            return graph.dominators(of: events) == events
        }
        for index in own {
            let run = parents[index].run
            if runs[run].mark == latest { return false }
            runs[run].mark = latest
            runs[run].candidate = parents[index].event
        }
        // How many marked runs are still to be passed, that of the lowest parent not counted.
        var left = own.count - 1
        var run = parents[own.upperBound - 1].run
        while left > 0 {
            if runs[run].mark == latest {
                left -= 1
                for index in runs[run].firstParent..<runs[run + 1].firstParent {
                    let parent = parents[index]
                    if parent.event < lowest.event { continue }
                    if runs[parent.run].mark != latest {
                        runs[parent.run].mark = latest
                        runs[parent.run].candidate = ChunkRuns.noEvent
                        left += 1
                    } else if parent.event >= runs[parent.run].candidate {
                        return false
                    }
                }
            }
            run -= 1
        }
        return true
    }
}
