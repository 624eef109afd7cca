#if PostgreSQL
import Foundation
import PostgresServer
import RelayCore
import RelayStorage
import SennitWire
import Testing

/// Moving, checking and restoring what is in PostgreSQL, with the built command and real devices.
@Suite(.enabled(if: PostgresServer.programs != nil), .timeLimit(.minutes(3)))
struct PostgresOperationTests {
    let directory = TestDirectory()
    let other = TestDirectory()
    let third = TestDirectory()

    /// A device with a log in each of some spaces of its own.
    private struct Writer {
        let device = TestDevice(1)
        var logs: [TestLog]

        init(spaceCount: UInt8) {
            let device = device
            logs = (0..<spaceCount).map { TestLog(device, device.genesis($0).spaceID) }
        }

        func genesis(_ index: Int) -> Genesis { device.genesis(UInt8(index)) }

        func enter(
            _ index: Int,
            port: Int
        ) async throws -> (client: RelayClient, welcome: Welcome) {
            try await RelayClient.enter(
                logs[index].space,
                as: device,
                port: port,
                founding: genesis(index)
            )
        }

        /// Appends to every log.
        mutating func append(_ count: Int, port: Int) async throws {
            for index in logs.indices {
                let (client, _) = try await enter(index, port: port)
                for _ in 0..<count {
                    let answer = try await client.append(logs[index].add(count: 2, byteCount: 99))
                    #expect(answer == .ack(logs[index].ack(logs[index].entries.count)))
                }
                try await client.close()
            }
        }

        /// Reads every space from its beginning, as a device that has nothing, and compares.
        func readAll(port: Int) async throws {
            for (index, log) in logs.enumerated() {
                let (client, welcome) = try await enter(index, port: port)
                #expect(welcome.logs.map(\.end.value) == [UInt64(log.entries.count)])
                client.send(.subscribe([]))
                var entries: [[UInt8]] = []
                while case .entries(let range) = try await client.next() {
                    #expect(range.from.value == UInt64(entries.count))
                    #expect(
                        range.head.isSigned(by: device.key, space: log.space, log: log.id)
                    )
                    entries += range.entries
                }
                #expect(entries == log.entries)
                try await client.close()
            }
        }
    }

    private func run(_ arguments: String...) throws -> (output: String, errors: String, Int32) {
        let run = try RelayProcess.run(arguments)
        return (run.output, run.errors, run.status)
    }

    /// A file of settings for a relay on databases.
    private func settings(_ databases: [String], data: TestDirectory) throws -> String {
        let path = third.path + "/relay.toml"
        try FileManager.default.createDirectory(
            atPath: third.path,
            withIntermediateDirectories: true
        )
        let list = databases.map { "\"\($0)\"" }.joined(separator: ", ")
        let text = """
            data = "\(data.path)"
            [storage]
            engine = "postgres"
            databases = [\(list)]
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func `spaces move from files to two databases, on to three and back, and are read there`()
        async throws
    {
        var writer = Writer(spaceCount: 8)
        let relay = try RelayProcess(directory: directory.path)
        try await writer.append(3, port: relay.port)
        #expect(try run("token", "create", "--name", "us", "--data", directory.path).2 == 0)
        #expect(relay.end(with: SIGTERM).status == 0)
        let server = try PostgresServer.shared()
        let two = try server.schemas(2)
        let file = try settings(two, data: other)
        for entries in [8 * 6, 0] {
            let moved = try run(
                "migrate",
                "--from",
                "segments:\(directory.path)",
                "--to",
                "config:\(file)"
            )
            #expect(moved.2 == 0, "\(moved.errors)")
            #expect(moved.output.hasPrefix("8 spaces, 8 logs are there; \(entries) entries"))
        }
        for database in two {
            let connection = database.split(separator: "=").last?.dropLast() ?? ""
            #expect(try server.query("SELECT count(*) > 0 FROM \(connection).spaces") == "t")
        }
        let onTwo = try RelayProcess(directory: other.path, options: ["--config", file])
        try await writer.readAll(port: onTwo.port)
        let tokens = try run("token", "list", "--data", other.path)
        #expect(tokens.output.contains("us"))
        try await writer.append(2, port: onTwo.port)
        #expect(onTwo.end(with: SIGTERM).status == 0)

        // A database more: those of before don't become part of it, and nothing of them is lost.
        let three = try server.schemas(3)
        let grown = ["--storage", "postgres", "--databases"]
        let refused = try RelayProcess.run(
            ["serve", "--listen", "127.0.0.1:0", "--data", other.path] + grown
                + [(two + [three[0]]).joined(separator: ";")]
        )
        #expect(refused.status == 1)
        #expect(refused.errors.contains("moving spaces takes a migration"))
        let onward = try run(
            "migrate",
            "--from",
            "config:\(file)",
            "--to",
            "postgres:" + three.joined(separator: ";")
        )
        #expect(onward.2 == 0, "\(onward.errors)")
        #expect(onward.output.hasPrefix("8 spaces, 8 logs are there; \(8 * 10) entries"))
        #expect(onward.errors.contains("note: tokens and quotas aren't in databases"))
        let onThree = try RelayProcess(
            directory: other.path,
            options: grown + [three.joined(separator: ";")]
        )
        try await writer.readAll(port: onThree.port)
        try await writer.append(1, port: onThree.port)
        // Devices go on while it is copied; what came meanwhile comes with the next copy.
        let back = TestDirectory()
        let home = try run(
            "migrate",
            "--from",
            "postgres:" + three.joined(separator: ";"),
            "--to",
            "segments:\(back.path)"
        )
        #expect(home.2 == 0, "\(home.errors)")
        try await writer.append(1, port: onThree.port)
        #expect(onThree.end(with: SIGTERM).status == 0)
        let rest = try run(
            "migrate",
            "--from",
            "postgres:" + three.joined(separator: ";"),
            "--to",
            "segments:\(back.path)"
        )
        #expect(rest.output.contains("; \(8 * 2) entries"))
        let last = try RelayProcess(directory: back.path)
        try await writer.readAll(port: last.port)
        #expect(last.end(with: SIGTERM).status == 0)
        #expect(try run("verify", "--data", back.path).2 == 0)
    }

    @Test func `a database is verified while relays use it, and what is wrong is named`()
        async throws
    {
        var writer = Writer(spaceCount: 3)
        let server = try PostgresServer.shared()
        let sources = try server.schemas(1)
        let address = "postgres:\(sources[0])"
        let relay = try RelayProcess(
            directory: directory.path,
            options: ["--storage", "postgres", "--databases", sources[0]]
        )
        try await writer.append(3, port: relay.port)
        let good = try run("verify", "--data", directory.path)
        #expect(good.2 == 0)
        #expect(good.output.contains("3 spaces, 3 logs, 18 entries"))
        #expect(try run("verify", "--storage", address).2 == 0)
        let schema = try #require(sources[0].split(separator: "=").last?.dropLast())
        let hex = writer.logs.map { "'\\x\($0.id.hex)'" }
        let (logs, batches) = ("\(schema).logs", "\(schema).batches")
        let number = { (index: Int) in "(SELECT number FROM \(logs) WHERE log = \(hex[index]))" }
        // A bit of an entry; a row that lies about its bytes; an entry without its row.
        let faults: [(break: String, mend: String, says: String)] = [
            (
                """
                UPDATE \(batches) SET entries = set_bit(entries, 100, 1 - get_bit(entries, 100))
                    WHERE number = \(number(0)) AND end_offset = 4
                """, "", "log \(writer.logs[0].id) is damaged at offset 2: the entries' chain"
            ),
            (
                "UPDATE \(logs) SET byte_count = byte_count + 1 WHERE log = \(hex[1])",
                "UPDATE \(logs) SET byte_count = byte_count - 1 WHERE log = \(hex[1])",
                "log \(writer.logs[1].id) is damaged at offset 6: its row doesn't agree"
            ),
            (
                """
                INSERT INTO \(batches) SELECT number, 9, 6, entries, head FROM \(batches)
                    WHERE number = \(number(1)) AND end_offset = 6
                """,
                "DELETE FROM \(batches) WHERE number = \(number(1)) AND end_offset = 9",
                "log \(writer.logs[1].id) is damaged at offset 6: there are batches past its end"
            ),
            (
                "INSERT INTO \(batches) SELECT -1, 9, 6, entries, head FROM \(batches) LIMIT 1",
                "DELETE FROM \(batches) WHERE number = -1", "it has batches of no log: 1"
            ),
            (
                "DELETE FROM \(batches) WHERE number = \(number(2)) AND end_offset = 4",
                "", "log \(writer.logs[2].id) is damaged at offset 2: a batch is missing"
            ),
        ]
        for fault in faults {
            try server.query(fault.break)
            let bad = try run("verify", "--data", directory.path)
            #expect(bad.2 == 1)
            #expect(bad.errors.contains(fault.says), "\(bad.errors)")
            let checked = try run("verify", "--storage", address)
            #expect(checked.2 == 1)
            #expect(checked.errors.contains(fault.says), "\(checked.errors)")
            if !fault.mend.isEmpty { try server.query(fault.mend) }
        }
        #expect(relay.end(with: SIGTERM).status == 0)
        // The same questions where no relay runs.
        let closed = try run("verify", "--config", settings(sources, data: directory))
        #expect(closed.2 == 1)
        #expect(closed.errors.contains(faults[0].says))
    }

    @Test func `a database without a relay's tables is neither read nor changed`() throws {
        let server = try PostgresServer.shared()
        let source = try server.schemas(1)[0]
        for words in [
            ["verify", "--storage", "postgres:\(source)"],
            ["migrate", "--from", "postgres:\(source)", "--to", "segments:\(other.path)"],
        ] {
            let run = try RelayProcess.run(words)
            #expect(run.status == 1)
            #expect(run.errors.contains("is not the storage of a relay"))
        }
        let schema = source.split(separator: "=").last?.dropLast() ?? ""
        let query = "SELECT count(*) FROM pg_tables WHERE schemaname = '\(schema)'"
        #expect(try server.query(query) == "0")
        #expect(!FileManager.default.fileExists(atPath: other.path))
        let secret = try run("verify", "--storage", "postgress:host=x password=hush")
        #expect(secret.2 == 1)
        #expect(secret.errors.hasPrefix("sennit-relay: error: postgress is no storage\n"))
        #expect(!secret.errors.contains("hush"))
    }

    @Test func `a dump made under load is restored elsewhere, and devices bring what it lacks`()
        async throws
    {
        var writer = Writer(spaceCount: 1)
        let server = try PostgresServer.shared()
        let sources = try server.schemas(2)
        let place = ["--storage", "postgres", "--databases", sources.joined(separator: ";")]
        let relay = try RelayProcess(directory: directory.path, options: place)
        try await writer.append(10, port: relay.port)
        let before = writer.logs[0].entries.count
        let dumps = Task.detached {
            try sources.map { try server.dump(schemaOf: $0) }
        }
        try await writer.append(20, port: relay.port)
        let taken = try await dumps.value
        try await writer.append(1, port: relay.port)
        #expect(relay.end(with: SIGKILL).reason == .uncaughtSignal)
        // Another server, with the databases in their order: what an address says doesn't matter.
        let spare = try PostgresServer()
        let restored = try zip(taken, sources).map { try spare.load($0, schemaOf: $1) }
        let again = try RelayProcess(
            directory: other.path,
            options: ["--storage", "postgres", "--databases", restored.joined(separator: ";")]
        )
        let (client, welcome) = try await writer.enter(0, port: again.port)
        let log = writer.logs[0]
        let end = Int(welcome.logs.first?.end.value ?? 0)
        #expect((before..<log.entries.count).contains(end))
        let lacking = log.range(end, log.entries.count)
        #expect(try await client.append(lacking) == .ack(log.ack(log.entries.count)))
        try await writer.readAll(port: again.port)
        let proven = try run("verify", "--data", other.path)
        #expect(proven.2 == 0, "\(proven.errors)")
        #expect(again.end(with: SIGTERM).status == 0)
    }
}
#endif
