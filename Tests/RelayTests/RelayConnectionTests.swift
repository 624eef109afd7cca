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
