// Questions about ancestry. Each is a walk from the given events down, greatest event first: when
// an event is reached, everything that descends from it and matters has been seen. A walk steps
// over whole runs, so its cost is the number of runs it passes, times the log of the heap.

extension EventGraph {
    private static let left: UInt8 = 1
    private static let right: UInt8 = 2
    private static let shared: UInt8 = 3

    /// The events that are in the history of one version and not of the other, as ascending
    /// ranges; and how many steps it took, of which most may have passed what both have.
    func difference(
        _ left: [LocalEvent],
        _ right: [LocalEvent]
    ) -> (onlyLeft: [Range<LocalEvent>], onlyRight: [Range<LocalEvent>], stepCount: Int) {
        var onlyLeft: [Range<LocalEvent>] = []
        var onlyRight: [Range<LocalEvent>] = []
        var stepCount = 0
        if left == right { return (onlyLeft, onlyRight, stepCount) }
        var heap = VersionHeap()
        for event in left { heap.push(event, flags: EventGraph.left) }
        for event in right { heap.push(event, flags: EventGraph.right) }
        var unshared = left.count + right.count
        var run = runs.count - 1
        while unshared > 0, let popped = heap.pop() {
            stepCount += 1
            var flags = popped.flags
            unshared -= flags == EventGraph.shared ? 0 : 1
            while let top = heap.top, top.event == popped.event, heap.pop() != nil {
                unshared -= top.flags == EventGraph.shared ? 0 : 1
                flags |= top.flags
            }
            run = runIndex(of: popped.event, notAfter: run)
            var low = runs[run].start
            let added = flags == EventGraph.shared ? 0 : 1
            if let top = heap.top, top.event >= low {
                low = top.event + 1
                heap.push(top.event, flags: flags)
                unshared += added
            } else {
                let parents = parentRange(ofRun: run)
                for parent in parentPool[parents] { heap.push(parent, flags: flags) }
                unshared += added * parents.count
            }
            let range = low..<(popped.event + 1)
            if flags == EventGraph.left { EventGraph.prepend(range, to: &onlyLeft) }
            if flags == EventGraph.right { EventGraph.prepend(range, to: &onlyRight) }
        }
        return (onlyLeft.reversed(), onlyRight.reversed(), stepCount)
    }

    /// The history of a version, as ascending ranges.
    func history(of version: [LocalEvent]) -> [Range<LocalEvent>] {
        difference(version, []).onlyLeft
    }

    /// Appends to ranges that are collected in descending order.
    private static func prepend(
        _ range: Range<LocalEvent>,
        to ranges: inout [Range<LocalEvent>]
    ) {
        if let last = ranges.indices.last, ranges[last].lowerBound == range.upperBound {
            ranges[last] = range.lowerBound..<ranges[last].upperBound
        } else {
            ranges.append(range)
        }
    }

    /// What a search for a common base found.
    enum Base: Equatable {
        /// All of the versions descend from this event, or are it, and what they have besides its
        /// history descends from it.
        case event(LocalEvent)
        /// The versions have different first events, or one of them is empty.
        case root
        /// Whatever it is lies below the floor.
        case belowFloor
    }

    /// The greatest event through which everything that is in `versions` has passed: a critical
    /// version (Eg-walker, 3.5) of their union.
    /// - Parameter floor: The search ends at the first event below it.
    func base(of versions: [[LocalEvent]], floor: LocalEvent) -> Base {
        var heap = VersionHeap()
        var run = runs.count - 1
        for version in versions {
            if version.isEmpty { return .root }
            for event in version { heap.push(event) }
        }
        while let popped = heap.pop() {
            while heap.top?.event == popped.event, heap.pop() != nil {}
            guard let top = heap.top else { return .event(popped.event) }
            if popped.event < floor { return .belowFloor }
            run = runIndex(of: popped.event, notAfter: run)
            if top.event >= runs[run].start { continue }
            let parents = parentRange(ofRun: run)
            if parents.isEmpty { return .root }
            for parent in parentPool[parents] { heap.push(parent) }
        }
        return .root
    }

    /// Whether `event` is in the history of `version`.
    func isInHistory(_ event: LocalEvent, of version: [LocalEvent]) -> Bool {
        if version == frontier { return true }
        var heap = VersionHeap()
        for tip in version where tip >= event { heap.push(tip) }
        var run = runs.count - 1
        while let popped = heap.pop() {
            while heap.top?.event == popped.event, heap.pop() != nil {}
            run = runIndex(of: popped.event, notAfter: run)
            if event >= runs[run].shadow { return true }
            for parent in parentPool[parentRange(ofRun: run)] where parent >= event {
                heap.push(parent)
            }
        }
        return false
    }

    /// The events of `events` that no other one of them descends from, ascending.
    func dominators(of events: [LocalEvent]) -> [LocalEvent] {
        var budget = Int.max
        return dominators(of: events, within: &budget) ?? events
    }

    /// The same, if it takes no more steps than are left.
    /// - Parameter budget: Steps; what was taken is taken off.
    func dominators(of events: [LocalEvent], within budget: inout Int) -> [LocalEvent]? {
        if events.count <= 1 { return events }
        let derived: UInt8 = 1
        var heap = VersionHeap()
        for event in Set(events) { heap.push(event) }
        var candidates = Set(events).count
        var result: [LocalEvent] = []
        var run = runs.count - 1
        while candidates > 0, let popped = heap.pop() {
            budget -= 1
            if budget <= 0 { return nil }
            var isDerived = popped.flags == derived
            candidates -= isDerived ? 0 : 1
            while let top = heap.top, top.event == popped.event, heap.pop() != nil {
                candidates -= top.flags == derived ? 0 : 1
                isDerived = isDerived || top.flags == derived
            }
            if !isDerived { result.append(popped.event) }
            run = runIndex(of: popped.event, notAfter: run)
            if let top = heap.top, top.event >= runs[run].start {
                heap.push(top.event, flags: derived)
            } else {
                for parent in parentPool[parentRange(ofRun: run)] {
                    heap.push(parent, flags: derived)
                }
            }
        }
        return result.reversed()
    }
}
