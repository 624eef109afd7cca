import SennitWire

/// Which local event has which name: two tables of runs, one in local order and one for each log.
struct EventNames: Sendable {
    /// Consecutive numbers of one log that are consecutive local events.
    struct Run {
        var start: LocalEvent
        var log: Int
        var number: Int
        var count: Int
    }

    private(set) var logs: [LogID] = []
    private var logIndexes: [LogID: Int] = [:]
    /// Invariant: consecutive in `start`; none continues its predecessor.
    private(set) var runs: [Run] = []
    /// For each log its runs. Invariant: ascending in `number`, not overlapping.
    private var runsOfLog: [[Run]] = []

    /// How many events have names.
    var count: Int { runs.last.map { $0.start + $0.count } ?? 0 }

    /// Names `count` new events, which follow all others in local order.
    mutating func append(count: Int, log: LogID, number: Int) {
        let start = self.count
        let index = logIndex(adding: log)
        let run = Run(start: start, log: index, number: number, count: count)
        if let last = runs.indices.last, runs[last].log == index,
            runs[last].number + runs[last].count == number
        {
            runs[last].count += count
        } else {
            runs.append(run)
        }
        let place = place(of: number, inLog: index)
        if place > 0, runsOfLog[index][place - 1].end == number,
            runsOfLog[index][place - 1].start + runsOfLog[index][place - 1].count == start
        {
            runsOfLog[index][place - 1].count += count
        } else {
            runsOfLog[index].insert(run, at: place)
        }
    }

    /// Forgets the names of all events from `end` on.
    /// - Complexity: O(n); only what was refused is taken back.
    mutating func truncate(to end: LocalEvent) {
        while let last = runs.last, last.start >= end { runs.removeLast() }
        if let last = runs.indices.last {
            runs[last].count = min(runs[last].count, end - runs[last].start)
        }
        for log in runsOfLog.indices {
            runsOfLog[log].removeAll { $0.start >= end }
            for index in runsOfLog[log].indices {
                let run = runsOfLog[log][index]
                runsOfLog[log][index].count = min(run.count, end - run.start)
            }
        }
        while let last = runsOfLog.last, last.isEmpty {
            runsOfLog.removeLast()
            logIndexes[logs.removeLast()] = nil
        }
    }

    /// The name of an event.
    /// - Complexity: O(log n).
    func name(of event: LocalEvent) -> EventID {
        let run = runs[runIndex(of: event)]
        return EventID(log: logs[run.log], number: UInt64(run.number + event - run.start))
    }

    /// The end of the consecutively named events of which `event` is one.
    func endOfRun(holding event: LocalEvent) -> LocalEvent {
        let run = runs[runIndex(of: event)]
        return run.start + run.count
    }

    private func runIndex(of event: LocalEvent) -> Int {
        var low = 0
        var high = runs.count - 1
        if runs[high].start <= event { return high }
        while low < high {
            let middle = (low + high + 1) / 2
            if runs[middle].start <= event { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// The event of a name, if it is here.
    /// - Complexity: O(log n).
    func event(named name: EventID) -> LocalEvent? {
        guard let log = logIndexes[name.log], let number = Int(exactly: name.number) else {
            return nil
        }
        let place = place(of: number, inLog: log)
        guard place > 0 else { return nil }
        let run = runsOfLog[log][place - 1]
        return number < run.end ? run.start + (number - run.number) : nil
    }

    /// The lowest known number of `log` in `numbers`, if there is one.
    func firstKnown(in numbers: Range<Int>, of log: LogID) -> Int? {
        guard let index = logIndexes[log] else { return nil }
        let place = place(of: numbers.lowerBound, inLog: index)
        if place > 0, numbers.lowerBound < runsOfLog[index][place - 1].end {
            return numbers.lowerBound
        }
        guard place < runsOfLog[index].count else { return nil }
        let number = runsOfLog[index][place].number
        return number < numbers.upperBound ? number : nil
    }

    /// How many runs of `log` begin at or before `number`.
    private func place(of number: Int, inLog log: Int) -> Int {
        var low = 0
        var high = runsOfLog[log].count
        if let last = runsOfLog[log].last, last.number <= number { return high }
        while low < high {
            let middle = (low + high) / 2
            if runsOfLog[log][middle].number <= number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func logIndex(adding log: LogID) -> Int {
        if let index = logIndexes[log] { return index }
        logIndexes[log] = logs.count
        logs.append(log)
        runsOfLog.append([])
        return logs.count - 1
    }
}

extension EventNames.Run {
    /// The number after the last.
    var end: Int { number + count }
}
