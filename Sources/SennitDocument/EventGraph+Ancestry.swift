// Whether one event precedes another, asked of many pairs at once.
//
// One question is a walk (EventGraph+Walks.swift), which may pass the whole graph. Whoever sends
// thousands of runs that each name an old event asks for as many walks. Here 256 questions share
// one pass from the lowest of their events upwards: each run gets a row of bits, one for each of
// these events that its first event descends from.
//
//     B(0) -> B(1) -> B(2)             asked: B(1), B(2)
//         \            \
//          A(3) ------> A(4) -> A(5)     rows: A(3) 00, A(4) 11
//
// What of its own run an event follows is not in the row: the events that are asked about are
// sorted, so those up to a given one of a run are neighbouring bits.

extension EventGraph {
    /// Whether an event is in the history of another, or of one of several.
    struct AncestryQuestion {
        var event: LocalEvent
        var descendants: [LocalEvent]
    }

    /// Answers questions, each as often as it is put.
    /// - Complexity: O(n q / 64 + q log q) for q questions and n parents of runs.
    func answers(to questions: [AncestryQuestion]) -> [Bool] {
        var answers = [Bool](repeating: false, count: questions.count)
        guard let lowest = questions.map(\.event).min() else { return answers }
        let order = questions.indices.sorted { questions[$0].event < questions[$1].event }
        let pool = AncestryPass.ParentRuns(of: self, fromRun: runIndex(of: lowest))
        var next = 0
        while next < order.count {
            let block = order[next..<min(next + AncestryPass.questionCount, order.count)]
            var pass = AncestryPass(events: block.map { questions[$0].event }, graph: self)
            let descendants = block.flatMap { questions[$0].descendants }
            pass.run(over: self, pool, until: descendants.max() ?? 0)
            for (bit, index) in block.enumerated() {
                answers[index] = questions[index].descendants.contains {
                    pass.contains(bit, in: $0, of: self)
                }
            }
            next = block.endIndex
        }
        return answers
    }

    /// Takes parents away that were found to precede other parents of the same run.
    /// - Parameters:
    ///   - redundant: By the first event of the run.
    ///   - count: How many events come before the first of those runs.
    ///   - frontier: What it was then.
    mutating func removeParents(
        _ redundant: [LocalEvent: [LocalEvent]],
        since count: Int,
        frontier: [LocalEvent]
    ) {
        var added: [(eventCount: Int, parents: [LocalEvent])] = []
        for run in runIndex(of: count)..<runs.count {
            let events = events(ofRun: run)
            let start = max(events.lowerBound, count)
            let dropped = redundant[start] ?? []
            let parents = parents(of: start).filter { !dropped.contains($0) }
            added.append((events.upperBound - start, parents))
        }
        truncate(to: count, frontier: frontier)
        for run in added { append(eventCount: run.eventCount, parents: run.parents) }
    }
}

/// One pass over the graph for a block of questions.
private struct AncestryPass {
    static let questionCount = 256
    private static let wordCount = questionCount / 64

    /// For each parent of the runs from one on which run holds it.
    struct ParentRuns {
        private let first: Int
        private var runs: [Int32] = []

        init(of graph: EventGraph, fromRun run: Int) {
            first = graph.parentRange(ofRun: run).lowerBound
            runs.reserveCapacity(graph.parentPool.count - first)
            for run in run..<graph.runs.count {
                for index in graph.parentRange(ofRun: run) {
                    let parent = graph.parentPool[index]
                    runs.append(Int32(graph.runIndex(of: parent, notAfter: run)))
                }
            }
        }

        subscript(index: Int) -> Int { Int(runs[index - first]) }
    }

    /// Ascending.
    private let events: [LocalEvent]
    private let firstRun: Int
    /// For each run from `firstRun` on which events precede its first one.
    private var rows: [UInt64] = []

    init(events: [LocalEvent], graph: EventGraph) {
        self.events = events
        firstRun = graph.runIndex(of: events[0])
    }

    mutating func run(over graph: EventGraph, _ pool: ParentRuns, until last: LocalEvent) {
        let endRun = graph.runIndex(of: last) + 1
        guard firstRun < endRun else { return }
        rows = Array(repeating: 0, count: (endRun - firstRun) * AncestryPass.wordCount)
        for run in firstRun..<endRun {
            for index in graph.parentRange(ofRun: run) where pool[index] >= firstRun {
                let own = ownBits(upTo: graph.parentPool[index], ofRun: pool[index], graph)
                for word in 0..<AncestryPass.wordCount {
                    rows[(run - firstRun) * AncestryPass.wordCount + word] |=
                        rows[(pool[index] - firstRun) * AncestryPass.wordCount + word]
                        | AncestryPass.word(word, of: own)
                }
            }
        }
    }

    /// Whether the event of a bit is in the history of `event`.
    func contains(_ bit: Int, in event: LocalEvent, of graph: EventGraph) -> Bool {
        let run = graph.runIndex(of: event)
        guard run >= firstRun else { return false }
        if ownBits(upTo: event, ofRun: run, graph).contains(bit) { return true }
        let row = (run - firstRun) * AncestryPass.wordCount
        return rows[row + bit >> 6] & 1 << UInt64(bit & 63) != 0
    }

    /// The bits of those events that lie in a run and not after one of its events.
    private func ownBits(
        upTo event: LocalEvent,
        ofRun run: Int,
        _ graph: EventGraph
    ) -> Range<Int> {
        let first = firstIndex(notBelow: graph.runs[run].start)
        return first..<max(first, firstIndex(notBelow: event + 1))
    }

    private func firstIndex(notBelow event: LocalEvent) -> Int {
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle] < event { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// A word in which the bits of a range are set.
    private static func word(_ word: Int, of bits: Range<Int>) -> UInt64 {
        let low = max(bits.lowerBound - word * 64, 0)
        let high = min(bits.upperBound - word * 64, 64)
        if low >= high { return 0 }
        return (UInt64.max >> UInt64(64 - (high - low))) << UInt64(low)
    }
}
