// The causal graph of one document's events.
//
// A replica numbers events in the order in which it stored them: `LocalEvent` 0, 1, 2, … Parents
// are stored before their children, so a local event is greater than all its ancestors. These
// numbers differ between replicas and never leave the module.
//
// Most events have the one before them as their only parent, so the graph is kept in runs:
//
//     G(0) -> A(1) -> A(2) -> A(3)          runs  0..<4  parents []
//                  \                              4..<6  parents [1]
//                   -> B(4) -> B(5) -> C(6)       6..<7  parents [3, 5]
//
// A version is the sorted list of local events that no other one of the set descends from;
// here {3} after A, {3, 5} before C, {6} after it. The version of everything is the frontier.
//
// Source: Gentle and Kleppmann, "Collaborative Text Editing with Eg-walker" (EuroSys 2025), 2.2.

/// The number that this replica gave to an event. An index of arrays in the hottest loops, hence
/// an `Int`; only `EventID` crosses the border of the module.
typealias LocalEvent = Int

/// Which events came before which, in runs. Grows at the end only.
struct EventGraph: Sendable {
    /// Events of which each but the first has the one before it as its only parent. They end where
    /// the next run starts.
    struct Run {
        /// The first event.
        var start: LocalEvent
        /// The lowest event from which on everything up to the run is an ancestor of the run.
        var shadow: LocalEvent
        /// Where in `parentPool` the parents of the first event begin; they end where those of
        /// the next run begin.
        var firstParent: Int
    }

    /// Invariant: ascending from 0; none continues its predecessor.
    private(set) var runs: [Run] = []
    /// Invariant: each run's parents are ascending, minimal, and lie before the run.
    private(set) var parentPool: [LocalEvent] = []
    /// The frontier when something was last added by `append`.
    private var olderFrontier: [LocalEvent] = []
    /// Whether the newest event has been all of the frontier since then.
    private var isExtended = false
    /// How many events there are.
    private(set) var count = 0

    /// Adds `eventCount` events in a chain, the first of them after `parents`, a version.
    mutating func append(eventCount: Int, parents: [LocalEvent]) {
        let start = count
        if parents.count == 1, parents[0] == start - 1, start > 0 {
            count += eventCount
        } else {
            var shadow = start
            while shadow > 0 && parents.contains(shadow - 1) {
                shadow = runs[runIndex(of: shadow - 1)].shadow
            }
            runs.append(Run(start: start, shadow: shadow, firstParent: parentPool.count))
            parentPool.append(contentsOf: parents)
            count += eventCount
        }
        if isExtended {
            olderFrontier = [start - 1]
            isExtended = false
        }
        EventGraph.advance(&olderFrontier, to: count - 1, over: parents)
    }

    /// Adds a run of which all is known; its parents and the frontier are to be added next.
    @inline(__always)
    mutating func appendRun(eventCount: Int, shadow: LocalEvent) {
        runs.append(Run(start: count, shadow: shadow, firstParent: parentPool.count))
        count += eventCount
    }

    /// Adds a parent to the last run, greater than those it has.
    @inline(__always)
    mutating func appendParent(_ parent: LocalEvent) { parentPool.append(parent) }

    /// Adds events to the last run; the frontier is to be set.
    @inline(__always)
    mutating func lengthenLastRun(by eventCount: Int) { count += eventCount }

    /// Says which events have no child.
    mutating func setFrontier(_ frontier: [LocalEvent]) {
        olderFrontier = frontier
        isExtended = false
    }

    /// The version of everything: ascending; no event of it has a child.
    var frontier: [LocalEvent] { isExtended ? [count - 1] : olderFrontier }

    /// Adds events in a chain after the newest event, which is all of the frontier.
    @inline(__always)
    mutating func extend(by eventCount: Int) {
        count += eventCount
        isExtended = true
    }

    /// Whether the newest event descends from all others.
    @inline(__always)
    var isLinearAtEnd: Bool {
        isExtended || (olderFrontier.count == 1 && olderFrontier[0] == count - 1)
    }

    /// Makes `version` include `event`, whose parents are given, and everything up to it.
    static func advance(
        _ version: inout [LocalEvent],
        to event: LocalEvent,
        over parents: [LocalEvent]
    ) {
        if version.count == 1 && parents.count == 1 && version[0] == parents[0] {
            version[0] = event
            return
        }
        version.removeAll { parents.contains($0) }
        version.append(event)
    }

    /// Forgets all events from `end` on; `frontier` is what it was when there were `end`.
    mutating func truncate(to end: Int, frontier: [LocalEvent]) {
        while let last = runs.last, last.start >= end {
            parentPool.removeSubrange(last.firstParent...)
            runs.removeLast()
        }
        count = end
        olderFrontier = frontier
        isExtended = false
    }

    /// Makes room, so that adding so many runs moves nothing.
    mutating func reserve(runCount: Int, parentCount: Int) {
        runs.reserveCapacity(runs.count + runCount)
        parentPool.reserveCapacity(parentPool.count + parentCount)
    }
}

// MARK: - Reading

extension EventGraph {
    /// The events of a run.
    @inline(__always)
    func events(ofRun index: Int) -> Range<LocalEvent> {
        let end = index + 1 < runs.count ? runs[index + 1].start : count
        return runs[index].start..<end
    }

    /// Where in `parentPool` the parents of a run's first event lie.
    @inline(__always)
    func parentRange(ofRun index: Int) -> Range<Int> {
        let end = index + 1 < runs.count ? runs[index + 1].firstParent : parentPool.count
        return runs[index].firstParent..<end
    }

    /// The index of the run that holds `event`.
    /// - Complexity: O(log n), O(1) for the last run.
    func runIndex(of event: LocalEvent) -> Int {
        var low = 0
        var high = runs.count - 1
        if runs[high].start <= event { return high }
        while low < high {
            let middle = (low + high + 1) / 2
            if runs[middle].start <= event { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// The same for a walk that goes down.
    /// - Parameter hint: The index of that run or of a later one.
    /// - Complexity: O(log n) for n runs in between.
    @inline(__always)
    func runIndex(of event: LocalEvent, notAfter hint: Int) -> Int {
        var low = hint
        var high = hint
        var step = 1
        while runs[low].start > event {
            high = low - 1
            low = max(low - step, 0)
            step *= 2
        }
        while low < high {
            let middle = (low + high + 1) / 2
            if runs[middle].start <= event { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// The version that `event` was made at.
    func parents(of event: LocalEvent) -> [LocalEvent] {
        let index = runIndex(of: event)
        return event > runs[index].start
            ? [event - 1] : Array(parentPool[parentRange(ofRun: index)])
    }
}
