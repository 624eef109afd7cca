import Foundation
import SennitReference
import SennitWire

/// Gathers the evidence of a run that has ended, from its directory alone.
struct Verifier {
    private let directory: RunDirectory
    private let plan: RunPlan
    private let outcome: RunOutcome
    private let trace: Trace

    init(_ directory: RunDirectory, trace: Trace) throws(DemoError) {
        self.directory = directory
        plan = try directory.readPlan()
        outcome = try directory.readOutcome()
        self.trace = trace
    }

    /// Judges the run.
    /// - Parameter sabotage: what to break first.
    func verdict(sabotage: Sabotage?) async throws -> Verdict {
        try sabotage?.apply(to: directory, plan: plan)
        var evidence = try await gather()
        if sabotage == .version { evidence.versions[plan.clientCount - 1].removeLast() }
        return Verdict(evidence)
    }

    private func gather() async throws -> Evidence {
        var script = Script(trace, clientCount: plan.clientCount)
        let traceStepCount = script.steps.count
        let traceCounts = script.eventCounts
        script.appendTyping(plan.phases, scalarCount: outcome.scalarCount)
        let typingCounts = script.eventCounts
        let typedCount = outcome.scalarCount + plan.phases.keystrokeCount
        script.appendOffline(plan.phases, scalarCount: typedCount)

        let logs = try outcome.bases.map { base throws(DemoError) in
            guard let log = LogID(hex: base.log) else {
                throw .badFile(path: directory.outcomeFile, reason: "\(base.log) is no log")
            }
            return log
        }
        let samples = try readSamples()
        script.fit(
            Set(
                zip(clients, samples).flatMap { client, samples in
                    samples.fitted.map {
                        FittedStep(client: client, firstNumber: $0, scalarCount: $1)
                    }
                }
            )
        )
        // The slow implementation takes a processor of its own while the rest is looked at.
        let expecting = Task { [script, bases = outcome.bases.map(\.firstEvent)] in
            ExpectedTexts(script, traceStepCount: traceStepCount, logs: logs, bases: bases)
        }
        let windows = try WindowSet(script, secrets: plan.names.all, logs: logs)
        let profiles = try await reopen()
        var evidence = Evidence(
            expected: await expecting.value,
            endContent: trace.endContent,
            typingLatency: LatencyReport(
                samples,
                numbers: zip(traceCounts, typingCounts).map { $0..<$1 }
            ),
            replayLatency: LatencyReport(samples, numbers: traceCounts.map { 0..<$0 })
        )
        try readTexts(into: &evidence)
        evidence.reopened = profiles.map(\.text)
        evidence.indexDifferences = profiles.map(\.findings)
        evidence.versions = outcome.versions
        evidence.replaySeconds = outcome.replaySeconds
        evidence.traceEventCount = traceCounts.reduce(0, +)
        evidence.killCount = outcome.killCount
        evidence.chaosKillCount = outcome.chaosKillCount
        evidence.stepCount = script.steps.count
        evidence.fittedStepCount = samples.reduce(0) { $0 + $1.fitted.count }
        try scan(for: windows, into: &evidence)
        evidence.relayCheck = try await RelayProcess(directory).check()
        return evidence
    }

    private var clients: Range<Int> { 0..<plan.clientCount }

    private func readSamples() throws(DemoError) -> [LatencySamples] {
        try clients.map { client throws(DemoError) in
            let lines = try directory.readText(directory.samples(client)).split(separator: "\n")
            return LatencySamples(lines: lines)
        }
    }

    private func readTexts(into evidence: inout Evidence) throws(DemoError) {
        for client in clients {
            evidence.replayed.append(try directory.readText(directory.text(client, .replayed)))
            evidence.settled.append(try directory.readText(directory.text(client, .settled)))
        }
    }

    private func reopen() async throws -> [ReopenedProfile] {
        var profiles: [ReopenedProfile] = []
        for client in clients {
            profiles.append(try await ReopenedProfile(directory, plan, client: client))
        }
        return profiles
    }

    /// All that the relay had on disk, when it was killed and at the end.
    private func disk(
        of directory: RunDirectory,
        for windows: WindowSet
    ) throws(DemoError) -> LeakReport {
        var report = try LeakScan.disk(directory.relay, for: windows)
        report.add(try LeakScan.disk(directory.killedRelay, for: windows))
        return report
    }

    private func scan(for windows: WindowSet, into evidence: inout Evidence) throws(DemoError) {
        evidence.windowCount = windows.count
        evidence.disk = try disk(of: directory, for: windows)
        evidence.traffic = try LeakScan.traffic(directory.traffic, for: windows)
        evidence.controlDisk = try disk(of: directory.control, for: windows)
        evidence.controlTraffic = try LeakScan.traffic(directory.control.traffic, for: windows)
        // Which of its sentences the relay has occasion to say differs from run to run.
        let program = try Programs.path("sennit-relay")
        evidence.controlTraffic.add(
            try LeakScan.file(program, place: "sennit-relay", for: windows)
        )

        var own = WindowSet()
        own.insert(windowsOf: (evidence.replayed.first ?? "").utf8)
        var found = LeakReport()
        var finder = WindowFinder(place: "")
        finder.take((evidence.replayed.first ?? "").utf8, windows: windows, into: &found)
        evidence.scannerTest = (found.hits.count, own.count)
    }
}
