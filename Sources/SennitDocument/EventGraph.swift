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
    /// Events of which each but the first has the one before it as its only parent.
    struct Run {
        var events: Range<LocalEvent>
        /// Where in `parentPool` the parents of the first event lie.
        var parents: Range<Int>
        /// The lowest event from which on everything up to the run is an ancestor of the run.
        var shadow: LocalEvent
    }

    /// Invariant: consecutive, covering 0..<count; none continues its predecessor.
    private(set) var runs: [Run] = []
    /// Invariant: each run's parents are ascending, minimal, and lie before the run.
    private(set) var parentPool: [LocalEvent] = []
    /// The version of everything. Invariant: ascending; no event of it has a child.
    private(set) var frontier: [LocalEvent] = []

    /// How many events there are.
    var count: Int { runs.last?.events.upperBound ?? 0 }

    /// Adds `eventCount` events in a chain, the first of them after `parents`, a version.
    mutating func append(eventCount: Int, parents: [LocalEvent]) {
        let start = count
        if let last = runs.indices.last, parents.count == 1, parents[0] == start - 1 {
            runs[last].events = runs[last].events.lowerBound..<(start + eventCount)
        } else {
            let pooled = parentPool.count..<(parentPool.count + parents.count)
            parentPool.append(contentsOf: parents)
            var shadow = start
            while shadow > 0 && parents.contains(shadow - 1) {
                shadow = runs[runIndex(of: shadow - 1)].shadow
            }
            runs.append(
                Run(events: start..<(start + eventCount), parents: pooled, shadow: shadow)
            )
        }
        EventGraph.advance(&frontier, to: start + eventCount - 1, over: parents)
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
        while let last = runs.last, last.events.lowerBound >= end {
            runs.removeLast()
            parentPool.removeSubrange(last.parents)
        }
        if let last = runs.indices.last {
            runs[last].events = runs[last].events.lowerBound..<end
        }
        self.frontier = frontier
    }

    /// The index of the run that holds `event`.
    /// - Complexity: O(log n), O(1) for the last run.
    func runIndex(of event: LocalEvent) -> Int {
        var low = 0
        var high = runs.count - 1
        if runs[high].events.lowerBound <= event { return high }
        while low < high {
            let middle = (low + high + 1) / 2
            if runs[middle].events.lowerBound <= event { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// The version that `event` was made at.
    func parents(of event: LocalEvent) -> [LocalEvent] {
        let run = runs[runIndex(of: event)]
        return event > run.events.lowerBound ? [event - 1] : Array(parentPool[run.parents])
    }
}
