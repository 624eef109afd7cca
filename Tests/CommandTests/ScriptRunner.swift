import Foundation

/// Plays one script in a directory of its own.
final class ScriptRunner {
    // A class: it stands for a directory and the processes that run in it.
    /// What a person would have seen and did not, or the other way round.
    struct Difference: Error, CustomStringConvertible {
        let script: String
        let line: Int
        let what: String
        let expected: [String]
        let actual: [String]

        var description: String {
            """
            \(script).txt:\(line): \(what)
            expected:
            \(expected.map { "  \($0)" }.joined(separator: "\n"))
            actual:
            \(actual.map { "  \($0)" }.joined(separator: "\n"))
            """
        }
    }

    /// How long one command may take, and how long `await` waits.
    private static let patience = 60

    private let script: Script
    private let work: URL
    private let binaries: URL
    private var relay: ShellProcess?
    private var relayURL = ""
    private var started: [String: ShellProcess] = [:]
    private var runCount = 0

    init(_ script: Script) throws {
        self.script = script
        binaries = try Binaries.directory()
        work = FileManager.default.temporaryDirectory
            .appendingPathComponent("sennit-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
    }

    deinit {
        for process in started.values { process.send(SIGKILL) }
        relay?.send(SIGKILL)
        try? FileManager.default.removeItem(at: work)
    }

    func run() async throws {
        for step in script.steps {
            switch step.action {
            case .run(let person, let command): try await run(command, as: person, step)
            case .start(let person, let command):
                started[person] = try start("exec " + command, as: person)
            case .await(let person, let line): try await wait(for: line, from: person, step)
            case .end(let person): try await end(person, step)
            case .relay(let action): try await control(action, step)
            case .put(let file):
                let text = step.output.map { $0 + "\n" }.joined()
                try text.write(
                    to: work.appendingPathComponent(file),
                    atomically: true,
                    encoding: .utf8
                )
            }
        }
    }

    private func run(_ command: String, as person: String, _ step: Script.Step) async throws {
        let process = try start(command, as: person)
        let code = try await process.wait(seconds: ScriptRunner.patience)
        try compare(step, process, code)
    }

    private func start(_ command: String, as person: String) throws -> ShellProcess {
        runCount += 1
        return try ShellProcess(
            ["/bin/sh", "-c", command],
            directory: work,
            environment: [
                "PATH": binaries.path + ":/usr/local/bin:/usr/bin:/bin",
                "HOME": work.path,
                "SENNIT_PROFILE": work.appendingPathComponent(person + ".profile").path,
                "RELAY": relayURL,
                "WORK": work.path,
                "USER": person,
                "TERM": "xterm-256color",
                "LANG": "C.UTF-8",
                "TZ": "UTC",
                "SENNIT_WAIT": String(ScriptRunner.patience / 2),
            ],
            output: "step-\(runCount)"
        )
    }

    private func compare(_ step: Script.Step, _ process: ShellProcess, _ code: Int32) throws {
        let output = lines(of: process.output)
        let errors = lines(of: process.errors)
        let streams = [
            ("standard output", step.output, output), ("standard error", step.errors, errors),
        ]
        for (name, expected, actual) in streams {
            let expected = expected.map(substituted)
            if LinePattern.matches(expected[...], actual[...]) { continue }
            let other = name == "standard output" ? ["(standard error)"] + errors : []
            throw difference(step, "\(name) differs", expected, actual + other)
        }
        if code != step.exitCode {
            throw difference(
                step,
                "the exit code differs",
                [String(step.exitCode)],
                ["\(code)"] + output + errors
            )
        }
    }

    /// Polls, because a file has no wake-up that is worth its code here.
    private func wait(for line: String, from person: String, _ step: Script.Step) async throws {
        guard let process = started[person] else {
            throw difference(step, "nothing runs for \(person)", [], [])
        }
        let line = substituted(line)
        let deadline = ContinuousClock.now + .seconds(ScriptRunner.patience)
        while true {
            let hasEnded = process.hasEnded
            let seen = lines(of: process.output) + lines(of: process.errors)
            if seen.contains(where: { LinePattern.matches(line, $0) }) { return }
            if hasEnded || ContinuousClock.now > deadline {
                throw difference(step, "the line did not come", [line], seen)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func end(_ person: String, _ step: Script.Step) async throws {
        guard let process = started.removeValue(forKey: person) else {
            throw difference(step, "nothing runs for \(person)", [], [])
        }
        process.send(SIGTERM)
        let code = try await process.wait(seconds: ScriptRunner.patience)
        try compare(step, process, code)
    }

    // MARK: The relay

    private func control(_ action: Script.RelayAction, _ step: Script.Step) async throws {
        switch action {
        case .start: try await startRelay(step)
        case .stop: relay?.send(SIGTERM)
        case .kill: relay?.send(SIGKILL)
        }
        if action != .start {
            _ = try await relay?.wait(seconds: ScriptRunner.patience)
            relay = nil
        }
    }

    /// Port 0 is any free one; started again, the relay takes the port it had.
    private func startRelay(_ step: Script.Step) async throws {
        let port = relayURL.split(separator: ":").last.map(String.init) ?? "0"
        let ready = work.appendingPathComponent("relay.url")
        try? FileManager.default.removeItem(at: ready)
        runCount += 1
        let settings = work.appendingPathComponent("relay.toml").path
        let hasSettings = FileManager.default.fileExists(atPath: settings)
        let process = try ShellProcess(
            [
                binaries.appendingPathComponent("sennit-relay").path, "serve",
                "--data", work.appendingPathComponent("relay.data").path,
                "--listen", "127.0.0.1:\(port)", "--ready-file", ready.path,
            ] + (hasSettings ? ["--config", settings] : []),
            directory: work,
            environment: [:],
            output: "step-\(runCount)"
        )
        relay = process
        while !FileManager.default.fileExists(atPath: ready.path) {
            if process.hasEnded {
                throw difference(step, "the relay did not start", [], lines(of: process.errors))
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        relayURL = try String(contentsOf: ready, encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: Text

    private func substituted(_ line: String) -> String {
        line.replacingOccurrences(of: "$RELAY", with: relayURL)
            .replacingOccurrences(of: "$WORK", with: work.path)
    }

    private func lines(of text: String) -> [String] {
        var lines = text.components(separatedBy: "\n")
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private func difference(
        _ step: Script.Step,
        _ what: String,
        _ expected: [String],
        _ actual: [String]
    ) -> Difference {
        Difference(
            script: script.name,
            line: step.line,
            what: what,
            expected: expected,
            actual: actual
        )
    }
}
