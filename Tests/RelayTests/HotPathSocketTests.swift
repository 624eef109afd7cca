import RelayCore
import SennitWire
import Testing

/// What the fast ways through the relay must not change, over real sockets.
@Suite(.timeLimit(.minutes(1)))
struct HotPathSocketTests {
    let founder = TestDevice(1)
    let writer = TestDevice(2)

    private var space: SpaceID { founder.genesis().spaceID }

    /// A relay with a space that the writer may append to.
    private func relay() async throws -> (TestRelay, founder: RelayClient, writer: RelayClient) {
        let relay = try TestRelay()
        let (owner, _) = try await RelayClient.enter(
            space,
            as: founder,
            port: relay.port,
            founding: founder.genesis()
        )
        let devices: [(TestDevice, AccessList.Rights)] = [
            (founder, .all), (writer, [.read, .append]),
        ]
        let list = founder.accessList(space, devices: devices.sorted { $0.0.key < $1.0.key })
        owner.send(.putAccess(list))
        guard case .access = try await owner.next() else { throw RelayClient.Failure.closed }
        let (client, _) = try await RelayClient.enter(space, as: writer, port: relay.port)
        return (relay, owner, client)
    }

    private func code(_ frame: RelayFrame) -> Refusal.Code? {
        if case .refused(let refusal) = frame { refusal.code } else { nil }
    }

    @Test func `a head forged for another's log is refused when the budget is used up`()
        async throws
    {
        let (relay, owner, client) = try await relay()
        var own = TestLog(writer, space)
        // More appends than checks may be made at once.
        for _ in 0..<20 {
            for _ in 0..<60 { client.send(.append(own.add(count: 1))) }
            for _ in 0..<60 {
                guard case .ack = try await client.next() else {
                    Issue.record("no ack")
                    return
                }
            }
        }
        var victim = TestLog(founder, space)
        let first = victim.add(count: 1)
        // Chain and count are right; only the signature is another's.
        let forged = Head(
            end: first.head.end,
            chain: first.head.chain,
            byteCount: first.head.byteCount,
            membership: first.head.membership,
            epoch: first.head.epoch,
            signature: own.head(1).signature
        )
        for _ in 0..<10 {
            #expect(code(try await client.append(first.with(head: forged))) == .badHead)
        }
        guard case .ack(let ack) = try await owner.append(first) else {
            Issue.record("the author can't append any more")
            return
        }
        #expect(ack == victim.ack(1))
        try relay.server.stop()
    }

    @Test func `a bad head is refused, and those that wait behind it are judged after it`()
        async throws
    {
        let (relay, _, client) = try await relay()
        var log = TestLog(writer, space)
        let ranges = (0..<3).map { _ in log.add(count: 1) }
        let bad = Head(
            end: ranges[0].head.end,
            chain: ranges[0].head.chain,
            byteCount: ranges[0].head.byteCount,
            membership: ranges[0].head.membership,
            epoch: ranges[0].head.epoch,
            signature: ranges[1].head.signature
        )
        client.send(.append(ranges[0].with(head: bad)))
        client.send(.append(ranges[1]))
        client.send(.append(ranges[2]))
        var codes: [Refusal.Code?] = []
        for _ in 0..<3 { codes.append(code(try await client.next())) }
        #expect(codes == [.badHead, .gap, .gap])
        for (index, range) in ranges.enumerated() {
            guard case .ack(let ack) = try await client.append(range) else {
                Issue.record("no ack")
                return
            }
            #expect(ack == log.ack(index + 1))
        }
        try relay.server.stop()
    }

    @Test func `a reader whose socket fills again and again misses nothing and gets no doubles`()
        async throws
    {
        let (relay, owner, client) = try await relay()
        var log = TestLog(founder, space)
        for _ in 0..<40 {
            guard case .ack = try await owner.append(log.add(count: 2, byteCount: 100_000)) else {
                Issue.record("no ack")
                return
            }
        }
        try await client.close()
        let (reader, _) = try await RelayClient.enter(
            space,
            as: writer,
            port: relay.port,
            receiveByteCount: 4096
        )
        reader.send(.subscribe([]))
        var end = Offset.zero
        reading: while true {
            switch try await reader.next() {
            case .entries(let range):
                #expect(range.from == end)
                end = range.head.end
            case .caughtUp: break reading
            case let frame: Issue.record("\(frame)")
            }
        }
        #expect(end == Offset(80))
        try relay.server.stop()
    }

    @Test func `pipelined appends reach a subscriber whole and in order`() async throws {
        let (relay, owner, client) = try await relay()
        client.send(.subscribe([]))
        guard case .caughtUp = try await client.next() else {
            Issue.record("not caught up")
            return
        }
        var log = TestLog(founder, space)
        var received: [[UInt8]] = []
        for round in 1...10 {
            for _ in 0..<30 { owner.send(.append(log.add(count: 1))) }
            while received.count < 30 * round {
                guard case .entries(let range) = try await client.next() else {
                    Issue.record("something else came")
                    return
                }
                #expect(range.from == Offset(UInt64(received.count)))
                #expect(range.head == log.head(Int(range.head.end.value)))
                received += range.entries
            }
            for _ in 0..<30 { _ = try await owner.next() }
        }
        #expect(received == log.entries)
        try relay.server.stop()
    }
}
