import SennitDocument
import SennitReference
import SennitWire
import Testing

@testable import SennitDemo

/// A trace with a fork, a merge, a deletion and more authors than clients.
private let forked = Trace(
    kind: .concurrent,
    startContent: "",
    endContent: "",
    agentCount: 3,
    transactions: [
        .init(agent: 0, parents: [], patches: [.init(position: 0, deletedCount: 0, text: "ab")]),
        .init(agent: 1, parents: [0], patches: [.init(position: 1, deletedCount: 0, text: "cé")]),
        .init(agent: 2, parents: [0], patches: [.init(position: 2, deletedCount: 0, text: "d")]),
        .init(
            agent: 0,
            parents: [1, 2],
            patches: [.init(position: 0, deletedCount: 2, text: "x")]
        ),
    ]
)

/// Plays a script with clients that see each other's events only when the test says so.
private struct Stage {
    var documents: [Document]
    var cursors: [ScriptCursor]
    var runs: [[OperationRun]] = []
    let logs: [LogID]

    init(_ script: Script) {
        documents = script.eventCounts.map { _ in Document() }
        cursors = script.eventCounts.indices.map { ScriptCursor(script, client: $0) }
        logs = script.eventCounts.indices.map(Trace.log(ofAgent:))
    }

    mutating func type(_ client: Int, limit: Int = 100) throws -> ScriptCursor.Verdict {
        let verdict = cursors[client].verdict(below: .max, elapsed: .zero, limit: limit)
        if case .batch(let batch) = verdict {
            let made = try documents[client].edit(
                batch.patches,
                at: batch.parents.map { EventID(log: logs[$0.client], number: $0.number) },
                author: logs[client],
                firstEvent: batch.firstNumber
            )
            runs.append(made.runs)
            cursors[client].advance(over: batch)
        }
        return verdict
    }

    /// Everything that was typed reaches everybody.
    mutating func deliver() throws {
        for runs in runs {
            for index in documents.indices { _ = try documents[index].merge(runs) }
            for run in runs {
                guard let client = logs.firstIndex(of: run.last.log) else { continue }
                let event = ScriptEvent(client: client, number: run.last.number)
                for index in cursors.indices { cursors[index].learn(event) }
            }
        }
        runs = []
    }
}

@Suite struct ScriptTests {
    @Test func `authors share the clients in turn and each client's events are consecutive`() {
        let script = Script(forked, clientCount: 2)
        #expect(script.steps.map(\.client) == [0, 1, 0, 0, 0])
        #expect(script.steps.map(\.firstNumber) == [0, 0, 2, 3, 5])
        #expect(script.eventCounts == [6, 2])
        #expect(
            script.steps[3].parents == [
                ScriptEvent(client: 1, number: 1), ScriptEvent(client: 0, number: 2),
            ]
        )
        #expect(script.frontier == [ScriptEvent(client: 0, number: 5)])
    }

    @Test func `a client waits for the parents of its next step and for nothing else`() throws {
        var stage = Stage(Script(forked, clientCount: 3))
        #expect(try stage.type(1) == .missing([ScriptEvent(client: 0, number: 1)]))
        guard case .batch = try stage.type(0) else { Issue.record("nothing typed"); return }
        #expect(
            try stage.type(0)
                == .missing([
                    ScriptEvent(client: 1, number: 1), ScriptEvent(client: 2, number: 0),
                ])
        )
        try stage.deliver()
        // Concurrently: neither needs the other.
        guard case .batch = try stage.type(2) else { Issue.record("nothing typed"); return }
        guard case .batch = try stage.type(1) else { Issue.record("nothing typed"); return }
        try stage.deliver()
        guard case .batch(let last) = try stage.type(0) else { Issue.record("stuck"); return }
        #expect(last.patches.count == 2)
        #expect(try stage.type(0) == .finished)
        try stage.deliver()
        #expect(stage.documents.map(\.text.string) == ["xébd", "xébd", "xébd"])
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `a client that is killed goes on where its document ends, in any event`(
        seed: UInt64
    ) throws {
        var plan = PhasePlan(seed: seed)
        plan.keystrokeCount = 7
        plan.offlineEditCount = 20
        var script = Script(forked, clientCount: 2)
        script.appendTyping(plan, scalarCount: 4)
        script.appendOffline(plan, scalarCount: 4 + plan.keystrokeCount)
        var random = SplitMix(seed: seed)
        var stage = Stage(script)
        var rounds = 0
        while stage.cursors.indices.contains(where: {
            stage.cursors[$0].typedCount < script.eventCounts[$0]
        }) {
            rounds += 1
            try #require(rounds < 10_000, "seed \(seed) is stuck")
            let client = Int.random(in: 0...1, using: &random)
            let before = stage.documents[client]
            let cursor = stage.cursors[client]
            let verdict = stage.cursors[client].verdict(
                below: .max,
                elapsed: .seconds(1000),
                limit: Int.random(in: 1...5, using: &random)
            )
            if case .batch(let batch) = verdict {
                var runs = try stage.documents[client].edit(
                    batch.patches,
                    at: batch.parents.map {
                        EventID(log: stage.logs[$0.client], number: $0.number)
                    },
                    author: stage.logs[client],
                    firstEvent: batch.firstNumber
                ).runs
                stage.cursors[client].advance(over: batch)
                if Bool.random(using: &random) {
                    // Killed: only some of the runs had been saved.
                    let saved = Int.random(in: 0...runs.count, using: &random)
                    runs = Array(runs.prefix(saved))
                    stage.documents[client] = before
                    _ = try stage.documents[client].merge(runs)
                    let count = runs.last.map { $0.last.number + 1 } ?? cursor.typedCount
                    stage.cursors[client] = cursor
                    stage.cursors[client].resume(typedCount: count)
                }
                stage.runs.append(runs)
            }
            try stage.deliver()
        }
        let expected = ExpectedTexts(
            script,
            traceStepCount: 5,
            logs: stage.logs,
            bases: [0, 0]
        )
        #expect(stage.documents[0].text.string == expected.settled, "seed \(seed)")
        #expect(stage.documents[1].text.string == expected.settled, "seed \(seed)")
        #expect(expected.replayed == "xébd")
    }

    @Test func `what is left of a step is what its last events do`() {
        let insertion = ScriptStep(
            client: 0,
            firstNumber: 10,
            eventCount: 4,
            parents: [],
            patch: Patch(range: 3..<3, text: "aé漢b")
        )
        let rest = insertion.dropping(2)
        #expect(rest.patch == Patch(range: 5..<5, text: "漢b"))
        #expect(rest.parents == [ScriptEvent(client: 0, number: 11)])
        #expect(rest.firstNumber == 12)
        let deletion = ScriptStep(
            client: 0,
            firstNumber: 0,
            eventCount: 3,
            parents: [],
            patch: Patch(range: 5..<8, text: "")
        )
        #expect(deletion.dropping(1).patch == Patch(range: 5..<7, text: ""))
    }

    @Test func `a step whose place does not exist has as many events at the nearest one`() {
        func step(_ patch: Patch, _ eventCount: Int) -> ScriptStep {
            ScriptStep(client: 0, firstNumber: 3, eventCount: eventCount, parents: [], patch: patch)
        }
        let insertion = step(Patch(range: 9..<9, text: "ab"), 2).fitted(toScalarCount: 5)
        #expect(insertion.patch == Patch(range: 5..<5, text: "ab"))
        let deletion = step(Patch(range: 4..<7, text: ""), 3).fitted(toScalarCount: 5)
        #expect(deletion.patch == Patch(range: 2..<5, text: ""))
        let impossible = step(Patch(range: 4..<7, text: ""), 3).fitted(toScalarCount: 2)
        #expect(impossible.patch == Patch(range: 2..<2, text: "???"))
        #expect(impossible.eventCount == 3)
    }

    @Test func `a script is put where it was really typed`() {
        var script = Script(clientCount: 1)
        script.append(Patch(range: 0..<0, text: "abc"), by: 0, after: [])
        script.append(
            Patch(range: 9..<9, text: "d"),
            by: 0,
            after: [ScriptEvent(client: 0, number: 2)]
        )
        script.fit([FittedStep(client: 0, firstNumber: 3, scalarCount: 3)])
        #expect(script.steps.map(\.patch.range) == [0..<0, 3..<3])
    }

    @Test func `a long step is typed in pieces and names the same events`() {
        let count = Script.maximumStepEventCount * 2 + 5
        var script = Script(clientCount: 1)
        let text = String(repeating: "é", count: count)
        script.append(Patch(range: 0..<0, text: text), by: 0, after: [])
        script.append(
            Patch(range: 0..<count, text: ""),
            by: 0,
            after: [ScriptEvent(client: 0, number: UInt64(count) - 1)]
        )
        #expect(script.steps.count == 6)
        #expect(script.eventCounts == [UInt64(count * 2)])
        let expected = ExpectedTexts(
            script,
            traceStepCount: 3,
            logs: [Trace.log(ofAgent: 0)],
            bases: [4]
        )
        #expect(expected.replayed == text)
        #expect(expected.settled.isEmpty)
    }

    @Test func `keys of the typing phase are due one after the other and alternate`() {
        var script = Script(forked, clientCount: 2)
        var plan = PhasePlan()
        plan.keystrokeCount = 4
        script.appendTyping(plan, scalarCount: 4)
        let keys = script.steps.suffix(4)
        #expect(keys.map(\.client) == [0, 1, 0, 1])
        #expect(
            keys.map(\.due) == [
                .zero, .milliseconds(50), .milliseconds(100), .milliseconds(150),
            ]
        )
        let cursor = ScriptCursor(Script(clientCount: 2).with(plan), client: 1)
        #expect(
            cursor.verdict(below: .max, elapsed: .milliseconds(20), limit: 9)
                == .early(.milliseconds(30))
        )
    }

    @Test func `offline edits are decided by the seed and meet at some places`() {
        var script = Script(clientCount: 2)
        let plan = PhasePlan(seed: 7)
        script.appendOffline(plan, scalarCount: 5000)
        var again = Script(clientCount: 2)
        again.appendOffline(plan, scalarCount: 5000)
        #expect(script.steps == again.steps)
        var other = Script(clientCount: 2)
        other.appendOffline(PhasePlan(seed: 8), scalarCount: 5000)
        #expect(script.steps != other.steps)
        let places = [0, 1].map { client in
            Set(script.steps.filter { $0.client == client }.map(\.patch.range.lowerBound))
        }
        #expect(places[0].intersection(places[1]).count >= 4)
        #expect(script.steps.count { !$0.patch.range.isEmpty } > 50)
    }
}

extension Script {
    fileprivate func with(_ plan: PhasePlan) -> Script {
        var copy = self
        copy.appendTyping(plan, scalarCount: 0)
        return copy
    }
}
