import Foundation
import Testing

/// A relay with a certificate of one's own making, set up by the commands of docs/SELF-HOSTING.md.
struct PrivateAuthorityTests {
    private static let openssl = "/usr/bin/openssl"
    private static let patience = 60

    private static var isNeeded: Bool {
        ProcessInfo.processInfo.environment["CI"] == "true"
            || FileManager.default.isExecutableFile(atPath: openssl)
    }

    /// The guide's commands that begin with `openssl` or belong to them.
    private func guideCommands() throws -> String {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = root.appendingPathComponent("docs/SELF-HOSTING.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let blocks = text.components(separatedBy: "```console\n").dropFirst().compactMap {
            $0.components(separatedBy: "\n```").first
        }
        let block = try #require(blocks.first { $0.contains("-out ca.pem") })
        return block.components(separatedBy: "\n")
            .map { $0.hasPrefix("$ ") ? String($0.dropFirst(2)) : $0 }.joined(separator: "\n")
    }

    @Test(
        .enabled(if: isNeeded, "openssl is missing; `make setup-tests` installs it"),
        .timeLimit(.minutes(3))
    )
    func `the guide's own authority is trusted by who is told to, and by nobody else`() async throws
    {
        let work = FileManager.default.temporaryDirectory
            .appendingPathComponent("authority-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: work) }
        let binaries = try Binaries.directory()
        var environment = [
            "PATH": binaries.path + ":/usr/local/bin:/usr/bin:/bin", "HOME": work.path,
            "LANG": "C.UTF-8", "SENNIT_WAIT": "8",
        ]
        var count = 0
        func start(_ command: String) throws -> ShellProcess {
            count += 1
            return try ShellProcess(
                ["/bin/sh", "-c", command],
                directory: work,
                environment: environment,
                output: "step-\(count)"
            )
        }
        func run(_ command: String) async throws -> (code: Int32, text: String) {
            let process = try start(command)
            let code = try await process.wait(seconds: PrivateAuthorityTests.patience)
            return (code, process.output + process.errors)
        }
        let made = try await run("set -e\n" + guideCommands())
        #expect(made.code == 0, "\(made.text)")
        let relay = try start(
            "exec sennit-relay serve --data data --listen 127.0.0.1:0 --metrics-listen off "
                + "--certificate relay.pem --key relay.key"
        )
        while !relay.output.contains("\n") {
            try #require(!relay.hasEnded, "\(relay.errors)")
            try await Task.sleep(for: .milliseconds(20))
        }
        let port = try #require(relay.output.split(separator: ":").last?.dropLast())
        let found = "sennit new Notes --as Ada --json --relay wss://localhost:\(port)"
        environment["SENNIT_PROFILE"] = work.path + "/stranger"
        let stranger = try await run(found)
        #expect(!stranger.text.contains("\"sent\":true"), "\(stranger.text)")
        environment["SENNIT_PROFILE"] = work.path + "/ada"
        environment["SSL_CERT_FILE"] = work.path + "/ca.pem"
        let trusting = try await run(found)
        #expect(trusting.code == 0, "\(trusting.text)")
        #expect(trusting.text.contains("\"sent\":true"), "\(trusting.text)")
        environment["SSL_CERT_FILE"] = work.path + "/missing.pem"
        environment["SENNIT_PROFILE"] = work.path + "/typo"
        let typo = try await run(found)
        #expect(typo.text.contains("\"sent\":false"), "\(typo.text)")
        relay.send(SIGTERM)
        #expect(try await relay.wait(seconds: PrivateAuthorityTests.patience) == 0)
    }
}
