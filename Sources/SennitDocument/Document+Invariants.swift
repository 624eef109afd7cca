extension Document {
    /// Traps if anything in the document contradicts anything else.
    /// - Complexity: O(n log n).
    func checkInvariants() {
        history.checkInvariants()
        branch.text.checkInvariants()
        branch.tracker?.checkInvariants()
        precondition(branch.version == history.graph.frontier, "The text is at the frontier.")
        let events = history.count == 0 ? [] : [0..<history.count]
        precondition(branch.events == events, "The text holds every event.")
        if let tracker = branch.tracker {
            let waiting = history.count - tracker.end
            precondition(waiting >= 0, "A tracker is not ahead of its text.")
            let count = tracker.content.total.second - Tracker.placeholderCount
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
        for run in graph.runs {
            precondition(run.events.lowerBound == next && !run.events.isEmpty, "Runs are dense.")
            let parents = Array(graph.parentPool[run.parents])
            precondition(parents == graph.dominators(of: parents), "Parents are minimal.")
            precondition(parents.allSatisfy { $0 < next }, "Parents are stored first.")
            precondition(parents != [next - 1], "A run does not continue its predecessor.")
            next = run.events.upperBound
        }
        precondition(graph.frontier == graph.dominators(of: graph.frontier), "No tip is older.")
        precondition(operations.count == next, "Every event has an operation.")
        next = 0
        for run in names.runs {
            precondition(run.start == next && run.count > 0, "Names are dense.")
            precondition(
                names.event(named: names.name(of: run.start)) == run.start,
                "Both tables of names agree."
            )
            next += run.count
        }
        precondition(next == graph.count, "Every event has a name.")
        var end = 0
        for operation in operations.operations {
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
        index.checkInvariants()
        var key = 0
        for (handle, weight) in index.sequence {
            let span = spans[Int(handle)]
            precondition(span.key == key && span.count > 0, "Keys are dense in the index.")
            precondition(weight.first == span.count, "A span weighs its keys in the index.")
            key += span.count
        }
        var inserted = 0
        for (handle, weight) in content.sequence {
            let span = spans[Int(handle)]
            precondition(span.kind == .inserted, "Only characters are in the content.")
            precondition(weight == contentWeight(of: handle), "A span weighs what it shows.")
            precondition(span.state >= 0, "No character is undone more often than done.")
            precondition(span.wasDeleted || span.state <= 1, "What is deleted is known to be.")
            inserted += 1
        }
        precondition(
            inserted == spans.count { $0.kind == .inserted },
            "All characters are in the content."
        )
    }
}
