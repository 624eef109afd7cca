/// The events of others whose arrival on this client's screen is timed: each key of the typing
/// phase and a sample of the trace.
struct Probes: Sendable {
    // By client: numbers of events, ascending, and how many of them were seen.
    private let numbers: [[UInt64]]
    private var seenCounts: [Int]

    /// At most so many of each client's steps in the trace.
    private static let traceSampleCount = 1000

    /// The probes of one client.
    init(_ script: Script, client: Int) {
        var numbers = script.eventCounts.map { _ in [UInt64]() }
        var traceSteps = script.eventCounts.map { _ in 0 }
        for step in script.steps where step.due == nil { traceSteps[step.client] += 1 }
        var indexes = traceSteps.map { _ in 0 }
        for step in script.steps where step.client != client {
            let interval = max(traceSteps[step.client] / Probes.traceSampleCount, 1)
            let isSampled = step.due != nil || indexes[step.client] % interval == 0
            indexes[step.client] += 1
            if isSampled { numbers[step.client].append(step.last.number) }
        }
        self.numbers = numbers
        seenCounts = numbers.map { _ in 0 }
    }

    /// The next event of a client to look for; `nil` if there is none.
    func next(ofClient client: Int) -> ScriptEvent? {
        guard seenCounts[client] < numbers[client].count else { return nil }
        return ScriptEvent(client: client, number: numbers[client][seenCounts[client]])
    }

    /// Goes behind an event that has arrived, to the next.
    mutating func pass(_ event: ScriptEvent) { seenCounts[event.client] += 1 }
}
