import Foundation
import RelayCore
import RelayStorage
import SennitWire
import Testing

/// Backup, restore, verify, migrate and the operator's verbs, with the built command.
@Suite(.timeLimit(.minutes(3)))
struct OperationsProcessTests {
    let founder = TestDevice(1)
    let directory = TestDirectory()
    let other = TestDirectory()
    let third = TestDirectory()

    private var genesis: Genesis { founder.genesis() }

    private func enter(_ relay: RelayProcess) async throws -> (client: RelayClient, Welcome) {
        try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: relay.port,
            founding: genesis
        )
    }

    private func run(_ arguments: String...) throws -> (output: String, errors: String, Int32) {
        let run = try RelayProcess.run(arguments)
        return (run.output, run.errors, run.status)
    }

    @Test func `a backup under load has what was acked before it, and devices go on from it`()
        async throws
    {
        let relay = try RelayProcess(directory: directory.path)
        let (client, _) = try await enter(relay)
        var log = TestLog(founder, genesis.spaceID)
        for _ in 0..<50 { #expect(try await client.append(log.add(count: 2)).isAck) }
        let ackedBefore = log.entries.count
        let backing = try RelayProcess.start([
            "backup", "--to", other.path, "--data", directory.path, "--json",
        ])
        // Appends go on while the copy is made.
        while backing.isRunning || log.entries.count < ackedBefore + 40 {
            #expect(try await client.append(log.add(count: 1)).isAck)
        }
        backing.waitUntilExit()
        #expect(backing.terminationStatus == 0)
        #expect(relay.end(with: SIGKILL).reason == .uncaughtSignal)

        let restored = try run("restore", "--from", other.path, "--data", third.path)
        #expect(restored.2 == 0, "\(restored.errors)")
        #expect(restored.output.hasPrefix("1 logs, "))
        let again = try RelayProcess(directory: third.path)
        let (returning, welcome) = try await enter(again)
        let end = Int(try #require(welcome.logs.first).end.value)
        #expect(end >= ackedBefore)
        #expect(end <= log.entries.count)
        // What the backup's moment lacked is offered again by who wrote it.
        // A fast relay took more meanwhile than one append may carry.
        for from in stride(from: end, to: log.entries.count, by: 200) {
            let part = log.range(from, min(from + 200, log.entries.count))
            #expect(try await returning.append(part) == .ack(log.ack(Int(part.head.end.value))))
        }
        #expect(try await returning.append(log.add(count: 1)) == .ack(log.ack(log.entries.count)))
        #expect(again.end(with: SIGTERM).status == 0)
        let proven = try run("verify", "--data", third.path)
        #expect(proven.2 == 0)
        #expect(proven.output.contains("1 logs, \(log.entries.count) entries"))
    }

    @Test func `a relay is verified while it runs, and damage is named`() async throws {
        let relay = try RelayProcess(directory: directory.path)
        let (client, _) = try await enter(relay)
        var log = TestLog(founder, genesis.spaceID)
        let marked = log.add([[1], Array("a mark to be found".utf8)])
        #expect(try await client.append(marked) == .ack(log.ack(2)))
        let good = try run("verify", "--data", directory.path, "--json")
        #expect(good.2 == 0)
        let report = try AdminCoding.decoder().decode(
            VerifyReport.self,
            from: Data(good.output.utf8)
        )
        #expect(report.entries == 2)
        #expect(report.damages == [])
        // Rot on the disk of the running relay.
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        let path = try #require(
            names.filter { $0.hasSuffix(".segment") }.map { directory.path + "/" + $0 }.first {
                FileManager.default.contents(atPath: $0)?.range(of: Data("a mark".utf8)) != nil
            }
        )
        let place = try #require(
            FileManager.default.contents(atPath: path)?.range(of: Data("a mark".utf8))
        )
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try handle.seek(toOffset: UInt64(place.lowerBound))
        try handle.write(contentsOf: Data("A".utf8))
        try handle.close()
        let bad = try run("verify", "--data", directory.path)
        #expect(bad.2 == 1)
        #expect(bad.errors.contains("damaged"))
        #expect(relay.end(with: SIGTERM).status == 0)
    }

    @Test func `nothing is restored over a relay's data, and a backup not into one`() async throws {
        let relay = try RelayProcess(directory: directory.path)
        _ = try await enter(relay)
        let into = try run("backup", "--to", directory.path, "--data", directory.path)
        #expect(into.2 == 1)
        #expect(into.errors.contains("in use"))
        #expect(try run("backup", "--to", other.path, "--data", directory.path).2 == 0)
        let twice = try run("backup", "--to", other.path, "--data", directory.path)
        #expect(twice.2 == 1)
        #expect(twice.errors.contains("has a relay's storage in it already"))
        let over = try run("restore", "--from", other.path, "--data", directory.path)
        #expect(over.2 == 1)
        #expect(over.errors.contains("in use"))
        #expect(relay.end(with: SIGTERM).status == 0)
        let closed = try run("restore", "--from", other.path, "--data", directory.path)
        #expect(closed.errors.contains("has a relay's storage in it already"))
    }

    @Test func `segments migrate to segments with name, tokens and every head`() async throws {
        let relay = try RelayProcess(directory: directory.path)
        let (client, _) = try await enter(relay)
        var log = TestLog(founder, genesis.spaceID)
        for _ in 0..<5 { #expect(try await client.append(log.add(count: 3)).isAck) }
        let made = try run("token", "create", "--name", "friends", "--data", directory.path)
        #expect(made.2 == 0)
        let using = try run(
            "migrate",
            "--from",
            "segments:\(directory.path)",
            "--to",
            "segments:\(other.path)"
        )
        #expect(using.errors.contains("in use"))
        #expect(relay.end(with: SIGTERM).status == 0)
        for entries in [15, 0] {
            let moved = try run(
                "migrate",
                "--from",
                "segments:\(directory.path)",
                "--to",
                "segments:\(other.path)"
            )
            #expect(moved.2 == 0, "\(moved.errors)")
            #expect(moved.output.hasPrefix("1 spaces, 1 logs are there; \(entries) entries"))
        }
        let again = try RelayProcess(directory: other.path)
        let (_, welcome) = try await enter(again)
        #expect(welcome.logs.first?.end == Offset(15))
        let tokens = try run("token", "list", "--data", other.path)
        #expect(tokens.output == "friends, 0 spaces, 0 bytes\n")
        #expect(again.end(with: SIGTERM).status == 0)
        let back = try run(
            "migrate",
            "--from",
            "segments:\(other.path)",
            "--to",
            "sqlite:\(third.path)"
        )
        #expect(back.errors.contains("nothing is written to sqlite any more"))
    }

    @Test func `tokens and spaces are looked after with the relay stopped`() async throws {
        let made = try run("token", "create", "--name", "a", "--data", directory.path)
        let token = try #require(
            RelayToken(text: made.output.trimmingCharacters(in: .whitespacesAndNewlines))
        )
        let relay = try RelayProcess(
            directory: directory.path,
            options: ["--access-mode", "token"]
        )
        let refused = try await RelayClient.connect(port: relay.port)
        try await refused.greet(genesis.spaceID, as: founder)
        _ = try await refused.next()
        refused.send(.found(genesis))
        guard case .refused(let refusal) = try await refused.next() else {
            Issue.record("a space was founded without a token")
            return
        }
        #expect(refusal.code == .notHosted)
        let client = try await RelayClient.connect(port: relay.port)
        try await client.greet(genesis.spaceID, as: founder)
        _ = try await client.next()
        client.send(.found(genesis, token: token))
        guard case .welcome = try await client.next() else {
            Issue.record("the token was not taken")
            return
        }
        let drained = try run("admin", "drain", "--data", directory.path)
        #expect(drained.2 == 0, "\(drained.errors)")
        relay.waitForEnd()
        let list = try run("admin", "spaces", "list", "--data", directory.path)
        #expect(list.output.contains("\(genesis.spaceID.hex.prefix(16)), 0 bytes"))
        #expect(list.output.contains("token a"))
        let prefix = String(genesis.spaceID.hex.prefix(8))
        let unsure = try run("admin", "spaces", "delete", prefix, "--data", directory.path)
        #expect(unsure.2 == 64)
        let deleted = try run(
            "admin",
            "spaces",
            "delete",
            prefix,
            "--confirm",
            prefix,
            "--data",
            directory.path
        )
        #expect(deleted.output.hasPrefix("deleted \(prefix)"))
        let status = try run("admin", "status", "--data", directory.path)
        #expect(status.2 == 1)
        #expect(status.errors.contains("the relay doesn't run"))
    }
}

extension RelayFrame {
    fileprivate var isAck: Bool { if case .ack = self { true } else { false } }
}
