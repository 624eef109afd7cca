import Logging
import NIOCore
import RelayCore
import RelayStorage
import SennitWire
import Testing

/// A relay in this process, on a socket of its own.
final class TestRelay {
    let directory: TestDirectory
    let server: RelayServer

    var port: Int { server.port }

    init(
        directory: TestDirectory = TestDirectory(),
        limits: RelayLimits = RelayLimits(),
        policy: RelayPolicy = RelayPolicy(),
        maximumByteCount: Int? = nil
    ) throws {
        self.directory = directory
        var configuration = RelayServer.Configuration(directory: directory.path)
        configuration.limits = limits
        configuration.policy = policy
        configuration.maximumByteCount = maximumByteCount
        server = try RelayServer(
            configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}

@Suite(.timeLimit(.minutes(2)))
struct RelayServerTests {
    let founder = TestDevice(1)
    let writer = TestDevice(2)
    let invite = TestDevice(3)
    let genesis: Genesis
    let space: SpaceID
    let list: AccessList

    init() {
        genesis = founder.genesis()
        space = genesis.spaceID
        list = founder.accessList(
            space,
            devices: [(founder, .all), (writer, [.read, .append])],
            invites: [invite]
        )
    }

    /// A relay with the space and its list, and a founder who is in.
    private func start(
        _ relay: TestRelay
    ) async throws -> RelayClient {
        let (client, _) = try await RelayClient.enter(
            space,
            as: founder,
            port: relay.port,
            founding: genesis
        )
        client.send(.putAccess(list))
        #expect(try await client.next() == .access(list))
        return client
    }

    private func code(_ frame: RelayFrame?) -> Refusal.Code? {
        if case .refused(let refusal) = frame { refusal.code } else { nil }
    }

    // MARK: Two devices

    @Test func `two devices append and each receives the other's entries`() async throws {
        let relay = try TestRelay()
        let one = try await start(relay)
        let (two, welcome) = try await RelayClient.enter(space, as: writer, port: relay.port)
        #expect(welcome == Welcome(access: list, logs: []))
        one.send(.subscribe([]))
        two.send(.subscribe([]))
        #expect(try await one.next() == .caughtUp)
        #expect(try await two.next() == .caughtUp)
        var (first, second) = (TestLog(founder, space), TestLog(writer, space))
        for _ in 0..<5 {
            let range = first.add(count: 3)
            one.send(.append(range))
            #expect(try await one.next() == .ack(first.ack(first.entries.count)))
            #expect(try await two.next() == .entries(range))
            let answer = second.add(count: 1)
            two.send(.append(answer))
            #expect(try await two.next() == .ack(second.ack(second.entries.count)))
            #expect(try await one.next() == .entries(answer))
        }
        try relay.server.stop()
        #expect(relay.server.connectionCount == 0)
    }

    @Test func `a device that comes later gets all it lacks and then what is new`() async throws {
        let relay = try TestRelay()
        let one = try await start(relay)
        var logs = (0..<3).map { TestLog(founder, space, incarnation: UInt8($0)) }
        for index in logs.indices {
            for _ in 0..<30 {
                let range = logs[index].add(count: 10, byteCount: 2000)
                let end = logs[index].entries.count
                #expect(try await one.append(range) == .ack(logs[index].ack(end)))
            }
        }
        let (two, welcome) = try await RelayClient.enter(space, as: writer, port: relay.port)
        #expect(welcome.logs == logs.sorted { $0.id < $1.id }.map(\.state))
        two.send(.subscribe([Position(log: logs[0].id, offset: Offset(155))]))
        var received: [LogID: [[UInt8]]] = [logs[0].id: Array(logs[0].entries[..<155])]
        while case .entries(let range) = try await two.next() {
            let log = range.descriptor.logID(in: space)
            #expect(range.from.value == UInt64(received[log, default: []].count))
            #expect(range.head.isSigned(by: founder.key, space: space, log: log))
            let byteCount = range.entries.reduce(0) { $0 + $1.count }
            #expect(byteCount <= Limits.maximumBatchByteCount)
            received[log, default: []] += range.entries
        }
        for log in logs { #expect(received[log.id] == log.entries) }
        let new = logs[2].add(count: 1)
        #expect(try await one.append(new) == .ack(logs[2].ack(301)))
        #expect(try await two.next() == .entries(new))
        try relay.server.stop()
    }

    @Test func `an append is idempotent and another's bytes are a conflict`() async throws {
        let relay = try TestRelay()
        let client = try await start(relay)
        var log = TestLog(founder, space)
        let range = log.add(count: 4)
        #expect(try await client.append(range) == .ack(log.ack(4)))
        #expect(try await client.append(range) == .ack(log.ack(4)))
        #expect(try await client.append(log.range(1, 3)) == .ack(log.ack(4)))
        _ = log.add(count: 2)
        #expect(try await client.append(log.range(2, 6)) == .ack(log.ack(6)))
        var fork = TestLog(founder, space)
        _ = fork.add(Array(log.entries[..<5]) + [[9]])
        guard case .refused(let conflict) = try await client.append(fork.range(4, 6)) else {
            Issue.record("a fork was accepted")
            return
        }
        #expect(conflict.code == .conflict)
        #expect(conflict.position == Position(log: log.id, offset: Offset(5)))
        _ = log.add(count: 2)
        guard case .refused(let gap) = try await client.append(log.range(7, 8)) else {
            Issue.record("a gap was accepted")
            return
        }
        #expect(gap.code == .gap)
        #expect(gap.position == Position(log: log.id, offset: Offset(6)))
        let bad = log.range(6, 8).with(head: log.head(8, byteCountError: 5))
        #expect(code(try await client.append(bad)) == .badHead)
        #expect(try await client.append(log.range(6, 8)) == .ack(log.ack(8)))
        try relay.server.stop()
    }

    @Test func `the same append twice in one group is stored once`() async throws {
        let relay = try TestRelay()
        let client = try await start(relay)
        var log = TestLog(founder, space)
        for _ in 0..<10 {
            let range = log.add(count: 2)
            for _ in 0..<4 { client.send(.append(range)) }
            for _ in 0..<4 {
                #expect(try await client.next() == .ack(log.ack(log.entries.count)))
            }
        }
        try relay.server.stop()
        let storage = try SegmentStorage(directory: relay.directory.path)
        let report = try StorageCheck.run(on: storage)
        try storage.close()
        #expect(report.entryCount == 20)
        #expect(report.damages == [])
    }

    @Test func `64 concurrent appends share commits`() async throws {
        let relay = try TestRelay()
        let client = try await start(relay)
        var logs = (0..<64).map { TestLog(founder, space, incarnation: UInt8($0)) }
        let before = relay.server.commitCount
        var acks: Set<RelayFrame> = []
        for index in logs.indices {
            client.send(.append(logs[index].add(count: 1)))
            acks.insert(.ack(logs[index].ack(1)))
        }
        for _ in logs { acks.remove(try await client.next()) }
        #expect(acks.isEmpty)
        let commitCount = relay.server.commitCount - before
        #expect((1..<33).contains(commitCount), "\(commitCount) commits")
        try relay.server.stop()
    }

    // MARK: Who is let in

    @Test func `an unknown space is founded by its founder alone`() async throws {
        let relay = try TestRelay()
        let stranger = try await RelayClient.connect(port: relay.port)
        try await stranger.greet(space, as: writer)
        #expect(code(try await stranger.next()) == .unknownSpace)
        stranger.send(.found(genesis))
        stranger.send(.putAccess(writer.accessList(space, devices: [(writer, .all)])))
        #expect(await stranger.rest().map(code) == [.notMember])
        let (founding, welcome) = try await RelayClient.enter(
            space,
            as: founder,
            port: relay.port,
            founding: genesis
        )
        #expect(welcome == Welcome(access: nil, logs: []))
        let again = try await RelayClient.connect(port: relay.port)
        try await again.greet(space, as: writer)
        #expect(code(try await again.next()) == .unknownSpace)
        try await founding.close()
        try relay.server.stop()
    }

    @Test func `members heal a relay that lost the space`() async throws {
        let relay = try TestRelay()
        let later = founder.accessList(space, after: list, devices: [(writer, [.read, .append])])
        var log = TestLog(founder, space)
        _ = log.add(count: 3)
        let client = try await RelayClient.connect(port: relay.port)
        try await client.greet(space, as: writer)
        #expect(code(try await client.next()) == .unknownSpace)
        client.send(.found(genesis))
        client.send(.putAccess(later))
        #expect(try await client.next() == .welcome(Welcome(access: later, logs: [])))
        var own = TestLog(writer, space)
        #expect(try await client.append(own.add(count: 1)) == .ack(own.ack(1)))
        #expect(code(try await client.append(log.range(0, 3))) == .notMember)
        try relay.server.stop()
    }

    @Test func `a member offers another's lost log again`() async throws {
        let relay = try TestRelay()
        _ = try await start(relay)
        let (client, _) = try await RelayClient.enter(space, as: writer, port: relay.port)
        var log = TestLog(founder, space)
        _ = log.add(count: 3)
        #expect(try await client.append(log.range(0, 3)) == .ack(log.ack(3)))
        try relay.server.stop()
    }

    @Test func `an invite lets a device in until it is off the list`() async throws {
        let relay = try TestRelay()
        let owner = try await start(relay)
        let joiner = TestDevice(9)
        let (client, _) = try await RelayClient.enter(
            space,
            as: joiner,
            port: relay.port,
            admittedBy: invite
        )
        var log = TestLog(joiner, space)
        #expect(try await client.append(log.add(count: 1)) == .ack(log.ack(1)))
        try await client.close()
        let (again, _) = try await RelayClient.enter(space, as: joiner, port: relay.port)
        let closed = founder.accessList(space, after: list, devices: [(founder, .all)])
        owner.send(.putAccess(closed))
        #expect(try await owner.next() == .access(closed))
        #expect(await again.rest().map(code) == [.notMember])
        let refused = try await RelayClient.connect(port: relay.port)
        try await refused.greet(space, as: joiner, admittedBy: invite)
        #expect(code(try await refused.next()) == .unknownSpace)
        // Who knows the genesis doesn't get further.
        refused.send(.found(genesis))
        refused.send(.putAccess(closed))
        #expect(await refused.rest().map(code) == [.notMember])
        try relay.server.stop()
    }

    @Test func `of two lists after the same one, one is accepted and the other told`() async throws
    {
        let relay = try TestRelay()
        let one = try await start(relay)
        let (two, _) = try await RelayClient.enter(space, as: writer, port: relay.port)
        let first = founder.accessList(
            space,
            after: list,
            devices: [(founder, .all), (writer, .all)]
        )
        let second = founder.accessList(space, after: list, devices: [(founder, .all)])
        one.send(.putAccess(first))
        one.send(.putAccess(second))
        one.send(.putAccess(first))
        var frames: [RelayFrame] = []
        for _ in 0..<4 { frames.append(try await one.next()) }
        #expect(frames.map(code).contains(.accessConflict))
        #expect(frames.filter { $0 == .access(first) }.count == 3)
        #expect(try await two.next() == .access(first))
        let byOther = writer.accessList(space, after: first, devices: [(writer, .all)])
        two.send(.putAccess(byOther))
        #expect(try await two.next() == .access(byOther))
        #expect(await one.rest().map(code) == [.notMember])
        try relay.server.stop()
    }

    @Test func `spaces don't hear each other`() async throws {
        let relay = try TestRelay()
        let one = try await start(relay)
        let other = founder.genesis(1)
        let (two, _) = try await RelayClient.enter(
            other.spaceID,
            as: founder,
            port: relay.port,
            founding: other
        )
        two.send(.subscribe([]))
        #expect(try await two.next() == .caughtUp)
        var log = TestLog(founder, space)
        #expect(try await one.append(log.add(count: 1)) == .ack(log.ack(1)))
        one.send(.presence([1]))
        one.send(.ping(1))
        #expect(try await one.next() == .pong(1))
        two.send(.ping(2))
        #expect(try await two.next() == .pong(2))
        try relay.server.stop()
    }

    // MARK: Presence, limits, failures

    @Test func `presence reaches the others and not its sender`() async throws {
        let relay = try TestRelay()
        let one = try await start(relay)
        let (two, _) = try await RelayClient.enter(space, as: writer, port: relay.port)
        one.send(.presence([1, 2, 3]))
        #expect(try await two.next() == .presence([1, 2, 3]))
        one.send(.ping(1))
        #expect(try await one.next() == .pong(1))
        try relay.server.stop()
    }

    @Test func `a full disk refuses appends and still serves reads`() async throws {
        let directory = TestDirectory()
        let empty = try TestRelay(directory: directory)
        try await start(empty).close()
        try empty.server.stop()
        let relay = try TestRelay(directory: directory, maximumByteCount: 160_000)
        let (client, _) = try await RelayClient.enter(space, as: founder, port: relay.port)
        var log = TestLog(founder, space)
        #expect(try await client.append(log.add(count: 1)) == .ack(log.ack(1)))
        var large = TestLog(founder, space, incarnation: 1)
        let big = large.add(count: 1, byteCount: 250_000)
        #expect(code(try await client.append(big)) == .storageFull)
        #expect(code(try await client.append(big)) == .storageFull)
        var small = TestLog(founder, space, incarnation: 1)
        #expect(try await client.append(small.add(count: 1)) == .ack(small.ack(1)))
        let (reader, welcome) = try await RelayClient.enter(space, as: writer, port: relay.port)
        #expect(welcome.logs == [log, small].sorted { $0.id < $1.id }.map(\.state))
        reader.send(.subscribe([Position(log: small.id, offset: small.end)]))
        #expect(try await reader.next() == .entries(log.range(0, 1)))
        #expect(try await client.append(log.add(count: 1)) == .ack(log.ack(2)))
        try relay.server.stop()
    }

    @Test func `a reader that doesn't drain is cut off and others aren't held up`() async throws {
        var limits = RelayLimits()
        limits.writeTimeout = .seconds(1)
        let relay = try TestRelay(limits: limits)
        let one = try await start(relay)
        let (slow, _) = try await RelayClient.enter(
            space,
            as: writer,
            port: relay.port,
            receiveByteCount: 1 << 16
        )
        slow.send(.subscribe([]))
        #expect(try await slow.next() == .caughtUp)
        try await slow.setReading(false)
        var log = TestLog(founder, space)
        // More than the kernel's buffers hold.
        for _ in 0..<32 {
            let range = log.add(count: 1, byteCount: 250_000)
            #expect(try await one.append(range) == .ack(log.ack(log.entries.count)))
        }
        while relay.server.connectionCount > 1 {
            one.send(.ping(0))
            #expect(try await one.next() == .pong(0))
            try await Task.sleep(for: .milliseconds(20))
        }
        try await slow.setReading(true)
        let rest = await slow.rest()
        #expect(rest.count < 32)
        let positions = [Position(log: log.id, offset: Offset(UInt64(rest.count)))]
        try relay.server.stop()
        // With the usual limits again: a debug build on a busy machine reads slowly, too.
        let patient = try TestRelay(directory: relay.directory)
        let (again, _) = try await RelayClient.enter(space, as: writer, port: patient.port)
        again.send(.subscribe(positions))
        var offset = rest.count
        while case .entries(let range) = try await again.next() {
            #expect(range == log.range(offset, offset + range.entries.count))
            offset += range.entries.count
        }
        #expect(offset == 32)
        try patient.server.stop()
    }

    @Test func `a slow reader that drains in time gets everything`() async throws {
        let relay = try TestRelay()
        let one = try await start(relay)
        let (slow, _) = try await RelayClient.enter(
            space,
            as: writer,
            port: relay.port,
            receiveByteCount: 1 << 16
        )
        slow.send(.subscribe([]))
        #expect(try await slow.next() == .caughtUp)
        try await slow.setReading(false)
        var log = TestLog(founder, space)
        // More than the kernel's buffers hold.
        for _ in 0..<32 {
            let range = log.add(count: 1, byteCount: 250_000)
            #expect(try await one.append(range) == .ack(log.ack(log.entries.count)))
        }
        try await slow.setReading(true)
        for index in 0..<32 {
            #expect(try await slow.next() == .entries(log.range(index, index + 1)))
        }
        try relay.server.stop()
    }

    @Test func `a stopping relay finishes what it acked and says goodbye`() async throws {
        let relay = try TestRelay()
        let client = try await start(relay)
        var log = TestLog(founder, space)
        for _ in 0..<20 { client.send(.append(log.add(count: 1))) }
        #expect(try await client.next() == .ack(log.ack(1)))
        try relay.server.stop()
        let rest = await client.rest()
        #expect(code(rest.last) == .shuttingDown)
        let acked = 1 + rest.count { if case .ack = $0 { true } else { false } }
        let storage = try SegmentStorage(directory: relay.directory.path)
        let end = try #require(try storage.log(log.id)?.head?.end.value)
        #expect(end >= acked)
        try storage.close()
    }
}
