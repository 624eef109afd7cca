import SennitWire

/// Which local event has which name: runs in local order, and for each log the runs it has.
struct EventNames: Sendable {
    /// Consecutive numbers of one log that are consecutive local events. They end where the next
    /// run starts.
    struct Run {
        /// The first event.
        var start: LocalEvent
        /// The number of the first event in its log.
        var number: Int
        /// An index into `logs`.
        var log: Int
    }

    /// A log that has events here.
    private struct Log {
        /// Indexes into `runs`. Invariant: ascending in `number`, not overlapping.
        var runs: [Int32] = []
        /// All numbers of the log lie below, or in the newest run of all.
        var end = 0
    }

    private(set) var logs: [LogID] = []
    private var logIndexes: [LogID: Int] = [:]
    /// Invariant: ascending from 0 in `start`; none continues its predecessor.
    private(set) var runs: [Run] = []
    private var byLog: [Log] = []
    /// How many events have names.
    private(set) var count = 0

    /// The index of a log in `logs`, which it joins if it is new.
    mutating func logIndex(adding log: LogID) -> Int {
        if let index = logIndexes[log] { return index }
        logIndexes[log] = logs.count
        logs.append(log)
        byLog.append(Log())
        return logs.count - 1
    }

    /// Names `eventCount` new events, which follow all others in local order.
    mutating func append(count eventCount: Int, log: LogID, number: Int) {
        append(count: eventCount, logIndex: logIndex(adding: log), number: number)
    }

    /// The same for a log that has an index.
    mutating func append(count eventCount: Int, logIndex log: Int, number: Int) {
        if let last = runs.last { byLog[last.log].end = endOfNumbers(ofLog: last.log) }
        if !continuesLastRun(log: log, number: number) {
            let run = Run(start: count, number: number, log: log)
            if number >= byLog[log].end {
                byLog[log].runs.append(Int32(runs.count))
            } else {
                byLog[log].runs.insert(Int32(runs.count), at: place(of: number, inLog: log))
            }
            runs.append(run)
        }
        byLog[log].end = max(byLog[log].end, number + eventCount)
        count += eventCount
    }

    /// Names new events that continue the last run.
    @inline(__always)
    mutating func extend(by eventCount: Int) {
        count += eventCount
    }

    /// Whether the next event, with that name, would continue the last run, which is the newest of
    /// its log.
    @inline(__always)
    func continuesLastRun(log: Int, number: Int) -> Bool {
        guard let last = runs.last, last.log == log else { return false }
        return last.number + (count - last.start) == number && byLog[log].end <= number
    }

    /// Forgets the names of all events from `end` on.
    /// - Complexity: O(n); only what was refused is taken back.
    mutating func truncate(to end: LocalEvent) {
        while let last = runs.last, last.start >= end { runs.removeLast() }
        count = end
        for log in byLog.indices {
            byLog[log].runs.removeAll { Int($0) >= runs.count }
            byLog[log].end = byLog[log].runs.last.map { endNumber(ofRun: Int($0)) } ?? 0
        }
        while let last = byLog.last, last.runs.isEmpty {
            byLog.removeLast()
            logIndexes[logs.removeLast()] = nil
        }
    }

    /// Makes room, so that adding so many runs moves nothing.
    mutating func reserve(runCount: Int) { runs.reserveCapacity(runs.count + runCount) }
}

// MARK: - Reading

extension EventNames {
    /// The name of an event.
    /// - Complexity: O(log n).
    func name(of event: LocalEvent) -> EventID {
        let run = runs[runIndex(of: event)]
        return EventID(log: logs[run.log], number: UInt64(run.number + event - run.start))
    }

    /// Which of `logs` an event is in.
    /// - Complexity: O(log n).
    func author(of event: LocalEvent) -> Int { runs[runIndex(of: event)].log }

    /// The end of the consecutively named events of which `event` is one.
    func endOfRun(holding event: LocalEvent) -> LocalEvent { end(ofRun: runIndex(of: event)) }

    /// The index of the run that holds `event`.
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

    /// The event after the last of a run.
    @inline(__always)
    func end(ofRun index: Int) -> LocalEvent {
        index + 1 < runs.count ? runs[index + 1].start : count
    }

    private func endNumber(ofRun index: Int) -> Int {
        runs[index].number + (end(ofRun: index) - runs[index].start)
    }

    /// The event of a name, if it is here.
    /// - Complexity: O(log n).
    func event(named name: EventID) -> LocalEvent? {
        guard let log = logIndexes[name.log], let number = Int(exactly: name.number),
            number < endOfNumbers(ofLog: log)
        else { return nil }
        let place = place(of: number, inLog: log)
        guard place > 0 else { return nil }
        let index = Int(byLog[log].runs[place - 1])
        return number < endNumber(ofRun: index)
            ? runs[index].start + (number - runs[index].number) : nil
    }

    /// The number after the highest that is here of a log.
    func endOfNumbers(ofLog log: Int) -> Int {
        guard let last = runs.last, last.log == log else { return byLog[log].end }
        return max(byLog[log].end, last.number + (count - last.start))
    }

    /// The lowest known number of `log` in `numbers`, if there is one.
    func firstKnown(in numbers: Range<Int>, of log: LogID) -> Int? {
        guard let index = logIndexes[log], numbers.lowerBound < endOfNumbers(ofLog: index)
        else { return nil }
        let place = place(of: numbers.lowerBound, inLog: index)
        if place > 0, numbers.lowerBound < endNumber(ofRun: Int(byLog[index].runs[place - 1])) {
            return numbers.lowerBound
        }
        guard place < byLog[index].runs.count else { return nil }
        let number = runs[Int(byLog[index].runs[place])].number
        return number < numbers.upperBound ? number : nil
    }

    /// The indexes of the runs of `log` that end after `number`, ascending.
    /// - Complexity: O(log n + how many those are).
    func runs(of log: LogID, from number: Int) -> [Int] {
        guard let index = logIndexes[log] else { return [] }
        let all = byLog[index].runs
        let first = max(place(of: number, inLog: index) - 1, 0)
        return all[first...].map(Int.init).filter { endNumber(ofRun: $0) > number }.sorted()
    }

    /// How many runs of `log` begin at or before `number`.
    private func place(of number: Int, inLog log: Int) -> Int {
        var low = 0
        var high = byLog[log].runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[Int(byLog[log].runs[middle])].number <= number {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
