import SennitDocument
import SennitReference
import SennitWire
import Testing

@testable import SennitDemo

/// The evidence of a run in which nothing went wrong.
private func sound() -> Evidence {
    var script = Script(clientCount: 2)
    script.append(Patch(range: 0..<0, text: "hell\u{F6}, world"), by: 0, after: [])
    let logs = [Trace.log(ofAgent: 0), Trace.log(ofAgent: 1)]
    var samples = LatencySamples()
    samples.noteTyped(end: 12, time: 1_000_000)
    var others = LatencySamples()
    others.noteShown(ScriptEvent(client: 0, number: 3), time: 4_000_000)
    let latency = LatencyReport([samples, others], numbers: [0..<12, 0..<0])
    var evidence = Evidence(
        expected: ExpectedTexts(script, traceStepCount: 1, logs: logs, bases: [0, 0]),
        endContent: "hell\u{F6}, world",
        typingLatency: latency,
        replayLatency: latency
    )
    evidence.replayed = ["hell\u{F6}, world", "hell\u{F6}, world"]
    evidence.settled = evidence.replayed
    evidence.reopened = evidence.replayed
    evidence.versions = [["a 3", "b 1"], ["a 3", "b 1"]]
    evidence.indexDifferences = [[], []]
    evidence.relayCheck = (true, "4 entries")
    evidence.scannerTest = (5, 5)
    for part: WritableKeyPath<Evidence, LeakReport> in [
        \.disk, \.traffic, \.controlDisk, \.controlTraffic,
    ] {
        evidence[keyPath: part].byteCount = 100
    }
    return evidence
}

private let leak: [UInt64: LeakHit] = [7: LeakHit(window: 7, place: "x", endOffset: 8)]

@Suite struct VerdictTests {
    @Test func `a sound run holds`() {
        let verdict = Verdict(sound())
        #expect(verdict.holds)
        #expect(verdict.table(isColored: false).contains("The verdict holds."))
        #expect(!verdict.table(isColored: false).contains("\u{1B}"))
        #expect(verdict.table(isColored: true).contains("\u{1B}[32m✓"))
    }

    @Test func `nothing checked is nothing proven`() {
        #expect(!Verdict().holds)
    }

    /// Something that went wrong in a run, and the check that must notice.
    struct Fault: Sendable, CustomTestStringConvertible {
        let key: String
        let spoil: @Sendable (inout Evidence) -> Void
        var testDescription: String { key }

        init(_ key: String, _ spoil: @escaping @Sendable (inout Evidence) -> Void) {
            self.key = key
            self.spoil = spoil
        }
    }

    static let faults = [
        Fault("texts") { $0.settled[1] = "hell\u{F6}, World" },
        Fault("texts") { $0.reopened[0] = "" },
        Fault("texts") { $0.reopened = [] },
        // The same to a reader, other scalars.
        Fault("texts") { $0.settled[1] = "hello\u{308}, world" },
        Fault("reference") { $0.replayed[1] = "hell" },
        Fault("reference") { evidence in
            evidence.settled = ["x", "x"]
            evidence.reopened = ["x", "x"]
        },
        Fault("end") { $0.endContent = "hello\u{308}, world" },
        Fault("places") { $0.fittedStepCount = 1 },
        Fault("kills") { $0.chaosKillCount = 0 },
        Fault("versions") { $0.versions[1] = ["a 3"] },
        Fault("versions") { $0.versions = [[], []] },
        Fault("index") { $0.indexDifferences[1] = ["its documents differ"] },
        Fault("index") { $0.indexDifferences = [] },
        Fault("relay") { $0.relayCheck = (false, "damaged") },
        Fault("scanner") { $0.scannerTest = (4, 5) },
        Fault("disk") { $0.disk.hits = leak },
        Fault("disk") { $0.disk.byteCount = 0 },
        Fault("disk") { $0.controlDisk.byteCount = 0 },
        Fault("traffic") { $0.traffic.hits = leak },
        Fault("traffic") { $0.traffic.unreadable = ["1-device.bin: no WebSocket handshake"] },
    ]

    @Test(arguments: faults)
    func `each check fails for what it checks`(fault: Fault) throws {
        var evidence = sound()
        fault.spoil(&evidence)
        let verdict = Verdict(evidence)
        #expect(!verdict.holds)
        let line = try #require(verdict.lines.first { $0.key == fault.key })
        #expect(line.outcome == .fails)
        #expect(verdict.table(isColored: false).contains("✗  \(line.title)"))
    }

    @Test func `hits that the control run has too are no leaks`() {
        var evidence = sound()
        evidence.disk.hits = leak
        evidence.controlDisk.hits = leak
        #expect(Verdict(evidence).holds)
    }

    @Test func `latency is from the call to the other screen, and misses no sample`() {
        var typist = LatencySamples()
        typist.noteTyped(end: 10, time: 1_000)
        typist.noteTyped(end: 20, time: 2_000)
        // Killed: events from 10 on are typed again.
        typist.noteTyped(end: 15, time: 5_000)
        typist.noteTyped(end: 20, time: 6_000)
        #expect(typist.timeTyped(9) == 1_000)
        #expect(typist.timeTyped(10) == 5_000)
        #expect(typist.timeTyped(15) == 6_000)
        #expect(typist.timeTyped(20) == nil)
        var reader = LatencySamples()
        for number in 0..<20 as Range<UInt64> {
            reader.noteShown(ScriptEvent(client: 0, number: number), time: 7_000)
        }
        let report = LatencyReport([typist, reader], numbers: [0..<20, 0..<0])
        #expect(report.durations.count == 20)
        #expect(report.percentile(50) == .nanoseconds(2_000))
        #expect(report.percentile(99) == .nanoseconds(6_000))
        #expect(LatencyReport([typist, reader], numbers: [0..<5, 0..<0]).durations.count == 5)
    }

    @Test func `samples are read back as they were written, a cut line left out`() {
        let lines = "typed 5 100\nshown 1 3 250\nshown 1 4\ntyp".split(separator: "\n")
        let samples = LatencySamples(lines: lines)
        #expect(samples.timeTyped(4) == 100)
        #expect(samples.shown.map(\.event) == [ScriptEvent(client: 1, number: 3)])
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `chaos is decided by its seed and kills clients and relay within the replay`(
        seed: UInt64
    ) {
        let chaos = ChaosSchedule(seed: seed, clientCount: 3, eventCount: 1000)
        #expect(chaos == ChaosSchedule(seed: seed, clientCount: 3, eventCount: 1000))
        #expect(chaos != ChaosSchedule(seed: seed + 1, clientCount: 3, eventCount: 1000))
        #expect(chaos.kills.contains { $0.victim == .relay })
        #expect(chaos.kills.contains { $0.victim != .relay })
        #expect(chaos.kills.map(\.eventCount) == chaos.kills.map(\.eventCount).sorted())
        #expect(chaos.kills.allSatisfy { $0.eventCount <= 1000 })
    }

    @Test func `numbers have their thousands apart`() {
        #expect(grouped(1_234_567) == "1,234,567")
        #expect(grouped(999) == "999")
    }
}
