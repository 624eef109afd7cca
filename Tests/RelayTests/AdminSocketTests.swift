import Foundation
import NIOCore
import NIOPosix
import RelayStorage
import SennitWire
import Synchronization
import Testing

@testable import RelayCore

/// The operator's socket, over the real thing.
@Suite(.timeLimit(.minutes(2)))
struct AdminSocketTests {
    let founder = TestDevice(1)
    let writer = TestDevice(2)

    private func ask<Report: Codable>(
        _ relay: TestRelay,
        _ verb: String,
        _ arguments: [String: String?] = [:],
        as type: Report.Type
    ) throws -> Report {
        let path = AdminClient.path(in: relay.directory.path)
        let client = try #require(try AdminClient(path: path))
        let json = try client.ask(AdminRequest(verb, arguments))
        return try AdminCoding.decoder().decode(Report.self, from: json)
    }

    private func error(
        _ relay: TestRelay,
        _ verb: String,
        _ arguments: [String: String?] = [:]
    ) throws -> String {
        do {
            _ = try ask(relay, verb, arguments, as: CountReport.self)
            return "no error"
        } catch let error as AdminError {
            return error.message
        }
    }

    private func enter(_ relay: TestRelay, _ number: UInt8 = 0) async throws -> RelayClient {
        let genesis = founder.genesis(number)
        return try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: relay.port,
            founding: genesis
        ).client
    }

    @Test func `only the operator can open the socket, and it goes with the relay`() throws {
        let relay = try TestRelay()
        let path = AdminClient.path(in: relay.directory.path)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(try AdminClient(path: path) != nil)
        try relay.server.stop()
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try AdminClient(path: path) == nil)
    }

    @Test func `a socket that a killed relay left is taken over`() throws {
        let directory = TestDirectory()
        let relay = try TestRelay(directory: directory)
        try relay.server.stop()
        let path = AdminClient.path(in: directory.path)
        let left = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(unixDomainSocketPath: path).wait()
        // The file stays where a socket is closed without being removed.
        let kept = path + ".kept"
        try FileManager.default.moveItem(atPath: path, toPath: kept)
        try left.close().wait()
        try FileManager.default.moveItem(atPath: kept, toPath: path)
        #expect(try AdminClient(path: path) == nil)
        let again = try TestRelay(directory: directory)
        #expect(try ask(again, "status", as: StatusReport.self).spaces == 0)
        try again.server.stop()
    }

    @Test func `status and spaces say what is there`() async throws {
        let relay = try TestRelay()
        let client = try await enter(relay, 1)
        var log = TestLog(founder, founder.genesis(1).spaceID)
        _ = try await client.append(log.add([[UInt8](repeating: 1, count: 1000)]))
        try await enter(relay, 2).close()
        let status = try ask(relay, "status", as: StatusReport.self)
        #expect(status.url == relay.server.url)
        #expect(status.spaces == 2)
        #expect(status.accessMode == "open")
        let spaces = try ask(relay, "spaces.list", as: [SpaceReport].self)
        #expect(spaces.map(\.space) == [1, 2].map { founder.genesis($0).spaceID.hex })
        #expect(spaces[0].bytes == 1000)
        #expect(spaces[0].connections == 1)
        #expect(spaces[0].logs == 1)
        let limited = try ask(relay, "spaces.list", ["limit": "1"], as: [SpaceReport].self)
        #expect(limited.count == 1)
        let prefix = String(spaces[1].space.prefix(12))
        let shown = try ask(relay, "spaces.show", ["space": prefix], as: SpaceReport.self)
        #expect(shown.space == spaces[1].space)
        try relay.server.stop()
    }

    @Test func `freezing counts at once, for connections that are there`() async throws {
        let relay = try TestRelay()
        let client = try await enter(relay)
        let space = founder.genesis().spaceID
        var log = TestLog(founder, space)
        #expect(try await client.append(log.add(count: 1)) == .ack(log.ack(1)))
        _ = try ask(relay, "spaces.freeze", ["space": space.hex], as: SpaceReport.self)
        guard case .refused(let refusal) = try await client.append(log.add(count: 1)) else {
            Issue.record("a frozen space took an entry")
            return
        }
        #expect(refusal.code == .notHosted)
        _ = try ask(relay, "spaces.unfreeze", ["space": space.hex], as: SpaceReport.self)
        #expect(try await client.append(log.range(1, 2)) == .ack(log.ack(2)))
        try relay.server.stop()
    }

    @Test func `a quota of one space counts at once`() async throws {
        let relay = try TestRelay()
        let client = try await enter(relay)
        let space = founder.genesis().spaceID
        var log = TestLog(founder, space)
        #expect(try await client.append(log.add(count: 1)) == .ack(log.ack(1)))
        let arguments = ["space": space.hex, "bytes": "1", "share": "1"]
        let report = try ask(relay, "spaces.quota", arguments, as: SpaceReport.self)
        #expect(report.quota.maximumByteCount == 1)
        guard case .refused(let refusal) = try await client.append(log.add(count: 1)) else {
            Issue.record("a full space took an entry")
            return
        }
        #expect(refusal.code == .quotaExceeded)
        let off = ["space": space.hex, "bytes": "off"]
        _ = try ask(relay, "spaces.quota", off, as: SpaceReport.self)
        #expect(try await client.append(log.range(1, 2)) == .ack(log.ack(2)))
        try relay.server.stop()
    }

    @Test func `a space is deleted only by who types how its id begins`() async throws {
        let relay = try TestRelay()
        let client = try await enter(relay)
        let space = founder.genesis().spaceID
        var log = TestLog(founder, space)
        #expect(try await client.append(log.add(count: 3)) == .ack(log.ack(3)))
        let wrong = try error(relay, "spaces.delete", ["space": space.hex, "confirm": "00000000"])
        #expect(wrong.contains("nothing was deleted"))
        let short = String(space.hex.prefix(7))
        #expect(
            try error(relay, "spaces.delete", ["space": space.hex, "confirm": short])
                .contains("nothing was deleted")
        )
        let right = ["space": space.hex, "confirm": String(space.hex.prefix(8))]
        let gone = try ask(relay, "spaces.delete", right, as: SpaceReport.self)
        #expect(gone.entries == 3)
        guard case .refused = await client.rest().last else {
            Issue.record("the connection stayed")
            return
        }
        #expect(try ask(relay, "spaces.list", as: [SpaceReport].self).isEmpty)
        // Its devices may bring it back, from the first entry on.
        let again = try await enter(relay)
        #expect(try await again.append(log.range(0, 3)) == .ack(log.ack(3)))
        let block = right.merging(["block": "yes"]) { $1 }
        _ = try ask(relay, "spaces.delete", block, as: SpaceReport.self)
        await #expect(throws: RelayClient.Failure.self) { _ = try await enter(relay) }
        try relay.server.stop()
    }

    @Test func `a token is made, used, rotated and revoked while the relay runs`() async throws {
        var policy = RelayPolicy()
        policy.access = .token
        let relay = try TestRelay(policy: policy)
        func found(_ number: UInt8, _ text: String?) async throws -> Refusal.Code? {
            let genesis = founder.genesis(number)
            let client = try await RelayClient.connect(port: relay.port)
            try await client.greet(genesis.spaceID, as: founder)
            _ = try await client.next()
            client.send(.found(genesis, token: text.flatMap { RelayToken(text: $0) }))
            guard case .refused(let refusal) = try await client.next() else { return nil }
            return refusal.code
        }
        let made = try ask(relay, "tokens.create", ["name": "friends"], as: TokenReport.self)
        #expect(try await found(1, made.token) == nil)
        #expect(
            try error(relay, "tokens.create", ["name": "friends"]).contains("already")
        )
        let rotated = try ask(relay, "tokens.rotate", ["name": "friends"], as: TokenReport.self)
        #expect(try await found(2, made.token) == .notHosted)
        #expect(try await found(2, rotated.token) == nil)
        let list = try ask(relay, "tokens.list", as: [TokenReport].self)
        #expect(list.map(\.spaces) == [2])
        #expect(list[0].token == nil)
        let member = try await enter(relay, 1)
        let stop = ["name": "friends", "stop": "yes"]
        let revoked = try ask(relay, "tokens.revoke", stop, as: TokenReport.self)
        #expect(revoked.revoked != nil)
        _ = await member.rest()
        #expect(try await found(3, rotated.token) == .notHosted)
        await #expect(throws: RelayClient.Failure.self) { _ = try await enter(relay, 1) }
        try relay.server.stop()
    }

    @Test func `connections are counted and ended`() async throws {
        let relay = try TestRelay()
        let (one, two) = (try await enter(relay, 1), try await enter(relay, 2))
        let stranger = try await RelayClient.connect(port: relay.port)
        _ = try await stranger.next()
        let report = try ask(relay, "connections.list", as: ConnectionsReport.self)
        #expect(report.members == 2)
        #expect(report.strangers == 1)
        let space = founder.genesis(1).spaceID
        let kicked = try ask(relay, "connections.kick", ["space": space.hex], as: CountReport.self)
        #expect(kicked.count == 1)
        _ = await one.rest()
        var log = TestLog(founder, founder.genesis(2).spaceID)
        #expect(try await two.append(log.add(count: 1)) == .ack(log.ack(1)))
        try relay.server.stop()
    }

    @Test func `one connection of a space is ended by its number`() async throws {
        let relay = try TestRelay()
        let (one, two) = (try await enter(relay), try await enter(relay))
        _ = try await enter(relay, 1)
        let space = founder.genesis().spaceID
        func list() throws -> ConnectionsReport {
            try ask(relay, "connections.list", ["space": space.hex], as: ConnectionsReport.self)
        }
        let report = try list()
        #expect(report.members == 3)
        #expect(report.spaces == [.init(space: space.hex, connections: 2)])
        #expect(report.connections.count == 2)
        // They come from this machine, which no limit counts.
        #expect(report.connections.map(\.address) == [nil, nil])
        let first = try #require(report.connections.first).number
        let kick = ["connection": "\(first)"]
        #expect(try ask(relay, "connections.kick", kick, as: CountReport.self).count == 1)
        _ = await one.rest()
        var log = TestLog(founder, space)
        #expect(try await two.append(log.add(count: 1)) == .ack(log.ack(1)))
        while try list().connections.count > 1 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try error(relay, "connections.kick", kick) == "there is no connection \(first)")
        #expect(try error(relay, "connections.kick", ["connection": "x"]).contains("whole number"))
        try relay.server.stop()
    }

    @Test func `reload and drain are what the process makes of them`() throws {
        let relay = try TestRelay()
        #expect(try error(relay, "drain").contains("can't be stopped from here"))
        let calls = Mutex<[String]>([])
        relay.server.onRequest(
            reload: { calls.withLock { $0.append("reload") } },
            drain: { calls.withLock { $0.append("drain") } }
        )
        #expect(try ask(relay, "reload", as: CountReport.self).count == 1)
        #expect(try ask(relay, "drain", as: CountReport.self).count == 0)
        #expect(calls.withLock { $0 } == ["reload", "drain"])
        try relay.server.stop()
    }

    @Test func `what is no request is refused and hurts nothing`() throws {
        let relay = try TestRelay()
        let path = AdminClient.path(in: relay.directory.path)
        for (line, answer) in [
            ("nonsense\n", "this is not a request"), ("{}\n", "this is not a request"),
            ("{\"verb\":\"fly\",\"arguments\":{}}\n", "doesn't know how to fly"),
            ("{\"verb\":\"spaces.show\",\"arguments\":{\"space\":\"12\"}}\n", "four digits"),
            ("{\"verb\":\"spaces.show\",\"arguments\":{\"space\":\"1234\"}}\n", "no space 1234"),
            ("{\"verb\":\"backup\",\"arguments\":{\"directory\":\"x\"}}\n", "a whole path"),
            (String(repeating: "x", count: 70_000), "too long"),
        ] {
            let socket = try RawLine(path)
            #expect(try socket.ask(line).contains(answer), "\(answer)")
        }
        // Lines that come together are answered one after the other.
        let socket = try RawLine(path)
        let line = "{\"verb\":\"allow.list\",\"arguments\":{}}\n"
        #expect(try socket.ask(line + line).contains("\"result\""))
        #expect(try socket.ask("").contains("\"result\""))
        #expect(try ask(relay, "status", as: StatusReport.self).spaces == 0)
        try relay.server.stop()
    }
}

/// A plain client of a Unix socket.
private final class RawLine {
    private let channel: any Channel
    private let lines: Lines

    private final class Lines: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let text = Mutex("")
        let semaphore = DispatchSemaphore(value: 0)

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let more = String(buffer: unwrapInboundIn(data))
            text.withLock { $0 += more }
            semaphore.signal()
        }
    }

    init(_ path: String) throws {
        let lines = Lines()
        self.lines = lines
        channel = try ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(lines) }
            .connect(unixDomainSocketPath: path).wait()
    }

    deinit { channel.close(promise: nil) }

    /// Sends text and waits for the next line.
    func ask(_ text: String) throws -> String {
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        while true {
            let line = lines.text.withLock { text -> String? in
                guard let end = text.firstIndex(of: "\n") else { return nil }
                defer { text = String(text[text.index(after: end)...]) }
                return String(text[..<end])
            }
            if let line { return line }
            guard lines.semaphore.wait(timeout: .now() + 20) == .success else { return "nothing" }
        }
    }
}
