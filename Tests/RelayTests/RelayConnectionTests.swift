import NIOCore
import RelayStorage
import SennitWire
import Testing

@testable import RelayCore

/// The state machine alone: what comes in, what goes out.
struct RelayConnectionTests {
    static let challenge = Challenge(relay: .repeating(1), nonce: .repeating(2))

    let founder = TestDevice(1)
    let writer = TestDevice(2)
    let invite = TestDevice(3)
    let space: SpaceID
    let list: AccessList
    var limits = RelayLimits()
    var connection: RelayConnection

    init() {
        space = founder.genesis().spaceID
        list = founder.accessList(
            space,
            devices: [(founder, .all), (writer, [.read, .append])],
            invites: [invite]
        )
        limits.maximumPendingAppendCount = 3
        limits.presenceBurst = 2
        limits.presencePerSecond = 1
        connection = RelayConnection(challenge: Self.challenge, limits: limits, openedAt: .zero)
    }

    mutating func receive(_ frame: RelayFrame, at now: Duration = .zero) -> [String] {
        texts(connection.receive(frame.bytes, now: now))
    }

    mutating func receive(_ delivery: Delivery, at now: Duration = .zero) -> [String] {
        texts(connection.receive(delivery, now: now))
    }

    func texts(_ actions: [RelayConnection.Action]) -> [String] {
        actions.map(\.text)
    }

    func access(_ list: AccessList?) -> SpaceAccess {
        SpaceAccess(SpaceRecord(genesis: founder.genesis(), access: list))
    }

    /// Lets a device in.
    mutating func enter(
        _ device: TestDevice,
        list: AccessList? = nil,
        logs: [Welcome.Log] = []
    ) {
        let hello = device.hello(to: Self.challenge, space: space)
        #expect(receive(.hello(hello)) == ["enter"])
        #expect(receive(.entered(access(list), logs: logs)) == ["welcome"])
    }

    func tail(_ log: TestLog, _ from: Int, _ end: Int) -> CommittedTail {
        CommittedTail(
            log: log.id,
            descriptor: log.descriptor,
            from: Offset(UInt64(from)),
            end: Offset(UInt64(end)),
            frame: ByteBuffer(bytes: RelayFrame.entries(log.range(from, end)).bytes)
        )
    }

    // MARK: Handshake

    @Test func `the first word is a challenge`() {
        #expect(texts(connection.open()) == ["challenge"])
    }

    @Test mutating func `a device with a good proof asks to enter`() {
        let hello = founder.hello(to: Self.challenge, space: space)
        let actions = connection.receive(RelayFrame.hello(hello).bytes, now: .zero)
        guard case .submit(.enter(let request)) = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(request == EnterRequest(space: space, device: founder.key))
        #expect(actions.count == 1)
    }

    @Test mutating func `a proof for another challenge or space or by another key is refused`() {
        let other = Challenge(relay: .repeating(1), nonce: .repeating(3))
        let otherRelay = Challenge(relay: .repeating(2), nonce: .repeating(2))
        let wrong = [
            founder.hello(to: other, space: space), founder.hello(to: otherRelay, space: space),
            Hello(
                space: founder.genesis(1).spaceID,
                device: founder.key,
                signature: founder.hello(to: Self.challenge, space: space).signature,
                admission: nil
            ),
            Hello(
                space: space,
                device: founder.key,
                signature: writer.hello(to: Self.challenge, space: space).signature,
                admission: nil
            ),
        ]
        for hello in wrong {
            var connection = connection
            let actions = connection.receive(RelayFrame.hello(hello).bytes, now: .zero)
            #expect(texts(actions) == ["refused 4", "close refused"])
            #expect(connection.isClosed)
        }
    }

    @Test mutating func `an invite's word is checked and passed on`() {
        let hello = writer.hello(to: Self.challenge, space: space, admittedBy: invite)
        var other = connection
        let actions = connection.receive(RelayFrame.hello(hello).bytes, now: .zero)
        guard case .submit(.enter(let request)) = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(request.invite == invite.key)
        let forged = Hello(
            space: space,
            device: writer.key,
            signature: hello.signature,
            admission: Admission(invite: invite.key, signature: hello.signature)
        )
        let refused = other.receive(RelayFrame.hello(forged).bytes, now: .zero)
        #expect(texts(refused) == ["refused 4", "close refused"])
    }

    @Test mutating func `not listed gets the answer that a wrong signature gets`() {
        let hello = writer.hello(to: Self.challenge, space: space)
        _ = receive(.hello(hello))
        let unlisted = connection.receive(.entryRefused(.notMember()), now: .zero)
        var other = RelayConnection(challenge: Self.challenge, limits: limits, openedAt: .zero)
        let bad = Hello(
            space: space,
            device: founder.key,
            signature: hello.signature,
            admission: nil
        )
        let forged = other.receive(RelayFrame.hello(bad).bytes, now: .zero)
        #expect(unlisted.frames == forged.frames)
        #expect(texts(unlisted) == texts(forged))
    }

    @Test mutating func `the founder brings an unknown space`() {
        _ = receive(.hello(founder.hello(to: Self.challenge, space: space)))
        #expect(receive(.spaceUnknown) == ["refused 3"])
        #expect(receive(.found(founder.genesis())) == ["enter"])
        #expect(receive(.entered(access(nil), logs: [])) == ["welcome"])
    }

    @Test mutating func `a genesis must be that of the space`() {
        _ = receive(.hello(founder.hello(to: Self.challenge, space: space)))
        _ = receive(.spaceUnknown)
        #expect(receive(.found(founder.genesis(1))) == ["refused 1", "close malformed"])
    }

    @Test mutating func `a member brings a lost space with genesis and list`() {
        _ = receive(.hello(writer.hello(to: Self.challenge, space: space)))
        #expect(receive(.spaceUnknown) == ["refused 3"])
        #expect(receive(.found(founder.genesis())) == [])
        let actions = connection.receive(RelayFrame.putAccess(list).bytes, now: .zero)
        guard case .submit(.enter(let request)) = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(request.genesis == founder.genesis())
        #expect(request.list == list)
        #expect(receive(.entered(access(list), logs: [])) == ["welcome"])
    }

    @Test mutating func `what comes while entering is taken up after the welcome`() {
        _ = receive(.hello(founder.hello(to: Self.challenge, space: space)))
        #expect(receive(.subscribe([])) == [])
        #expect(receive(.entered(access(nil), logs: [])) == ["welcome", "caughtUp"])
    }

    @Test mutating func `what comes while entering a space that turns out unknown is dropped`() {
        _ = receive(.hello(founder.hello(to: Self.challenge, space: space)))
        #expect(receive(.subscribe([])) == [])
        #expect(receive(.spaceUnknown) == ["refused 3"])
        #expect(receive(.presence([1])) == [])
        #expect(receive(.found(founder.genesis())) == ["enter"])
    }

    @Test mutating func `too much before the welcome is refused`() {
        _ = receive(.hello(founder.hello(to: Self.challenge, space: space)))
        for _ in 0..<3 { #expect(receive(.presence([1])) == []) }
        #expect(receive(.presence([1])) == ["refused 9", "close refused"])
    }

    @Test mutating func `another protocol version is named`() {
        var bytes = RelayFrame.hello(founder.hello(to: Self.challenge, space: space)).bytes
        bytes[1] = 2
        let actions = connection.receive(bytes, now: .zero)
        #expect(texts(actions) == ["refused 2", "close refused"])
    }

    // MARK: Frames out of place

    @Test func `what has no place is malformed and changes nothing`() {
        var log = TestLog(founder, space)
        let range = log.add(count: 1)
        let frames: [RelayFrame] = [
            .challenge(Self.challenge), .welcome(Welcome(access: nil, logs: [])),
            .entries(range), .caughtUp, .ack(log.ack(1)), .access(list),
            .refused(Refusal(code: .gap, reason: "")), .found(founder.genesis()),
            .subscribe([]), .append(range), .putAccess(list), .presence([]),
        ]
        for frame in frames {
            var connection = connection
            let actions = connection.receive(frame.bytes, now: .zero)
            #expect(texts(actions) == ["refused 1", "close malformed"])
            #expect(texts(connection.receive(RelayFrame.ping(1).bytes, now: .zero)) == [])
        }
    }

    @Test mutating func `a second hello is malformed`() {
        enter(founder)
        let hello = founder.hello(to: Self.challenge, space: space)
        #expect(receive(.hello(hello)) == ["refused 1", "close malformed"])
    }

    @Test(arguments: [[], [0], [99], [33, 1], [16], [UInt8](repeating: 255, count: 100)])
    func `bytes that don't parse are malformed`(bytes: [UInt8]) {
        var connection = connection
        let actions = connection.receive(bytes, now: .zero)
        #expect(texts(actions) == ["refused 1", "close malformed"])
    }

    @Test func `text, garbage and what is too large are refused`() {
        var (text, garbage, large) = (connection, connection, connection)
        #expect(texts(text.receiveText()) == ["refused 1", "close textMessage"])
        #expect(texts(garbage.receiveGarbage("")) == ["refused 1", "close malformed"])
        #expect(texts(large.receiveTooLarge()) == ["refused 7", "close tooLarge"])
        #expect(texts(text.receiveText()) == [])
    }

    @Test mutating func `a list of another space is malformed`() {
        enter(founder)
        let other = founder.accessList(founder.genesis(1).spaceID, devices: [(founder, .all)])
        #expect(receive(.putAccess(other)) == ["refused 1", "close malformed"])
    }

    // MARK: Appends

    @Test mutating func `an append is handed on and acked`() {
        enter(founder)
        var log = TestLog(founder, space)
        let range = log.add(count: 2)
        let actions = connection.receive(RelayFrame.append(range).bytes, now: .zero)
        guard case .submit(.append(let request)) = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(request.log == log.id)
        #expect(request.range == range)
        #expect(request.hashes == log.entries.map(EntryHash.init(of:)))
        #expect(request.byteCount == 16)
        let acked = connection.receive(.appended(request, log.ack(2)), now: .zero)
        #expect(acked.frames == [.ack(log.ack(2))])
    }

    @Test mutating func `a head that isn't well signed is refused`() {
        enter(founder)
        var log = TestLog(founder, space)
        let range = log.add(count: 1)
        var elsewhere = TestLog(founder, founder.genesis(1).spaceID)
        _ = elsewhere.add(count: 1)
        let frame = RelayFrame.append(range.with(head: elsewhere.head(1)))
        let actions = connection.receive(frame.bytes, now: .zero)
        #expect(texts(actions) == ["refused 13"])
        #expect(
            actions.frames == [
                .refused(
                    Refusal(
                        code: .badHead,
                        position: Position(log: log.id, offset: .zero),
                        reason: "the head's signature is wrong"
                    )
                )
            ]
        )
        #expect(receive(.append(range)) == ["append"])
    }

    /// The head checks that a driver is told to make for these appends.
    private mutating func headChecks(_ ranges: [EntryRange]) -> [HeadCheck] {
        ranges.flatMap { connection.receive(RelayFrame.append($0).bytes, now: .zero) }
            .compactMap { action in
                guard case .submit(.append(let request)) = action else { return nil }
                return request.headCheck
            }
    }

    @Test mutating func `a driver must check the first own head and may check the others`() {
        connection = RelayConnection(
            challenge: Self.challenge,
            limits: limits,
            openedAt: .zero,
            headChecks: .byDriver
        )
        enter(founder)
        var log = TestLog(founder, space)
        let ranges = (0..<3).map { _ in log.add(count: 1) }
        #expect(headChecks(ranges) == [.required, .affordable, .affordable])
    }

    @Test mutating func `a driver must check every head of another author`() {
        limits.maximumPendingAppendCount = 8
        connection = RelayConnection(
            challenge: Self.challenge,
            limits: limits,
            openedAt: .zero,
            headChecks: .byDriver
        )
        enter(founder, list: list)
        var own = TestLog(founder, space)
        var other = TestLog(writer, space)
        let ranges = (0..<3).flatMap { _ in [own.add(count: 1), other.add(count: 1)] }
        let required = HeadCheck.required
        #expect(
            headChecks(ranges) == [
                required, required, .affordable, required, .affordable, required,
            ]
        )
    }

    @Test mutating func `after a bad head every head of the connection must be checked`() {
        connection = RelayConnection(
            challenge: Self.challenge,
            limits: limits,
            openedAt: .zero,
            headChecks: .byDriver
        )
        enter(founder)
        var log = TestLog(founder, space)
        let ranges = (0..<4).map { _ in log.add(count: 1) }
        let actions = connection.receive(RelayFrame.append(ranges[0]).bytes, now: .zero)
        guard case .submit(.append(let request)) = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(headChecks([ranges[1]]) == [.affordable])
        let refusal = Refusal(code: .badHead, reason: "")
        #expect(receive(.appendRefused(request, refusal)) == ["refused 13"])
        #expect(headChecks([ranges[2]]) == [.required])
    }

    @Test mutating func `the log's id is that of the range, whatever came before`() {
        enter(founder)
        var logs = [TestLog(founder, space), TestLog(founder, space, incarnation: 1)]
        var found: [LogID] = []
        for index in [0, 1, 0] {
            let frame = RelayFrame.append(logs[index].add(count: 1))
            for action in connection.receive(frame.bytes, now: .zero) {
                if case .submit(.append(let request)) = action { found.append(request.log) }
            }
        }
        #expect(found == [logs[0].id, logs[1].id, logs[0].id])
    }

    @Test mutating func `a batch over the limit is refused and a single large entry isn't`() {
        enter(founder)
        var log = TestLog(founder, space)
        let single = log.add(count: 1, byteCount: Limits.maximumBatchByteCount + 1)
        #expect(receive(.append(single)) == ["append"])
        let double = log.add(count: 2, byteCount: Limits.maximumBatchByteCount / 2 + 1)
        #expect(receive(.append(double)) == ["refused 7"])
        let exact = log.add(count: 2, byteCount: Limits.maximumBatchByteCount / 2)
        #expect(receive(.append(exact)) == ["append"])
    }

    @Test mutating func `an author who isn't let in is refused`() {
        enter(writer, list: list)
        var log = TestLog(invite, space)
        #expect(receive(.append(log.add(count: 1))) == ["refused 4"])
    }

    @Test mutating func `appends that wait are bounded`() {
        enter(founder)
        var log = TestLog(founder, space)
        for _ in 0..<3 { #expect(receive(.append(log.add(count: 1))) == ["append"]) }
        let fourth = log.add(count: 1)
        #expect(receive(.append(fourth)) == ["refused 9"])
        let request = AppendRequest(
            space: space,
            device: founder.key,
            log: log.id,
            range: log.range(0, 1),
            hashes: [],
            byteCount: 8
        )
        #expect(receive(.appendRefused(request, .storageFull)) == ["refused 10"])
        #expect(receive(.append(fourth)) == ["append"])
    }

    @Test mutating func `bytes that wait are bounded`() {
        limits.maximumPendingByteCount = 100
        connection = RelayConnection(challenge: Self.challenge, limits: limits, openedAt: .zero)
        _ = receive(.hello(founder.hello(to: Self.challenge, space: space)))
        _ = receive(.entered(access(nil), logs: []))
        var log = TestLog(founder, space)
        #expect(receive(.append(log.add(count: 1, byteCount: 60))) == ["append"])
        #expect(receive(.append(log.add(count: 1, byteCount: 60))) == ["refused 9"])
    }

    // MARK: Access

    @Test mutating func `a list is handed on and its outcome told`() {
        enter(founder)
        #expect(receive(.putAccess(list)) == ["putAccess"])
        let frame = ByteBuffer(bytes: RelayFrame.access(list).bytes)
        #expect(receive(.accessChanged(access(list), frame: frame)) == ["shared access"])
        let refusal = Refusal(code: .accessConflict, reason: "")
        #expect(receive(.accessRefused(refusal, current: list)) == ["refused 12", "access"])
        #expect(receive(.accessKnown(list)) == ["access"])
    }

    @Test mutating func `access lists are bounded in their rate`() {
        enter(founder)
        for _ in 0..<16 { #expect(receive(.putAccess(list)) == ["putAccess"]) }
        #expect(receive(.putAccess(list)) == ["refused 9"])
        #expect(receive(.putAccess(list), at: .seconds(1)) == ["putAccess"])
    }

    @Test mutating func `a device that lost its rights is told no more`() {
        enter(writer, list: list)
        let without = founder.accessList(space, after: list, devices: [(founder, .all)])
        let frame = ByteBuffer(bytes: RelayFrame.access(without).bytes)
        let texts = receive(.accessChanged(access(without), frame: frame))
        #expect(texts == ["refused 4", "close refused"])
    }

    @Test mutating func `a device that may only append is served nothing`() {
        let list = founder.accessList(space, devices: [(writer, .append)])
        enter(writer, list: list)
        #expect(receive(.subscribe([])) == ["refused 4"])
        var log = TestLog(founder, space)
        _ = log.add(count: 1)
        #expect(receive(.committed(tail(log, 0, 1))) == [])
        #expect(receive(.presence(ByteBuffer(bytes: [32]))) == [])
        var own = TestLog(writer, space)
        #expect(receive(.append(own.add(count: 1))) == ["append"])
    }
}
