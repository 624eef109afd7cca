import Foundation

/// The relay of a run: one process after another on the same data and the same port.
struct RelayProcess {
    private let directory: RunDirectory
    private let program: String
    private var process: ChildProcess?
    /// Where it listens; 0 until it has.
    private(set) var port = 0

    init(_ directory: RunDirectory) throws(DemoError) {
        self.directory = directory
        program = try Programs.path("sennit-relay")
    }

    /// Whether it runs, as it should.
    var isRunning: Bool { process?.isRunning ?? false }

    /// Starts it and waits until it listens.
    mutating func start() async throws(DemoError) {
        let readyFile = directory.path + "/relay.ready"
        try? FileManager.default.removeItem(atPath: readyFile)
        let process = try ChildProcess(
            program,
            [
                "serve", "--data", directory.relay, "--listen", "127.0.0.1:\(port)",
                "--ready-file", readyFile, "--log-level", "debug",
            ],
            outputPath: directory.relayLog
        )
        self.process = process
        for _ in 0..<1000 {
            if let url = try? directory.readText(readyFile),
                let found = url.split(separator: ":").last,
                let number = Int(found.trimmingCharacters(in: .whitespacesAndNewlines))
            {
                port = number
                return
            }
            guard process.isRunning else { break }
            try? await Task.sleep(for: .milliseconds(10))
        }
        process.kill()
        throw .relayEnded(logPath: directory.relayLog)
    }

    /// SIGKILL.
    mutating func kill() {
        process?.kill()
        process = nil
    }

    /// SIGTERM, the clean end.
    mutating func stop() async {
        await process?.stop()
        process = nil
    }

    /// What `sennit-relay verify` says about the data of a relay that doesn't run.
    func check() async throws(DemoError) -> (isSound: Bool, output: String) {
        let outputPath = directory.path + "/relay-check.txt"
        try? FileManager.default.removeItem(atPath: outputPath)
        let check = try ChildProcess(
            program,
            ["verify", "--data", directory.relay],
            outputPath: outputPath
        )
        let status = check.waitUntilExit()
        let output = try directory.readText(outputPath)
        return (status == 0, output.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
