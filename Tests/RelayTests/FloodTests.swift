import NIOCore
import NIOWebSocket
import SennitWire
import Testing

@testable import RelayCore

/// Short versions of what `make soak-relay` does for longer: much of what is broken, beside
/// somebody whose appends are all acked meanwhile.
@Suite(.timeLimit(.minutes(2)))
struct FloodTests {
    let founder = TestDevice(1)

    private func member(_ relay: TestRelay, _ number: UInt8 = 0) async throws -> RelayClient {
        let genesis = founder.genesis(number)
        return try await RelayClient.enter(
            genesis.spaceID,
            as: founder,
            port: relay.port,
            founding: genesis
        ).client
    }

    @Test func `broken frames by the thousand hold nobody up`() async throws {
        let relay = try TestRelay()
        let member = try await member(relay)
        var log = TestLog(founder, founder.genesis().spaceID)
        var strangers: [RawSocket] = []
        for round in 0..<64 {
            let stranger = try await RawSocket(port: relay.port)
            try? await stranger.upgrade()
            let frames = HostileSocketTests.brokenFrames[
                round % HostileSocketTests.brokenFrames.count
            ].bytes
            try? await stranger.send((0..<500).flatMap { _ in frames })
            strangers.append(stranger)
            #expect(try await member.append(log.add(count: 1)) == .ack(log.ack(round + 1)))
        }
        for stranger in strangers { _ = try await stranger.untilClosed() }
        while relay.server.connectionCount > 1 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await member.append(log.add(count: 1)) == .ack(log.ack(65)))
        try relay.server.stop()
    }

    @Test func `frames that members hold back hold nobody up, and a message too long ends one`()
        async throws
    {
        let relay = try TestRelay()
        var holders: [(client: RelayClient, frame: [UInt8])] = []
        var logs: [TestLog] = []
        for number in 1...8 as ClosedRange<UInt8> {
            var log = TestLog(founder, founder.genesis(number).spaceID)
            let range = log.add(count: 1, byteCount: Limits.maximumEntryByteCount)
            let bytes = RelayFrame.append(range).bytes
            let client = try await self.member(relay, number)
            // All of it but the end, in two fragments.
            client.send(.binary, Array(bytes[..<1000]), fin: false)
            client.send(.continuation, Array(bytes[1000..<(bytes.count - 1)]), fin: false)
            holders.append((client, bytes))
            logs.append(log)
        }
        let member = try await self.member(relay)
        var log = TestLog(founder, founder.genesis().spaceID)
        for end in 1...20 {
            #expect(try await member.append(log.add(count: 1)) == .ack(log.ack(end)))
        }
        // What was held back is taken once it is whole.
        holders[0].client.send(.continuation, Array(holders[0].frame.suffix(1)))
        #expect(try await holders[0].client.next() == .ack(logs[0].ack(1)))
        // And never more than a frame may have.
        holders[1].client.send(.continuation, [UInt8](repeating: 0, count: 1 << 19), fin: false)
        guard case .refused(let refusal) = await holders[1].client.rest().last else {
            Issue.record("no refusal")
            return
        }
        #expect(refusal.code == .tooLarge)
        #expect(try await member.append(log.add(count: 1)) == .ack(log.ack(21)))
        try relay.server.stop()
    }
}
