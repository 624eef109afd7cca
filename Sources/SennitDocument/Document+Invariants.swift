extension Document {
    /// Traps if anything in the document contradicts anything else.
    /// - Complexity: O(n log n).
    func checkInvariants() {
        history.checkInvariants()
        branch.text.checkInvariants()
        typing.checkInvariants(
            pool: history.operations.pool,
            scalarCount: branch.text.scalarCount
        )
        if let state = branch.state, state.isCurrent { state.tracker.checkInvariants() }
        if branch.endOfEvents == history.count {
            let version = history.graph.frontier
            precondition(branch.version == version, "The text is at the frontier.")
            let events = history.count == 0 ? [] : [0..<history.count]
            precondition(branch.events == events, "The text holds every event.")
        }
        if let state = branch.state, state.isCurrent {
            let waiting = history.count - state.tracker.end
            precondition(waiting >= 0, "A tracker is not ahead of its text.")
            let count = Int(state.tracker.content.total.final) - Tracker.placeholderCount
            precondition(
                waiting > 0 || count <= branch.text.scalarCount,
                "A tracker that is caught up adds no more than the text has."
            )
        }
        for live in map.values.values {
            precondition(!live.isEmpty, "A key without values is not in the map.")
        }
    }
}

extension History {
    /// Traps if the tables of graph, names and operations don't cover the same events in order.
    func checkInvariants() {
        var next = 0
        for run in graph.runs.indices {
            let events = graph.events(ofRun: run)
            precondition(events.lowerBound == next && !events.isEmpty, "Runs are dense.")
            let parents = Array(graph.parentPool[graph.parentRange(ofRun: run)])
            precondition(parents == graph.dominators(of: parents), "Parents are minimal.")
            precondition(parents.allSatisfy { $0 < next }, "Parents are stored first.")
            precondition(parents != [next - 1], "A run does not continue its predecessor.")
            next = events.upperBound
        }
        precondition(graph.frontier == graph.dominators(of: graph.frontier), "No tip is older.")
        precondition(operations.count == next, "Every event has an operation.")
        next = 0
        for (index, run) in names.runs.enumerated() {
            let end = names.end(ofRun: index)
            precondition(run.start == next && end > next, "Names are dense.")
            precondition(
                names.event(named: names.name(of: run.start)) == run.start,
                "Both tables of names agree."
            )
            next = end
        }
        precondition(next == graph.count, "Every event has a name.")
        var end = 0
        for index in 0..<operations.operationCount {
            let operation = operations[index]
            precondition(operation.text.lowerBound >= end, "Texts lie in order in the pool.")
            if operation.kind == .insert {
                precondition(operation.text.lowerBound == end, "The pool has no gaps.")
                let count = TextCounts(operations.pool[operation.text]).scalars
                precondition(count == operation.events.count, "One scalar for each event.")
                end = operation.text.upperBound
            }
        }
        precondition(end == operations.pool.count, "The pool holds nothing else.")
    }
}

extension Tracker {
    /// Traps if spans and trees disagree.
    func checkInvariants() {
        content.checkInvariants()
        var end = 0
        for (key, handle) in index.sequence {
            let span = spans[handle]
            precondition(span.key == key && span.count > 0, "The index knows where spans begin.")
            precondition(key >= end, "No two spans have the same keys.")
            end = span.end
        }
        precondition(index.sequence.count == spans.count, "Every span is in the index.")
        var inserted = 0
        for (handle, weight) in content.sequence {
            let span = spans[handle]
            precondition(!span.isDeletion, "Only characters are in the content.")
            precondition(weight == span.weight, "A span weighs what it shows.")
            precondition(span.state >= 0, "No character is undone more often than done.")
            precondition(span.wasDeleted || span.state <= 1, "What is deleted is known to be.")
            checkSideStates(of: handle)
            inserted += 1
        }
        precondition(
            inserted == (0..<spans.count).count { !spans[$0].isDeletion },
            "All characters are in the content."
        )
    }

    private func checkSideStates(of handle: SpanTree.Handle) {
        if sideViewCount == 0 { return }
        precondition(views.count == sideViewCount + 1, "Every view has a version.")
        precondition(sideStates.count == spans.count * sideViewCount, "Spans have all states.")
        let cursor = content.cursor(of: handle)
        precondition(
            content.sideViews.sizes[cursor.slot] == UInt32(spans[handle].count),
            "Side views know how long a span is."
        )
        let shown = content.sideViews(showing: cursor)
        for view in 0..<sideViewCount {
            let state = sideStates[Int(handle) * sideViewCount + view]
            precondition((state == 1) == (shown & 1 << UInt64(view) != 0), "A view shows states.")
            precondition(state >= 0, "No character is undone more often than done.")
            precondition(spans[handle].wasDeleted || state <= 1, "What is deleted is known to be.")
        }
    }
}
