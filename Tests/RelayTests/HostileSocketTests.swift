import NIOWebSocket
import RelayCore
import SennitWire
import Testing

/// Bytes that no device of ours would send.
@Suite(.timeLimit(.minutes(2)))
struct HostileSocketTests {
    let founder = TestDevice(1)

    private func expectAlive(_ relay: TestRelay) async throws {
        let genesis = founder.genesis()
        let (client, _) = try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: relay.port,
            founding: genesis
        )
        try await client.close()
        try await expectEmpty(relay)
    }

    /// Waits until the relay holds no connection any more; the suite's time limit ends the wait.
    private func expectEmpty(_ relay: TestRelay) async throws {
        while relay.server.connectionCount > 0 { try await Task.sleep(for: .milliseconds(5)) }
        try relay.server.stop()
    }

    private func get(_ path: String, _ relay: TestRelay) async throws -> String {
        let socket = try await RawSocket(port: relay.port)
        try await socket.send("GET \(path) HTTP/1.1\r\nHost: relay\r\n\r\n")
        return String(decoding: try await socket.untilClosed(), as: UTF8.self)
    }

    @Test func `plain HTTP is answered kindly`() async throws {
        let relay = try TestRelay()
        let root = try await get("/", relay)
        #expect(root.hasPrefix("HTTP/1.1 426 "))
        #expect(root.contains("Sennit relay"))
        #expect(try await get("/healthz", relay).hasPrefix("HTTP/1.1 200 "))
        #expect(try await get("/other", relay).hasPrefix("HTTP/1.1 404 "))
        try await expectAlive(relay)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `random bytes are closed, before and after the upgrade`(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let relay = try TestRelay()
        for isUpgraded in [false, true, true, true] {
            let socket = try await RawSocket(port: relay.port)
            if isUpgraded { try await socket.upgrade() }
            var bytes = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &random) }
            // Masked, or the first frame could wait for a gigabyte that is within no limit.
            if isUpgraded { bytes[1] = 0x80 | (bytes[1] & 0x3F) }
            try? await socket.send(bytes)
            try? await socket.send("\r\n\r\n")
            if isUpgraded { try? await socket.send([0xC1, 0x80, 0, 0, 0, 0]) }
            _ = try await socket.untilClosed()
        }
        try await expectAlive(relay)
    }

    @Test func `a huge length is refused before it is waited for`() async throws {
        let relay = try TestRelay()
        for length: [UInt8] in [[0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0]] {
            let socket = try await RawSocket(port: relay.port)
            try await socket.upgrade()
            try await socket.send([0x82, 0xFF] + length + [0x7F, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4])
            let answer = try await socket.untilClosed()
            let refusal = RelayFrame.refused(
                Refusal(code: .tooLarge, reason: "the frame is over the limit")
            )
            #expect(answer.contains(refusal.bytes))
        }
        try await expectAlive(relay)
    }

    static let brokenFrames: [(bytes: [UInt8], code: UInt16)] = [
        ([0x81, 0x81, 0, 0, 0, 0, 65], 1003),
        ([0x82, 0x01, 65], 1002),
        ([0x82, 0x81, 0, 0, 0, 0, 65], 1002),
        ([0x80, 0x81, 0, 0, 0, 0, 65], 1002),
        ([0xC2, 0x81, 0, 0, 0, 0, 65], 1002),
        ([0x83, 0x81, 0, 0, 0, 0, 65], 1002),
        ([0x09, 0x81, 0, 0, 0, 0, 65], 1002),
        ([0x89, 0xFE, 0, 126, 0, 0, 0, 0], 1002),
    ]

    @Test(arguments: brokenFrames)
    func `broken framing is refused as malformed`(bytes: [UInt8], code: UInt16) async throws {
        let relay = try TestRelay()
        let socket = try await RawSocket(port: relay.port)
        try await socket.upgrade()
        try await socket.send(bytes)
        let answer = try await socket.untilClosed()
        #expect(answer.contains([6, 1]))
        #expect(answer.suffix(4) == [0x88, 2, UInt8(code >> 8), UInt8(code & 255)])
        try await expectAlive(relay)
    }

    @Test func `a fragmented hello is understood and a ping answered`() async throws {
        let relay = try TestRelay()
        let client = try await RelayClient.connect(port: relay.port)
        guard case .challenge(let challenge) = try await client.next() else {
            Issue.record("no challenge")
            return
        }
        let genesis = founder.genesis()
        let bytes = RelayFrame.hello(founder.hello(to: challenge, space: genesis.spaceID)).bytes
        client.send(.binary, Array(bytes[..<50]), fin: false)
        client.send(.ping, [1])
        client.send(.continuation, Array(bytes[50..<60]), fin: false)
        client.send(.continuation, Array(bytes[60...]))
        guard case .refused(let refusal) = try await client.next() else {
            Issue.record("no answer")
            return
        }
        #expect(refusal.code == .unknownSpace)
        try await client.close()
        try await expectAlive(relay)
    }

    @Test func `whoever says nothing or half of it is closed in time`() async throws {
        var limits = RelayLimits()
        limits.handshakeTimeout = .seconds(1)
        let relay = try TestRelay(limits: limits)
        let silent = try await RawSocket(port: relay.port)
        let slow = try await RawSocket(port: relay.port)
        try await slow.send("GET / HTTP/1.1\r\nHost: r")
        // On a busy machine the time may be up before the upgrade is answered: closed is closed.
        let upgraded = try await RawSocket(port: relay.port)
        try? await upgraded.upgrade()
        let half = try await RawSocket(port: relay.port)
        try? await half.upgrade()
        try? await half.send([0x82, 0xFE, 0x10])
        for socket in [silent, slow, upgraded, half] { _ = try await socket.untilClosed() }
        try await expectEmpty(relay)
    }

    @Test func `connections over the limit are turned away and room is made again`() async throws {
        var limits = RelayLimits()
        limits.maximumConnectionCount = 3
        let relay = try TestRelay(limits: limits)
        let genesis = founder.genesis()
        var clients: [RelayClient] = []
        for _ in 0..<3 {
            let (client, _) = try await RelayClient.enter(
                genesis.spaceID,
                as: founder,
                port: relay.port,
                founding: genesis
            )
            clients.append(client)
        }
        await #expect(throws: (any Error).self) {
            _ = try await RelayClient.connect(port: relay.port)
        }
        for client in clients { try await client.close() }
        while relay.server.connectionCount > 0 { try await Task.sleep(for: .milliseconds(5)) }
        try await expectAlive(relay)
    }
}
