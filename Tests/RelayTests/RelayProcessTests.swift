import Foundation
import RelayCore
import RelayStorage
import SennitWire
import Testing

/// The built command in a process of its own.
final class RelayProcess {
    let port: Int
    private let process: Process

    /// The command lies where the tests do.
    static var executableURL: URL {
        get throws {
            let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let folder = URL(fileURLWithPath: tests).deletingLastPathComponent()
            return folder.appendingPathComponent("sennit-relay")
        }
    }

    /// - Parameter trace: the file where strace is to write what the relay asks of the kernel.
    init(
        directory: String,
        options: [String] = [],
        tracedTo trace: String? = nil
    ) throws {
        process = Process()
        let executable = try RelayProcess.executableURL
        let serve = ["serve", "--data", directory, "--listen", "127.0.0.1:0"] + options
        if let trace {
            // -D: the process that is started is the relay, and strace goes beside it.
            process.executableURL = URL(fileURLWithPath: "/usr/bin/strace")
            process.arguments =
                [
                    "-D", "-f", "-xx", "-s", "20000", "-o", trace, "-e",
                    "trace=pwrite64,fdatasync,write,writev,sendto,sendmsg", executable.path,
                ] + serve
        } else {
            process.executableURL = executable
            process.arguments = serve
        }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let prefix = "sennit-relay: listening on ws://127.0.0.1:"
        guard line.hasPrefix(prefix), let port = Int(line.dropFirst(prefix.count).dropLast()) else {
            throw RelayError.listen(address: "127.0.0.1", reason: line)
        }
        self.port = port
    }

    deinit { if process.isRunning { process.terminate() } }

    /// Sends a signal and waits for the end.
    func end(with number: Int32) -> (reason: Process.TerminationReason, status: Int32) {
        kill(process.processIdentifier, number)
        process.waitUntilExit()
        return (process.terminationReason, process.terminationStatus)
    }

    /// Waits for the end, which something else brings about.
    func waitForEnd() { process.waitUntilExit() }

    /// Starts the command, whose words nobody reads.
    static func start(_ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = try executableURL
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Runs the command to its end.
    static func run(
        _ arguments: [String]
    ) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = try executableURL
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let outputData = output.fileHandleForReading.readDataToEndOfFile()
        let errorData = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: outputData, as: UTF8.self),
            String(decoding: errorData, as: UTF8.self)
        )
    }
}

@Suite(.timeLimit(.minutes(2)))
struct RelayProcessTests {
    let founder = TestDevice(1)
    let directory = TestDirectory()

    private var genesis: Genesis { founder.genesis() }
    private var path: String { directory.path + "/" + SQLiteStorage.fileName }

    private func enter(_ relay: RelayProcess) async throws -> (client: RelayClient, Welcome) {
        try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: relay.port,
            founding: genesis
        )
    }

    @Test func `every acked entry is there after a kill`() async throws {
        var log = TestLog(founder, genesis.spaceID)
        for round in 1...5 {
            let relay = try RelayProcess(directory: directory.path)
            let (client, welcome) = try await enter(relay)
            let stored = Int(welcome.logs.first?.end.value ?? 0)
            #expect(stored == log.entries.count)
            for _ in 0..<round * 3 {
                let answer = try await client.append(log.add(count: 2))
                #expect(answer == .ack(log.ack(log.entries.count)))
            }
            #expect(relay.end(with: SIGKILL).reason == .uncaughtSignal)
            #expect(await client.rest() == [])
        }
        let checked = try RelayProcess.run(["verify", "--data", directory.path])
        #expect(checked.status == 0)
        #expect(checked.output.contains("1 logs, \(log.entries.count) entries"))
    }

    @Test func `a kill between sending and ack leaves whole appends`() async throws {
        var log = TestLog(founder, genesis.spaceID)
        for _ in 0..<5 {
            let relay = try RelayProcess(directory: directory.path)
            let (client, welcome) = try await enter(relay)
            let stored = Int(welcome.logs.first?.end.value ?? 0)
            #expect(stored.isMultiple(of: 3))
            // What was stored unacked is known to the relay, what wasn't is offered again.
            if stored < log.entries.count {
                for from in stride(from: stored, to: log.entries.count, by: 3) {
                    let answer = try await client.append(log.range(from, from + 3))
                    #expect(answer == .ack(log.ack(from + 3)))
                }
            }
            for _ in 0..<30 { client.send(.append(log.add(count: 3))) }
            _ = try await client.next()
            _ = relay.end(with: SIGKILL)
        }
        #expect(try RelayProcess.run(["verify", "--data", directory.path]).status == 0)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a signal stops it in good order`(number: Int32) async throws {
        let relay = try RelayProcess(directory: directory.path)
        let (client, _) = try await enter(relay)
        let ending = relay.end(with: number)
        #expect(ending.reason == .exit)
        #expect(ending.status == 0)
        guard case .refused(let refusal) = await client.rest().last else {
            Issue.record("no goodbye")
            return
        }
        #expect(refusal.code == .shuttingDown)
    }

    @Test func `a second relay on the same data is refused`() throws {
        let relay = try RelayProcess(directory: directory.path)
        let second = try RelayProcess.run([
            "serve", "--data", directory.path, "--listen", "127.0.0.1:0",
        ])
        #expect(second.status == 1)
        let reason = "\(directory.path) is in use by another process"
        #expect(second.errors == "sennit-relay: error: \(reason)\n")
        #expect(relay.end(with: SIGTERM).status == 0)
    }

    @Test func `it writes its address to the file it is told to`() async throws {
        let ready = directory.path + ".ready"
        defer { try? FileManager.default.removeItem(atPath: ready) }
        let process = Process()
        process.executableURL = try RelayProcess.executableURL
        process.arguments = [
            "serve", "--data", directory.path, "--listen", "127.0.0.1:0", "--ready-file", ready,
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let url = try String(contentsOfFile: ready, encoding: .utf8)
        #expect(line == "sennit-relay: listening on \(url)")
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test func `what isn't a relay's data is named and left alone`() throws {
        try FileManager.default.createDirectory(
            atPath: directory.path,
            withIntermediateDirectories: true
        )
        try Data("not a database at all".utf8).write(to: URL(fileURLWithPath: path))
        for verb in ["serve", "verify"] {
            let run = try RelayProcess.run([verb, "--data", directory.path])
            #expect(run.status == 1)
            #expect(run.errors == "sennit-relay: error: \(path) is not the storage of a relay\n")
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "not a database at all")
        let missing = try RelayProcess.run(["verify", "--data", directory.path + "/missing"])
        #expect(missing.status == 1)
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/missing"))
    }

    @Test func `verify, by its old name too, names the damage and exits with 1`() async throws {
        let relay = try RelayProcess(directory: directory.path)
        let (client, _) = try await enter(relay)
        var log = TestLog(founder, genesis.spaceID)
        let marked = log.add([[1], Array("a mark to be found".utf8)])
        #expect(try await client.append(marked) == .ack(log.ack(2)))
        #expect(relay.end(with: SIGTERM).status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        let path = try #require(
            names.filter { $0.hasSuffix(".segment") }.map { directory.path + "/" + $0 }.first {
                FileManager.default.contents(atPath: $0)?.range(of: Data("a mark".utf8)) != nil
            }
        )
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        let place = try #require(data.range(of: Data("a mark to be found".utf8)))
        data[place.lowerBound] ^= 1
        try data.write(to: URL(fileURLWithPath: path))
        for verb in ["verify", "check"] {
            let checked = try RelayProcess.run([verb, "--data", directory.path])
            #expect(checked.status == 1)
            #expect(checked.errors.contains("log \(log.id) is damaged at offset 0"))
        }
    }
}
