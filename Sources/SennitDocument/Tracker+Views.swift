// Several versions at once, for many authors at work at the same time.
//
// Moving from one author's version to another's undoes and redoes all in which they differ. If two
// authors are a few keystrokes apart that is little. If forty hear of each other now and then, it
// is thousands of events for each keystroke. So a tracker that moves much gets more versions, or
// views.
// Each author works in one, and an event is redone once in each view, when its author hears of it.
//
//     A types, B types, A types     one view: undo A's, redo B's; undo B's, redo A's
//                                   two views: nothing to undo or redo
//
// View 0 lies in the spans and in the tree's own current weights; the states of the others lie in
// `sideStates`, all those of a span together, and their weights in the tree's side views. The view
// of an operation is found by its parents: one that is there already; else one that ends with one
// of them, at best with one of the same author; else the one that was not used for the longest
// time begins anew, as a copy of the current view if that is nearer. Nothing but time depends on
// the choice.
//
// To find what a view lacks of a version, the graph is walked down from the version's events and
// only to what the view has, so hearing of k runs costs O(k) whatever else there is. For that each
// view knows how many events of each run it has (`knownCounts`).
//
// The paper has one version (Eg-walker, 3.3). A CRDT that keeps ids in its operations needs none,
// but pays with ids for every operation; this pays only where authors are far apart.

extension Tracker {
    /// A version that is shown.
    struct View {
        /// The version, unless the view is the active one.
        var version: [LocalEvent]
        /// The author of the last event that was applied in it, by index; -1 if there is none.
        var author: Int
        /// When it was left.
        var lastUse: Int
    }

    /// Views that a tracker may have.
    static let maximumViewCount = 64
    /// States that all side views together may have: 8 MB.
    static let maximumSideStateCount = 1 << 21

    /// How many side views there are.
    @inline(__always)
    var sideViewCount: Int { content.sideViews.count }

    /// The state of characters at `version`.
    @inline(__always)
    func state(of handle: Handle) -> Int32 {
        activeView == 0
            ? spans[handle].state
            : sideStates[Int(handle) * sideViewCount + activeView - 1]
    }

    /// Does or undoes characters at `version`.
    @inline(__always)
    mutating func addToState(_ step: Int32, of handle: Handle, at cursor: Cursor) {
        if activeView == 0 {
            spans[handle].state += step
            content.setWeight(at: cursor, to: spans[handle].weight)
        } else {
            let index = Int(handle) * sideViewCount + activeView - 1
            sideStates[index] += step
            let isVisible = sideStates[index] == 1
            content.setVisible(at: cursor, inSideView: activeView - 1, to: isVisible)
        }
    }

    /// Whether characters have a state at `version` and were not inserted in any other view.
    @inline(__always)
    func isOnly(_ state: Int32, of handle: Handle) -> Bool {
        if sideViewCount == 0 { return spans[handle].state == state }
        if spans[handle].state != (activeView == 0 ? state : 0) { return false }
        let first = Int(handle) * sideViewCount
        for view in 0..<sideViewCount
        where sideStates[first + view] != (view == activeView - 1 ? state : 0) {
            return false
        }
        return true
    }

    /// Notes in all side views that a span was cut, and where its second part lies.
    mutating func splitSideStates(of handle: Handle, at cursor: Cursor, to new: Handle) {
        let from = Int(handle) * sideViewCount
        let to = Int(new) * sideViewCount
        for view in 0..<sideViewCount { sideStates[to + view] = sideStates[from + view] }
        content.setSize(at: cursor, to: Int(spans[new].count))
        for view in 0..<sideViewCount where sideStates[to + view] == 1 {
            content.setVisible(at: cursor, inSideView: view, to: true)
        }
    }
}

// MARK: - Which view

extension Tracker {
    /// Makes the view active in which a version is best moved to.
    mutating func chooseView(
        for target: [LocalEvent],
        by author: Int,
        in graph: EventGraph
    ) {
        if sideViewCount == 0 { return }
        useCount += 1
        views[activeView].version = version
        views[activeView].lastUse = useCount
        var best = -1
        var bestRank = (-1, -1)
        var oldest = 0
        for index in views.indices {
            if views[index].lastUse < views[oldest].lastUse { oldest = index }
            let shared = views[index].version
            if shared == target { return activate(index) }
            guard shared.contains(where: target.contains) else { continue }
            let rank = (views[index].author == author ? 1 : 0, views[index].lastUse)
            if rank > bestRank {
                best = index
                bestRank = rank
            }
        }
        if best >= 0 { return activate(best) }
        let own = distance(from: views[oldest].version, to: target, in: graph)
        let copied = distance(from: version, to: target, in: graph)
        if copied + spans.count / 16 < own { copyActiveView(to: oldest) }
        activate(oldest)
    }

    private mutating func activate(_ view: Int) {
        activeView = view
        version = views[view].version
    }

    /// How many events versions differ in, or how many spans there are if those are fewer.
    private func distance(
        from left: [LocalEvent],
        to right: [LocalEvent],
        in graph: EventGraph
    ) -> Int {
        let (onlyLeft, onlyRight, _) = graph.difference(left, right)
        return min(onlyLeft.eventCount + onlyRight.eventCount, spans.count)
    }

    /// Makes the view `view`, which isn't active, show what the active one does.
    private mutating func copyActiveView(to view: Int) {
        views[view].version = version
        for row in 0..<(knownCounts.count / views.count) {
            knownCounts[row * views.count + view] = knownCounts[row * views.count + activeView]
        }
        if view > 0 {
            content.copySideView(activeView - 1, to: view - 1)
            for handle in 0..<spans.count {
                sideStates[handle * sideViewCount + view - 1] = state(of: Handle(handle))
            }
            return
        }
        for handle in Handle(0)..<Handle(spans.count) where !spans[handle].isDeletion {
            spans[handle].state = state(of: handle)
            content.setWeight(at: content.cursor(of: handle), to: spans[handle].weight)
        }
    }
}

// MARK: - How many views

extension Tracker {
    /// Notes a move. If moves have cost much since there were as many views as now, there will be
    /// more.
    /// - Parameter cost: Events that were undone and redone, or steps of the walk that found them,
    ///   whichever are more.
    mutating func noteMove(_ cost: Int, in graph: EventGraph) {
        moveCount += 1
        moveCost += cost
        let allowed = Tracker.allowedCostPerMove * moveCount + 4 * spans.count
        if moveCost <= allowed && !addsViewsEagerly { return }
        guard graph.count <= Int32.max else { return }
        let count = min(2 * (sideViewCount + 1), Tracker.maximumViewCount)
        let rowCount = spans.count + graph.runs.count - graph.runIndex(of: firstEvent)
        if count == sideViewCount + 1 || count * rowCount > Tracker.maximumSideStateCount { return }
        addViews(count - 1 - sideViewCount, in: graph)
    }

    /// What a move may cost on average.
    private static let allowedCostPerMove = 8

    /// Adds views that show what the active one does.
    private mutating func addViews(_ added: Int, in graph: EventGraph) {
        moveCount = 0
        moveCost = 0
        let old = sideViewCount
        if old == 0 {
            views = [View(version: version, author: -1, lastUse: 0)]
            firstKnownRun = graph.runIndex(of: firstEvent)
            knownCounts.removeAll()
            let known = graph.difference(version, base < 0 ? [] : [base]).onlyLeft
            for events in known { setKnown(events, isKnown: true, in: graph) }
        }
        var known = Slab<Int32>(capacity: knownCounts.count / views.count * (views.count + added))
        for row in 0..<(knownCounts.count / views.count) {
            let first = row * views.count
            for view in views.indices { known.append(knownCounts[first + view]) }
            known.append(repeating: knownCounts[first + activeView], count: added)
        }
        knownCounts = known
        for _ in 0..<added { views.append(View(version: version, author: -1, lastUse: 0)) }
        var states = Slab<Int32>(capacity: spans.count * (old + added))
        for handle in 0..<spans.count {
            for view in 0..<old { states.append(sideStates[handle * old + view]) }
            states.append(repeating: state(of: Handle(handle)), count: added)
        }
        sideStates = states
        let sources = Array(0..<old) + Array(repeating: activeView - 1, count: added)
        content.setSideViews(sources) { Int(spans[$0].count) }
    }

    /// Makes the active view the only one.
    private mutating func keepActiveView() {
        moveCount = 0
        moveCost = 0
        if activeView != 0 { copyActiveView(to: 0) }
        dropSideViews()
        content.setSideViews([]) { _ in 0 }
    }

    /// Leaves view 0 alone.
    mutating func dropSideViews() {
        views.removeAll()
        activeView = 0
        sideStates.removeAll()
        knownCounts.removeAll()
    }
}

// MARK: - What a view has

extension Tracker {
    /// Moves the active one of several views.
    /// - Returns: How many events were undone and redone.
    mutating func moveView(to target: [LocalEvent], in graph: EventGraph) -> Int {
        var left = version
        let missing = takeMissing(of: target, passing: &left, in: graph)
        for events in missing { change(events, by: 1) }
        var count = missing.eventCount
        if !left.isEmpty {
            // Of these the target has nothing, or not all.
            let surplus = graph.difference(version, target).onlyLeft
            for events in surplus {
                change(events, by: -1)
                setKnown(events, isKnown: false, in: graph)
            }
            count += surplus.eventCount
        }
        version = target
        return count
    }

    /// Notes that the active view has the events of its version, which may just have been applied.
    /// If views have become too large, there is but one from here on.
    mutating func prepareViews(in graph: EventGraph) {
        let count = sideViewCount * spans.count + knownCounts.count
        if count > 2 * Tracker.maximumSideStateCount || graph.count > Int32.max {
            return keepActiveView()
        }
        for event in version where event >= firstEvent {
            let run = graph.runIndex(of: event)
            let index = knownIndex(ofRun: run)
            let count = Int32(event - graph.runs[run].start + 1)
            knownCounts[index] = max(knownCounts[index], count)
        }
    }

    /// What the active view lacks of a version; it is noted as known.
    /// - Parameter tips: The view's version. What of it lies in the history of `target` is removed:
    ///   nothing the view has comes after a tip, so the walk comes upon it.
    private mutating func takeMissing(
        of target: [LocalEvent],
        passing tips: inout [LocalEvent],
        in graph: EventGraph
    ) -> [Range<LocalEvent>] {
        var missing: [Range<LocalEvent>] = []
        var pending = target
        var run = 0
        while let event = pending.popLast() {
            // The base and what precedes it is in every view.
            if event < firstEvent {
                tips.removeAll { $0 == event }
                continue
            }
            // Mostly a parent of the last one, so below it and not far.
            let isBelow = event < graph.runs[run].start
            run = isBelow ? graph.runIndex(of: event, notAfter: run) : graph.runIndex(of: event)
            let start = graph.runs[run].start
            let index = knownIndex(ofRun: run)
            let first = max(start + Int(knownCounts[index]), firstEvent)
            if event < first {
                tips.removeAll { $0 == event }
                continue
            }
            missing.append(first..<(event + 1))
            knownCounts[index] = Int32(event - start + 1)
            if first > start {
                tips.removeAll { $0 == first - 1 }
            } else {
                pending.append(contentsOf: graph.parentPool[graph.parentRange(ofRun: run)])
            }
        }
        return missing
    }

    /// Notes that the active view has events, and what precedes them in their runs, or has neither
    /// them nor what follows.
    private mutating func setKnown(
        _ events: Range<LocalEvent>,
        isKnown: Bool,
        in graph: EventGraph
    ) {
        var event = events.lowerBound
        while event < events.upperBound {
            let run = graph.runIndex(of: event)
            let whole = graph.events(ofRun: run)
            let end = min(whole.upperBound, events.upperBound)
            let count = (isKnown ? end : event) - whole.lowerBound
            knownCounts[knownIndex(ofRun: run)] = Int32(count)
            event = end
        }
    }

    /// Where the active view's count of known events of a run is.
    private mutating func knownIndex(ofRun run: Int) -> Int {
        let row = run - firstKnownRun
        let rowCount = knownCounts.count / views.count
        if row >= rowCount {
            knownCounts.append(repeating: 0, count: (row + 1 - rowCount) * views.count)
        }
        return row * views.count + activeView
    }
}

extension [Range<LocalEvent>] {
    /// How many events the ranges have together.
    var eventCount: Int { reduce(0) { $0 + $1.count } }
}
