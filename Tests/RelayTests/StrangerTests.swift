import Logging
import NIOCore
import RelayStorage
import SennitWire
import Synchronization
import Testing

@testable import RelayCore

/// What those get who haven't proven anything, over real sockets.
@Suite(.timeLimit(.minutes(2)))
struct StrangerTests {
    let founder = TestDevice(1)
    let stranger = TestDevice(2)
    let invite = TestDevice(3)

    private var genesis: Genesis { founder.genesis() }

    private func ask(
        _ relay: TestRelay,
        _ space: SpaceID,
        admittedBy invite: TestDevice? = nil
    ) async throws -> (answer: [UInt8], took: Duration) {
        let client = try await RelayClient.connect(port: relay.port)
        let start = ContinuousClock.now
        try await client.greet(space, as: stranger, admittedBy: invite)
        let answer = try await client.next()
        let took = start.duration(to: .now)
        try await client.close()
        return (answer.bytes, took)
    }

    @Test func `a space that isn't there and one that is another's get one answer`() async throws {
        let relay = try TestRelay()
        let (client, _) = try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: relay.port,
            founding: genesis
        )
        let missing = SpaceID(value: .repeating(5))
        let none = try await ask(relay, missing)
        let ownerless = try await ask(relay, genesis.spaceID)
        client.send(.putAccess(founder.accessList(genesis.spaceID, devices: [(founder, .all)])))
        _ = try await client.next()
        let listed = try await ask(relay, genesis.spaceID)
        let invited = try await ask(relay, genesis.spaceID, admittedBy: invite)
        for answer in [ownerless, listed, invited] { #expect(answer.answer == none.answer) }
        try relay.server.stop()
    }

    @Test func `the answer's time doesn't tell what was looked up`() async throws {
        var limits = RelayLimits()
        limits.unknownSpaceDelay = .seconds(2)
        let relay = try TestRelay(limits: limits)
        let (client, _) = try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: relay.port,
            founding: genesis
        )
        // Looking is much faster than the answer, for the one and for the other.
        for space in [SpaceID(value: .repeating(5)), genesis.spaceID] {
            let took = try await ask(relay, space).took
            #expect(took >= .seconds(2))
        }
        // Who is let in needn't wait.
        let start = ContinuousClock.now
        _ = try await RelayClient.enter(genesis.spaceID, as: founder, port: relay.port)
        #expect(start.duration(to: .now) < .seconds(2))
        try await client.close()
        try relay.server.stop()
    }

    @Test func `a stranger's bytes are bounded before and behind its proof`() async throws {
        var limits = RelayLimits()
        limits.handshakeTimeout = .seconds(90)
        let relay = try TestRelay(limits: limits)
        let start = ContinuousClock.now
        let socket = try await RawSocket(port: relay.port)
        try await socket.upgrade()
        // A message of a size that members may send: nobody waits for the rest of it.
        let header: [UInt8] = [0x82, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0]
        try await socket.send(header + [UInt8](repeating: 0, count: 15_000))
        try? await socket.send([UInt8](repeating: 0, count: 2_000))
        _ = try await socket.untilClosed()
        // Behind the proof an access list fits, and little more; each of these is passed over.
        let client = try await RelayClient.connect(port: relay.port)
        try await client.greet(genesis.spaceID, as: stranger)
        _ = try await client.next()
        for _ in 0..<140 { client.send(.presence([UInt8](repeating: 0, count: 4_000))) }
        _ = await client.rest()
        #expect(start.duration(to: .now) < .seconds(60))
        try relay.server.stop()
    }

    @Test func `members stay while strangers come and go`() async throws {
        var limits = RelayLimits()
        limits.maximumConnectionCount = 8
        let relay = try TestRelay(limits: limits)
        let (member, _) = try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: relay.port,
            founding: genesis
        )
        var idle: [RawSocket] = []
        for _ in 0..<30 { idle.append(try await RawSocket(port: relay.port)) }
        // The oldest strangers made room for the later ones, and for one more member.
        let (second, _) = try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: relay.port
        )
        for socket in idle.prefix(20) { #expect(try await socket.untilClosed() == []) }
        var log = TestLog(founder, genesis.spaceID)
        #expect(try await member.append(log.add(count: 1)) == .ack(log.ack(1)))
        #expect(relay.server.relay.doorman.strangerCount <= 6)
        try await second.close()
        try relay.server.stop()
    }

    @Test func `a proxy's clients are counted by the address that it saw`() async throws {
        var policy = RelayPolicy()
        policy.addresses.trustedProxies = [AddressRange("127.0.0.0/8")].compactMap { $0 }
        policy.addresses.maximumConnectionCount = 1
        let relay = try TestRelay(policy: policy)
        func upgrade(_ forwarded: String) async throws -> RawSocket {
            let socket = try await RawSocket(port: relay.port)
            try await socket.send(
                """
                GET / HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                X-Forwarded-For: \(forwarded)\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
                Sec-WebSocket-Version: 13\r\n\r\n
                """
            )
            return socket
        }
        let first = try await upgrade("203.0.113.5")
        while relay.server.relay.doorman.addressCount == 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
        // Whatever a client writes before it.
        let second = try await upgrade("192.0.2.77, 203.0.113.5")
        let answer = String(decoding: try await second.untilClosed(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 429 "))
        #expect(answer.contains("\r\nRetry-After: 60\r\n"))
        let other = try await upgrade("203.0.113.6")
        try await first.close()
        try await other.close()
        try relay.server.stop()
    }
}
