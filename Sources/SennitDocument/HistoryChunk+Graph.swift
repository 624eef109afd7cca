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
        runs.olderTips = graph.frontier
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
            guard runs.own.count <= DocumentLimits.maximumParentCount, runs.hasVersion(in: graph)
            else { throw invalid("parents that are no version", ID.parentRuns) }
            guard
                let end = columns.counts.isAtEnd
                    ? head.events.upperBound : columns.ends.next(bytes, operationEnds),
                end > start
            else { throw invalid("a run that doesn't end", ID.graphEnds) }
            runs.appendLast(until: end, to: &graph)
            start = end
        }
        graph.setFrontier(runs.tips(end: start))
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
private struct ChunkRuns: ~Copyable {
    private struct Run: BitwiseCopyable {
        var start: LocalEvent
        /// As that of the run of the graph that holds it.
        var shadow: LocalEvent = 0
        /// Where in `parents` those of the run begin.
        var firstParent: Int
        /// The last run for which this one was found to hold a parent, or ancestors of one.
        var mark = -1
        /// The parent that this run holds of the run `mark`, or `noEvent`.
        var candidate = noEvent
        /// Whether another run comes after its last event.
        var isCovered = false
    }

    private struct Parent: BitwiseCopyable {
        var event: LocalEvent
        /// -1 if it lies before the chunk.
        var run: Int
    }

    private let first: LocalEvent
    private var runs: Slab<Run>
    /// Each parent and its run in the chunk.
    private var parents: Slab<Parent>
    /// Of the frontier before the chunk what no run comes after.
    var olderTips: [LocalEvent] = []

    private static let noEvent = Int.max

    init(first: LocalEvent, runCount: Int, parentCount: Int) {
        self.first = first
        runs = Slab(capacity: runCount)
        parents = Slab(capacity: parentCount)
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
        let parent = Parent(event: event, run: run)
        parents.append(parent)
        let low = runs[runs.count - 1].firstParent
        while index > low, parents[index - 1].event > event {
            parents[index] = parents[index - 1]
            index -= 1
        }
        parents[index] = parent
    }

    /// Where the parents of the last run lie.
    @inline(__always)
    var own: Range<Int> { runs[runs.count - 1].firstParent..<parents.count }

    /// Adds the last run to the graph. All but the frontier is as `EventGraph.append` does it, but
    /// nothing is searched for.
    @inline(__always)
    mutating func appendLast(until end: LocalEvent, to graph: inout EventGraph) {
        let latest = runs.count - 1
        let start = runs[latest].start
        let own = self.own
        var shadow = start
        // They are ascending and none is an ancestor of another.
        for index in own.reversed() {
            let parent = parents[index]
            if parent.run < 0 {
                olderTips.removeAll { $0 == parent.event }
            } else if parent.event == runs[parent.run + 1].start - 1 {
                runs[parent.run].isCovered = true
            }
            guard parent.event == shadow - 1 else { continue }
            shadow =
                parent.run < 0
                ? graph.runs[graph.runIndex(of: parent.event)].shadow : runs[parent.run].shadow
        }
        runs[latest].shadow = shadow
        if own.count == 1, start > 0, parents[own.lowerBound].event == start - 1 {
            graph.lengthenLastRun(by: end - start)
            return
        }
        graph.appendRun(eventCount: end - start, shadow: shadow)
        for index in own { graph.appendParent(parents[index].event) }
    }

    /// The frontier after all runs.
    func tips(end: LocalEvent) -> [LocalEvent] {
        var tips = olderTips
        for index in 0..<runs.count where !runs[index].isCovered {
            tips.append((index + 1 < runs.count ? runs[index + 1].start : end) - 1)
        }
        return tips
    }

    /// Whether the parents of the last run differ and none of them is an ancestor of another. Walks
    /// down the runs from the highest parent to the lowest.
    mutating func hasVersion(in graph: EventGraph) -> Bool {
        let latest = runs.count - 1
        let own = self.own
        if own.count <= 1 { return true }
        let lowest = parents[own.lowerBound]
        if lowest.run < 0 {
            // Rare: one from before the chunk, whose runs are not at hand.
            let events = own.map { parents[$0].event }
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
