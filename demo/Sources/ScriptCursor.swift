import SennitDocument

// Where a client stands in the script: pure, so that what is typed when can be tested.

/// One client's place in a script.
struct ScriptCursor: Sendable {
    /// What the client types at once: steps that follow each other, at the version of the first.
    struct Batch: Hashable, Sendable {
        /// The number of its first event.
        let firstNumber: UInt64
        let parents: [ScriptEvent]
        let patches: [Patch]
        let eventCount: Int
    }

    /// Why there is no batch now.
    enum Verdict: Hashable, Sendable {
        case batch(Batch)
        /// These have not arrived, as far as is known.
        case missing([ScriptEvent])
        /// The next step is due later in its phase.
        case early(Duration)
        /// All steps below the bound are typed.
        case finished
    }

    private let client: Int
    private let steps: [ScriptStep]
    // The step that is typed next, and how many of its events were typed before.
    private var next = 0
    private var typedOfNext = 0
    /// By client: how many of its events are known to have arrived.
    private(set) var knownCounts: [UInt64]

    /// The most text of one batch, so that it fits into an entry.
    private static let maximumBatchScalarCount = 1 << 14

    /// The beginning of the script.
    init(_ script: Script, client: Int) {
        self.client = client
        steps = script.steps.filter { $0.client == client }
        knownCounts = Array(repeating: 0, count: script.eventCounts.count)
    }

    /// How many events were typed.
    var typedCount: UInt64 { knownCounts[client] }

    /// Goes to where the first `count` events have been typed, for a client that was killed.
    mutating func resume(typedCount count: UInt64) {
        // Partition point: the first step that is not typed whole.
        var low = 0
        var high = steps.count
        while low < high {
            let middle = (low + high) / 2
            if steps[middle].endNumber <= count { low = middle + 1 } else { high = middle }
        }
        next = low
        typedOfNext = low < steps.count ? Int(count - min(count, steps[low].firstNumber)) : 0
        knownCounts[client] = count
    }

    /// Notes that an event has arrived, and with it all that its client typed before.
    mutating func learn(_ event: ScriptEvent) {
        knownCounts[event.client] = max(knownCounts[event.client], event.number + 1)
    }

    /// The step that is typed next, or what is left of it.
    var nextStep: ScriptStep? {
        next < steps.count ? steps[next].dropping(typedOfNext) : nil
    }

    /// What can be typed now.
    /// - Parameters:
    ///   - bound: steps of this number and above belong to a later phase.
    ///   - elapsed: since the phase began.
    ///   - limit: the most steps in a batch.
    func verdict(below bound: UInt64, elapsed: Duration, limit: Int) -> Verdict {
        guard next < steps.count, steps[next].firstNumber < bound else { return .finished }
        let first = steps[next].dropping(typedOfNext)
        if let due = first.due, due > elapsed { return .early(due - elapsed) }
        let missing = first.parents.filter { $0.number >= knownCounts[$0.client] }
        guard missing.isEmpty else { return .missing(missing) }
        var patches = [first.patch]
        var last = first.last
        var eventCount = first.eventCount
        for step in steps[(next + 1)...] {
            guard patches.count < limit, step.firstNumber < bound, step.due == nil,
                step.parents == [last],
                eventCount + step.eventCount <= ScriptCursor.maximumBatchScalarCount
            else { break }
            patches.append(step.patch)
            last = step.last
            eventCount += step.eventCount
        }
        return .batch(
            Batch(
                firstNumber: first.firstNumber,
                parents: first.parents,
                patches: patches,
                eventCount: eventCount
            )
        )
    }

    /// Goes behind a batch that was typed.
    mutating func advance(over batch: Batch) {
        next += batch.patches.count
        typedOfNext = 0
        knownCounts[client] = batch.firstNumber + UInt64(batch.eventCount)
    }
}
