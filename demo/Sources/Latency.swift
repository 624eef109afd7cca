// Keystroke to other screen: from the call that makes an edit in one process to the moment another
// process has drawn a screen that contains it. Both read CLOCK_MONOTONIC of one machine.

/// Moments of one client, in nanoseconds of the monotonic clock.
struct LatencySamples: Sendable {
    /// When an event of this client was typed: events of a batch share the moment of its call.
    private var typed: [(end: UInt64, time: UInt64)] = []
    /// When an event of another client was on this client's screen.
    private(set) var shown: [(event: ScriptEvent, time: UInt64)] = []
    /// First events of steps that had to be fitted to their text, and how long that was.
    private(set) var fitted: [UInt64: Int] = [:]

    /// Notes that all events before `end` were typed by `time`. Calls ascend; after a restart the
    /// same events may be typed again, and the last time counts.
    mutating func noteTyped(end: UInt64, time: UInt64) {
        while let last = typed.last, last.end >= end { typed.removeLast() }
        typed.append((end, time))
    }

    /// Notes that an event of another was drawn.
    mutating func noteShown(_ event: ScriptEvent, time: UInt64) { shown.append((event, time)) }

    /// When an event was typed; `nil` if that was not noted.
    /// - Complexity: O(log n).
    func timeTyped(_ number: UInt64) -> UInt64? {
        var low = 0
        var high = typed.count
        while low < high {
            let middle = (low + high) / 2
            if typed[middle].end <= number { low = middle + 1 } else { high = middle }
        }
        return low < typed.count ? typed[low].time : nil
    }

    /// From lines as `ClientJournal` writes them. Lines that a kill cut short are left out.
    init(lines: some Sequence<Substring>) {
        for line in lines {
            let fields = line.split(separator: " ")
            if fields.count == 3, fields[0] == "typed", let end = UInt64(fields[1]),
                let time = UInt64(fields[2])
            {
                noteTyped(end: end, time: time)
            } else if fields.count == 4, fields[0] == "shown", let client = Int(fields[1]),
                let number = UInt64(fields[2]), let time = UInt64(fields[3])
            {
                noteShown(ScriptEvent(client: client, number: number), time: time)
            } else if fields.count == 3, fields[0] == "fitted", let number = UInt64(fields[1]),
                let count = Int(fields[2])
            {
                fitted[number] = count
            }
        }
    }

    init() {}
}

/// Durations, to be asked for percentiles.
struct LatencyReport: Hashable, Sendable {
    // Invariant: ascending.
    let durations: [Duration]

    /// Joins what was typed with what was shown, for events whose number is in `numbers` of their
    /// client.
    init(_ clients: [LatencySamples], numbers: [Range<UInt64>]) {
        durations = clients.flatMap { client in
            client.shown.compactMap { event, time -> Duration? in
                guard numbers.indices.contains(event.client),
                    numbers[event.client].contains(event.number),
                    let typed = clients[event.client].timeTyped(event.number), typed <= time
                else { return nil }
                return .nanoseconds(Int64(time - typed))
            }
        }.sorted()
    }

    /// The duration that `percent` of all samples don't exceed; `nil` without samples.
    func percentile(_ percent: Int) -> Duration? {
        guard !durations.isEmpty else { return nil }
        let rank = (durations.count * percent + 99) / 100
        return durations[min(max(rank, 1), durations.count) - 1]
    }
}
