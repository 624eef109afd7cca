import SennitDocument
import SennitReference
import SennitWire

// What every client types, known to all before the first key is pressed.
//
// The idea: a client writes one log, and the events of its document in that log are consecutive. So
// an event is named by (client, how many events that client typed before), whatever ids the logs
// turn out to have, and each step can name its parents before anything has happened. Clients that
// share the script need to tell each other nothing: a client asks its document whether the parents
// of its next step have arrived, and a client that was killed asks it how much of its own it had
// typed.
//
//     trace                      client 0                 client 1
//     0: agent 0, [], "ab"       0-1 "ab" after nothing
//     1: agent 1, [0], "c"                                0 "c" after (0, 1)
//     2: agent 0, [0], "d"       2 "d" after (0, 1)
//     3: agent 0, [1, 2], -1     3 -1 after (1, 0), (0, 2)

/// Names an event of a script: the n-th that a client types, from 0.
struct ScriptEvent: Hashable, Sendable {
    let client: Int
    let number: UInt64
}

/// An insertion or a deletion, made at exactly the version of its parents.
struct ScriptStep: Hashable, Sendable {
    let client: Int
    /// The number of its first event; the others follow.
    let firstNumber: UInt64
    /// How many events: one for each scalar. Never none.
    let eventCount: Int
    /// The events it follows; none for the empty document.
    let parents: [ScriptEvent]
    /// What it does to the text at its parents. Either inserts or deletes.
    let patch: Patch
    /// When it is due, counted from the start of its phase; `nil` for as soon as it can be.
    var due: Duration?

    /// The number of the next step's first event.
    var endNumber: UInt64 { firstNumber + UInt64(eventCount) }

    /// Its last event.
    var last: ScriptEvent { ScriptEvent(client: client, number: endNumber - 1) }

    /// What is left of it when its first `count` events have been typed, `count` being less than
    /// all of them.
    func dropping(_ count: Int) -> ScriptStep {
        guard count > 0 else { return self }
        let rest: Patch
        if patch.text.isEmpty {
            let low = patch.range.lowerBound
            rest = Patch(range: low..<patch.range.upperBound - count, text: "")
        } else {
            let scalars = patch.text.unicodeScalars.dropFirst(count)
            let position = patch.range.lowerBound + count
            rest = Patch(range: position..<position, text: String(scalars))
        }
        return ScriptStep(
            client: client,
            firstNumber: firstNumber + UInt64(count),
            eventCount: eventCount - count,
            parents: [ScriptEvent(client: client, number: firstNumber + UInt64(count) - 1)],
            patch: rest,
            due: due
        )
    }
}

extension ScriptStep {
    /// The step with as many events, at the nearest place in a text that is too short for it.
    ///
    /// In traces whose authors inserted at one place concurrently, the order of what they inserted
    /// depends on the ids of the logs. A deletion that hit one person's words in the trace may
    /// then hit another's, and places beyond may not exist.
    func fitted(toScalarCount count: Int) -> ScriptStep {
        let nearest: Patch
        if !patch.text.isEmpty {
            nearest = Patch(range: count..<count, text: patch.text)
        } else if eventCount <= count {
            nearest = Patch(range: count - eventCount..<count, text: "")
        } else {
            // Nothing to delete: as many insertions, so that the numbers of what follows stand.
            nearest = Patch(range: count..<count, text: String(repeating: "?", count: eventCount))
        }
        return ScriptStep(
            client: client,
            firstNumber: firstNumber,
            eventCount: eventCount,
            parents: parents,
            patch: nearest,
            due: due
        )
    }
}

/// A step that had to be fitted.
struct FittedStep: Hashable, Sendable {
    let client: Int
    let firstNumber: UInt64
    /// How many scalars the text at its parents has.
    let scalarCount: Int
}

/// The steps of all clients, parents before children.
struct Script: Sendable {
    /// In causal order; the steps of one client ascend by number.
    private(set) var steps: [ScriptStep] = []
    /// By client, how many events it types in all.
    private(set) var eventCounts: [UInt64]
    /// The events that no other event follows.
    private(set) var frontier: Set<ScriptEvent> = []

    /// The most scalars of one step; a longer one is typed in pieces, so that no single edit grows
    /// beyond what an entry holds.
    static let maximumStepEventCount = 1 << 16

    /// Nothing, by `clientCount` clients.
    init(clientCount: Int) { eventCounts = Array(repeating: 0, count: clientCount) }

    /// A trace, whose authors the clients share in turn.
    init(_ trace: Trace, clientCount: Int) {
        self.init(clientCount: clientCount)
        // The start content, of agent -1, is typed by the first client.
        let clientOfAgent = { max($0, 0) % clientCount }
        let logs = (0..<clientCount).map(Trace.log(ofAgent:))
        let clients = Dictionary(uniqueKeysWithValues: zip(logs, 0...))
        let operations = trace.operations { Trace.log(ofAgent: clientOfAgent($0)) }
        steps.reserveCapacity(operations.count)
        for operation in operations {
            guard let client = clients[operation.author] else { continue }
            let parents = operation.parents.compactMap { parent in
                clients[parent.log].map { ScriptEvent(client: $0, number: parent.number) }
            }
            append(Patch(operation.operation), by: client, after: parents)
        }
    }

    /// The version of everything, ascending by client.
    var sortedFrontier: [ScriptEvent] {
        frontier.sorted { ($0.client, $0.number) < ($1.client, $1.number) }
    }

    /// Puts steps where they were really typed.
    /// - Complexity: O(n).
    mutating func fit(_ fitted: Set<FittedStep>) {
        let counts = Dictionary(
            fitted.map { (ScriptEvent(client: $0.client, number: $0.firstNumber), $0.scalarCount) },
            uniquingKeysWith: { first, _ in first }
        )
        guard !counts.isEmpty else { return }
        for index in steps.indices {
            let step = steps[index]
            let first = ScriptEvent(client: step.client, number: step.firstNumber)
            if let count = counts[first] { steps[index] = step.fitted(toScalarCount: count) }
        }
    }

    /// Adds a deletion or an insertion, in pieces if it is long.
    mutating func append(
        _ patch: Patch,
        by client: Int,
        after parents: [ScriptEvent],
        due: Duration? = nil
    ) {
        let eventCount = patch.text.isEmpty ? patch.range.count : patch.text.unicodeScalars.count
        var step = ScriptStep(
            client: client,
            firstNumber: eventCounts[client],
            eventCount: eventCount,
            parents: parents,
            patch: patch,
            due: due
        )
        for parent in parents { frontier.remove(parent) }
        eventCounts[client] += UInt64(eventCount)
        frontier.insert(step.last)
        while step.eventCount > Script.maximumStepEventCount {
            steps.append(step.prefix(Script.maximumStepEventCount))
            step = step.dropping(Script.maximumStepEventCount)
        }
        steps.append(step)
    }
}

extension ScriptStep {
    /// Its first `count` events, `count` being at least one and less than all of them.
    fileprivate func prefix(_ count: Int) -> ScriptStep {
        let low = patch.range.lowerBound
        let part =
            patch.text.isEmpty
            ? Patch(range: low..<low + count, text: "")
            : Patch(range: low..<low, text: String(patch.text.unicodeScalars.prefix(count)))
        return ScriptStep(
            client: client,
            firstNumber: firstNumber,
            eventCount: count,
            parents: parents,
            patch: part,
            due: due
        )
    }
}

extension Patch {
    /// An operation of a trace as a patch.
    fileprivate init(_ operation: ReferenceOperation) {
        switch operation {
        case .insert(let position, let text): self.init(range: position..<position, text: text)
        case .delete(let range): self.init(range: range, text: "")
        }
    }
}
