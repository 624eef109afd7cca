#if PostgreSQL
import Foundation
import Logging
import NIOCore
import PostgresServer
import RelayCore
import RelayStorage
import SennitWire
import Testing

@testable import RelayPostgres

/// Several relays in front of one database, and devices that talk to them over sockets.
@Suite(.enabled(if: PostgresServer.programs != nil), .timeLimit(.minutes(2)))
struct PostgresRelayTests {
    let founder = TestDevice(1)
    let writer = TestDevice(2)
    let genesis: Genesis
    let space: SpaceID
    let list: AccessList
    let sources: [String]
    let directory = TestDirectory()

    init() throws {
        genesis = founder.genesis()
        space = genesis.spaceID
        list = founder.accessList(
            space,
            devices: [(founder, .all), (writer, [.read, .append])]
        )
        sources = try PostgresServer.shared().schemas(1)
    }

    /// Two relays, the space on them, and its two devices, each at another relay and subscribed.
    private func start(
        _ change: (inout PostgresStorage.Options) -> Void
    ) async throws -> (relays: [PostgresRelay], founder: RelayClient, writer: RelayClient) {
        var options = PostgresStorage.Options()
        change(&options)
        let relays = try (0..<2).map { _ in try PostgresRelay(sources, options) }
        let (first, _) = try await RelayClient.enter(
            space,
            as: founder,
            port: relays[0].port,
            founding: genesis
        )
        first.send(.putAccess(list))
        guard case .access = try await first.next() else { throw RelayClient.Failure.closed }
        let (second, _) = try await RelayClient.enter(space, as: writer, port: relays[1].port)
        for client in [first, second] {
            client.send(.subscribe([]))
            guard case .caughtUp = try await client.next() else { throw RelayClient.Failure.closed }
        }
        return (relays, first, second)
    }

    private func stop(_ relays: [PostgresRelay]) throws {
        for relay in relays { try relay.server.stop() }
    }

    @Test func `what one relay stores, devices at another are sent at once`() async throws {
        // Nobody looks by himself while the test runs.
        let (relays, one, two) = try await start { $0.lookInterval = .seconds(600) }
        var mine = TestLog(founder, space)
        var yours = TestLog(writer, space)
        for _ in 0..<20 {
            let range = mine.add(count: 3)
            #expect(try await one.append(range) == .ack(mine.ack(mine.entries.count)))
            #expect(try await two.next() == .entries(range))
            let answer = yours.add(count: 2)
            #expect(try await two.append(answer) == .ack(yours.ack(yours.entries.count)))
            #expect(try await one.next() == .entries(answer))
        }
        try stop(relays)
    }

    @Test func `without hints devices hear of it a little later`() async throws {
        let (relays, one, two) = try await start { options in
            options.givesHints = false
            options.lookInterval = .milliseconds(100)
        }
        var log = TestLog(founder, space)
        var next: UInt64 = 0
        for _ in 0..<3 {
            let range = log.add(count: 5)
            #expect(try await one.append(range) == .ack(log.ack(log.entries.count)))
            while next < UInt64(log.entries.count) {
                guard case .entries(let range) = try await two.next() else {
                    Issue.record("something else came")
                    return
                }
                #expect(range.from.value == next)
                next = range.head.end.value
            }
        }
        try stop(relays)
    }

    @Test func `presence goes from relay to relay`() async throws {
        let (relays, one, two) = try await start { $0.lookInterval = .seconds(600) }
        for number in 0..<5 as Range<UInt8> {
            let message = [UInt8](repeating: number, count: 100 + 900 * Int(number))
            one.send(.presence(message))
            #expect(try await two.next() == .presence(message))
        }
        two.send(.presence([1]))
        #expect(try await one.next() == .presence([1]))
        try stop(relays)
    }

    @Test(arguments: [true, false])
    func `who is taken off the list at one relay is cut off at the other`(hints: Bool) async throws
    {
        let (relays, one, two) = try await start { options in
            options.givesHints = hints
            options.lookInterval = hints ? .seconds(600) : .milliseconds(100)
        }
        let next = founder.accessList(space, after: list, devices: [(founder, .all)])
        one.send(.putAccess(next))
        #expect(try await one.next() == .access(next))
        let heard = await two.rest()
        guard case .refused(let refusal) = heard.last else {
            Issue.record("\(heard)")
            return
        }
        #expect(refusal.code == .notMember)
        // And it isn't let in again, at a relay that had known the earlier list.
        await #expect(throws: RelayClient.Failure.self) {
            _ = try await RelayClient.enter(space, as: writer, port: relays[1].port)
        }
        try stop(relays)
    }

    @Test func `a device goes on at another relay and what it offers twice is known`() async throws
    {
        let (relays, one, two) = try await start { $0.givesHints = false }
        var log = TestLog(writer, space)
        // The second relay notes where the log ends, and is not told how it goes on.
        _ = try await two.append(log.add(count: 4))
        let (moved, _) = try await RelayClient.enter(space, as: writer, port: relays[0].port)
        let lost = log.add(count: 3)
        #expect(try await moved.append(lost) == .ack(log.ack(7)))
        #expect(try await two.append(lost) == .ack(log.ack(7)))
        #expect(try await two.append(log.add(count: 2)) == .ack(log.ack(9)))
        #expect(try await moved.append(log.range(4, 9)) == .ack(log.ack(9)))
        #expect(try await two.append(log.add(count: 1)) == .ack(log.ack(10)))
        _ = one
        try stop(relays)
    }

    @Test(arguments: [true, false])
    func `of two copies of a device that append at two relays one goes on, and no chain breaks`(
        hints: Bool
    ) async throws {
        let (relays, _, _) = try await start { $0.givesHints = hints }
        let sources = sources
        var known = TestLog(writer, space)
        for round in 0..<25 as Range<UInt8> {
            // The same place, other bytes, several on their way at once.
            var copies = [known, known]
            let clients = [
                try await RelayClient.enter(space, as: writer, port: relays[0].port).client,
                try await RelayClient.enter(space, as: writer, port: relays[1].port).client,
            ]
            let ranges = copies.indices.map { copy in
                (0..<6 as Range<UInt8>).map { copies[copy].add([[UInt8(copy), round, $0]]) }
            }
            for step in 0..<6 {
                for copy in copies.indices { clients[copy].send(.append(ranges[copy][step])) }
            }
            var acked = [0, 0]
            for copy in copies.indices {
                for _ in 0..<6 {
                    guard case .ack(let ack) = try await clients[copy].next() else { continue }
                    #expect(ack == copies[copy].ack(Int(ack.end.value)))
                    acked[copy] = Int(ack.end.value)
                }
                try await clients[copy].close()
            }
            // Whoever was first at the place has the log; the other one was acked nothing.
            let winner = acked[0] > 0 ? 0 : 1
            #expect(acked[1 - winner] == 0)
            #expect(acked[winner] > known.entries.count)
            known = TestLog(writer, space)
            _ = known.add(Array(copies[winner].entries[..<acked[winner]]))
        }
        try stop(relays)
        let storage = try PostgresStorage(sources)
        #expect(try storage.log(known.id)?.head?.chain == known.head(known.entries.count).chain)
        #expect(try storage.verify().damages == [])
        try storage.close()
    }

    @Test func `while the database is away the relay stays and says so`() async throws {
        let server = try PostgresServer()
        var options = PostgresStorage.Options()
        options.holdTimeout = .milliseconds(300)
        let relay = try PostgresRelay([server.address()], options)
        let (client, _) = try await RelayClient.enter(
            space,
            as: founder,
            port: relay.port,
            founding: genesis
        )
        var log = TestLog(founder, space)
        #expect(try await client.append(log.add(count: 1)) == .ack(log.ack(1)))
        server.kill()
        let answer = try await client.append(log.add(count: 1))
        guard case .refused(let refusal) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(refusal.code == .storageFull)
        #expect(refusal.reason == "the relay's database is away; try again later")
        for _ in 0..<500 where relay.server.outage == nil {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(relay.server.outage != nil)
        client.send(.ping(5))
        #expect(try await client.next() == .pong(5))
        try relay.server.stop()
    }

    @Test func `with one of two databases away the relay serves the other and says so`()
        async throws
    {
        let servers = [try PostgresServer(), try PostgresServer()]
        let databases = servers.map { $0.address() }.joined(separator: ";")
        let relay = try ServingRelay([
            "--data", directory.path, "--listen", "127.0.0.1:0",
            "--metrics-listen", "127.0.0.1:0", "--storage", "postgres", "--databases", databases,
        ])
        // A space on each.
        let founded = try [0..<128, 128..<256].map { range in
            try #require(
                (0..<255).map { founder.genesis($0) }
                    .first { range.contains(Int($0.spaceID.bytes[0])) }
            )
        }
        func enter(_ genesis: Genesis) async throws -> RelayClient {
            try await RelayClient.enter(
                genesis.spaceID,
                as: founder,
                port: relay.port,
                founding: genesis
            ).client
        }
        let clients = [try await enter(founded[0]), try await enter(founded[1])]
        var logs = founded.map { TestLog(founder, $0.spaceID) }
        for index in 0..<2 {
            let answer = try await clients[index].append(logs[index].add(count: 2))
            #expect(answer == .ack(logs[index].ack(2)))
        }
        func metrics(_ text: String) throws -> Bool {
            try relay.get("/metrics").body.contains("\nsennit_relay_\(text)\n")
        }
        #expect(try relay.get("/readyz").body == "ready\n")
        #expect(try metrics("database_up{database=\"2\"} 1"))
        while try !metrics("entries 4") { try await Task.sleep(for: .milliseconds(50)) }
        #expect(try metrics("spaces 2") && metrics("logs 2"))
        #expect(try !relay.get("/metrics").body.contains("segments"))
        servers[1].kill()
        while try metrics("database_up{database=\"2\"} 1") {
            try await Task.sleep(for: .milliseconds(20))
        }
        let ready = try relay.get("/readyz")
        #expect(ready.status == 200)
        #expect(ready.body.hasPrefix("ready, but 1 of 2 databases can't be used: postgresql://"))
        #expect(try await clients[0].append(logs[0].add(count: 1)) == .ack(logs[0].ack(3)))
        let url = "http://127.0.0.1:\(relay.metricsPort)"
        let top = try RelayProcess.run(["top", "--once", "--json", "--url", url])
        #expect(top.output.contains("\"databases\": 2, \"databasesUp\": 1,"))
        servers[0].kill()
        while try relay.get("/readyz").status == 200 {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try relay.get("/readyz").body.hasPrefix("failing: postgresql://"))
        #expect(try metrics("ready 0"))
        relay.send(SIGKILL)
    }

    @Test func `the command serves what is in PostgreSQL and refuses what isn't safe`() async throws
    {
        let options = ["--storage", "postgres", "--databases", sources[0]]
        var log = TestLog(founder, space)
        for round in 1...2 {
            let relay = try RelayProcess(directory: directory.path, options: options)
            let (client, welcome) = try await RelayClient.enter(
                space,
                as: founder,
                port: relay.port,
                founding: genesis
            )
            #expect(welcome.logs.first?.end.value ?? 0 == UInt64(log.entries.count))
            #expect(try await client.append(log.add(count: 3)) == .ack(log.ack(3 * round)))
            #expect(relay.end(with: round == 1 ? SIGKILL : SIGTERM).status == (round == 1 ? 9 : 0))
        }
        // What is here is who may use the relay. Nothing of the spaces is.
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(names.allSatisfy { $0.hasPrefix("control.") || $0.hasSuffix(".sock") }, "\(names)")
        let lossy = sources[0]
            .replacing("-c search_path", with: "-c synchronous_commit=off -c search_path")
        let refused = try RelayProcess.run([
            "serve", "--listen", "127.0.0.1:0", "--storage", "postgres", "--databases", lossy,
        ])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("synchronous_commit is off there"))
    }
}

/// A relay in this process that stores in PostgreSQL. Its directory, for its tokens, goes with it.
final class PostgresRelay {
    let server: RelayServer
    private let directory = TestDirectory()

    var port: Int { server.port }

    init(_ sources: [String], _ options: PostgresStorage.Options = .init()) throws {
        server = try RelayServer(
            RelayServer.Configuration(directory: directory.path),
            storage: try PostgresStorage(sources, options: options),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}
#endif
