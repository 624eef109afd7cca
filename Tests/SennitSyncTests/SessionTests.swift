import SennitSeal
import SennitSync
import SennitWire
import Testing

@Suite struct SessionTests {
    private let space: TestSpace
    private let challenge = Challenge(relay: bytes32(1).value, nonce: bytes32(2).value)

    init() throws { space = try TestSpace.joined() }

    private func session(entries: UInt64 = 3, token: RelayToken? = nil) -> Session {
        var version = Version()
        version[space.ada.ownLog] = Offset(entries)
        return Session(
            Session.Configuration(
                space: space.ada.space,
                identity: space.ada.identity,
                ownLog: space.ada.ownLog,
                genesis: space.ada.genesis,
                access: nil,
                token: token,
                admission: nil,
                version: version
            ),
            now: .zero
        )
    }

    /// A session that was welcomed by a relay that has `held` of its entries.
    private func open(entries: UInt64 = 3, held: UInt64 = 3) -> (Session, [Session.Action]) {
        var session = session(entries: entries)
        _ = session.handle(.received(RelayFrame.challenge(challenge).bytes), now: .zero)
        let log = Welcome.Log(
            descriptor: space.ada.own,
            start: .zero,
            startChain: space.ada.own.chainStart(in: space.ada.space),
            end: Offset(held)
        )
        let welcome = RelayFrame.welcome(Welcome(access: nil, logs: held == 0 ? [] : [log]))
        let actions = session.handle(.received(welcome.bytes), now: .zero)
        return (session, actions)
    }

    private func ack(_ end: UInt64) -> Session.Event {
        let chain = space.ada.chain(of: space.ada.ownLog, at: Offset(end))
        let ack = Ack(
            log: space.ada.ownLog,
            end: Offset(end),
            chain: chain ?? ChainHash(value: .zero)
        )
        return .received(RelayFrame.ack(ack).bytes)
    }

    @Test func `a challenge is answered with a proof of the device's key`() throws {
        var session = session()
        let actions = session.handle(
            .received(RelayFrame.challenge(challenge).bytes),
            now: .zero
        )
        guard case .send(.hello(let hello)) = try #require(actions.first) else {
            throw TestFailure("no hello")
        }
        #expect(
            Signature.isValid(
                hello.signature,
                of: challenge.signedBytes(space: hello.space, device: hello.device),
                by: space.ada.identity.device
            )
        )
        #expect(!session.isOpen)
    }

    @Test func `a range over the limit is told apart, and the session goes on`() throws {
        var (session, _) = open()
        let range = space.bobs(0...)
        let large = EntryRange(
            descriptor: range.descriptor,
            from: range.from,
            entries: Array(repeating: [1], count: Limits.maximumBatchCount + 1),
            head: range.head
        )
        let actions = session.handle(.received(RelayFrame.entries(large).bytes), now: .zero)
        guard case .overLimit(range.descriptor, range.from) = try #require(actions.first) else {
            throw TestFailure("it is not told")
        }
        let next = session.handle(.received(RelayFrame.entries(range).bytes), now: .zero)
        guard case .deliver(range) = try #require(next.first) else {
            throw TestFailure("nothing is delivered")
        }
        #expect(session.isOpen)
    }

    @Test func `after the welcome it subscribes with what it has`() throws {
        let (session, actions) = open()
        #expect(session.isOpen)
        #expect(session.wantsEntries)
        let subscribed = actions.contains {
            if case .send(.subscribe(let positions)) = $0 {
                positions == [Position(log: space.ada.ownLog, offset: Offset(3))]
            } else {
                false
            }
        }
        #expect(subscribed)
    }

    @Test func `what the relay lost is sent again`() {
        let (_, actions) = open(entries: 3, held: 1)
        let loads = actions.contains {
            if case .load(let from) = $0 { from == Offset(1) } else { false }
        }
        #expect(loads)
    }

    @Test func `one append is in flight, and its ack is the clock of the next`() {
        var (session, _) = open()
        #expect(isLoad(session.handle(.ownLogGrew(to: Offset(4)), now: .zero), from: 3))
        #expect(!session.wantsEntries)
        #expect(session.handle(.ownLogGrew(to: Offset(5)), now: .zero).isEmpty, "one at a time")
        let sent = session.handle(.loaded(space.adas(0...)), now: .zero)
        #expect(sent.count == 1)
        #expect(session.handle(.ownLogGrew(to: Offset(6)), now: .zero).isEmpty)
        #expect(session.unackedCount == 3)
    }

    @Test func `an ack lets the next entries out`() {
        var (session, _) = open(entries: 3, held: 0)
        _ = session.handle(.loaded(space.adas(0...)), now: .zero)
        let actions = session.handle(ack(3), now: .zero)
        #expect(actions.count == 1)
        #expect(session.wantsEntries)
        #expect(session.unackedCount == 0)
    }

    @Test func `an ack of what was never sent ends the session`() {
        var (session, _) = open()
        let actions = session.handle(ack(9), now: .zero)
        #expect(isClose(actions, .unexpectedFrame))
        #expect(session.handle(.tick, now: .zero).isEmpty, "it has ended")
    }

    @Test func `a gap sends again from where the relay stands`() {
        var (session, _) = open(entries: 3, held: 2)
        _ = session.handle(.loaded(space.adas(2...)), now: .zero)
        let refusal = Refusal(
            code: .gap,
            position: Position(log: space.ada.ownLog, offset: Offset(1)),
            reason: "lost"
        )
        let actions = session.handle(
            .received(RelayFrame.refused(refusal).bytes),
            now: .zero
        )
        #expect(
            actions.contains { if case .load(let from) = $0 { from == Offset(1) } else { false } }
        )
    }

    @Test func `a full relay is asked again after a pause, and nothing is dropped`() {
        var (session, _) = open(entries: 3, held: 0)
        _ = session.handle(.loaded(space.adas(0...)), now: .zero)
        let refusal = Refusal(
            code: .storageFull,
            position: Position(log: space.ada.ownLog, offset: .zero),
            reason: "full"
        )
        _ = session.handle(.received(RelayFrame.refused(refusal).bytes), now: .zero)
        #expect(session.unackedCount == 3)
        #expect(session.handle(.tick, now: .seconds(1)).isEmpty)
        let later = session.handle(.tick, now: SyncLimits.retryPause + .seconds(1))
        #expect(isLoad(later, from: 0))
    }

    @Test func `an unknown space is founded again`() {
        var session = session()
        _ = session.handle(.received(RelayFrame.challenge(challenge).bytes), now: .zero)
        let refusal = Refusal(code: .unknownSpace, reason: "never heard of it")
        let actions = session.handle(
            .received(RelayFrame.refused(refusal).bytes),
            now: .zero
        )
        let founds = actions.contains {
            if case .send(.found(let genesis, _)) = $0 {
                genesis == space.ada.genesis
            } else {
                false
            }
        }
        #expect(founds)
    }

    @Test func `a relay that asks for patience is given it, and after each no more of it`() {
        func refusal(_ seconds: Int64?) -> Session.Event {
            let refusal = Refusal(
                code: seconds == nil ? .quotaExceeded : .rateLimited,
                position: Position(log: space.ada.ownLog, offset: .zero),
                retryAfter: seconds.map { .seconds($0) },
                reason: "slowly"
            )
            return .received(RelayFrame.refused(refusal).bytes)
        }
        func loads(_ session: inout Session, after pause: Duration, _ now: inout Duration) -> Bool {
            // Whatever else: the relay is heard meanwhile.
            let pong = RelayFrame.pong(1).bytes
            let end = now + pause
            while now + .seconds(10) < end {
                now += .seconds(10)
                _ = session.handle(.received(pong), now: now)
                let actions = session.handle(.tick, now: now)
                if actions.contains(where: { if case .load = $0 { true } else { false } }) {
                    return false
                }
            }
            now = end
            _ = session.handle(.received(pong), now: now)
            return session.handle(.tick, now: now).contains {
                if case .load = $0 { true } else { false }
            }
        }
        var (session, _) = open(entries: 3, held: 0)
        var now = Duration.zero
        // The relay's word counts, within bounds; without it pauses double.
        for (asked, pause) in [
            (42, 42), (86_400, 300), (nil, 20), (nil, 40), (nil, 80), (nil, 160), (nil, 300),
        ] as [(Int64?, Int64)] {
            _ = session.handle(.loaded(space.adas(0...)), now: now)
            _ = session.handle(refusal(asked), now: now)
            #expect(session.unackedCount == 3)
            #expect(loads(&session, after: .seconds(pause), &now), "\(pause)")
        }
    }

    @Test func `a token goes to the relay that doesn't know the space, and to no other`() {
        let token = RelayToken(secret: Hash.digest(.derive, [[1]]))
        var (known, _) = open()
        let message = known.handle(.tick, now: .seconds(16))
        #expect(!"\(message)".contains("token"))
        var session = session(token: token)
        _ = session.handle(.received(RelayFrame.challenge(challenge).bytes), now: .zero)
        let unknown = Refusal(code: .unknownSpace, reason: "never heard of it")
        let actions = session.handle(.received(RelayFrame.refused(unknown).bytes), now: .zero)
        let founds = actions.contains {
            if case .send(.found(_, let offered)) = $0 { offered == token } else { false }
        }
        #expect(founds)
        let refusal = Refusal(code: .notHosted, reason: "a new space needs a token")
        let end = session.handle(.received(RelayFrame.refused(refusal).bytes), now: .zero)
        #expect(isClose(end, .notHosted(refusal)))
    }

    @Test func `a relay that says no, is silent or talks nonsense ends the session`() {
        var refused = session()
        _ = refused.handle(.received(RelayFrame.challenge(challenge).bytes), now: .zero)
        let no = RelayFrame.refused(Refusal(code: .notMember, reason: "no"))
        #expect(isClose(refused.handle(.received(no.bytes), now: .zero), .notMember))

        var (silent, _) = open()
        let ping = silent.handle(.tick, now: .seconds(16))
        #expect(ping.contains { if case .send(.ping) = $0 { true } else { false } })
        #expect(isClose(silent.handle(.tick, now: .seconds(31)), .silent))

        var (confused, _) = open()
        #expect(isClose(confused.handle(.received(no.bytes), now: .zero), .notMember))
        var (early, _) = open()
        let hello = RelayFrame.challenge(challenge)
        #expect(isClose(early.handle(.received(hello.bytes), now: .zero), .unexpectedFrame))
    }

    @Test func `garbage of every length ends the session and never more`() {
        for count in 0..<200 {
            var (session, _) = open()
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            let actions = session.handle(.received(bytes), now: .zero)
            #expect(actions.count <= 1)
        }
    }

    @Test func `pauses double up to the longest and start over`() {
        var backoff = Backoff()
        let pauses = (0..<12).map { _ in backoff.next(jitter: 0.999) }
        #expect(pauses == pauses.sorted())
        #expect(pauses[11] <= SyncLimits.reconnectPause.upperBound)
        backoff.reset()
        #expect(backoff.next(jitter: 0) < pauses[1])
    }

    private func isLoad(_ actions: [Session.Action], from offset: UInt64) -> Bool {
        guard actions.count == 1, case .load(let from) = actions[0] else { return false }
        return from == Offset(offset)
    }

    private func isClose(_ actions: [Session.Action], _ end: Session.End) -> Bool {
        actions.contains { if case .close(let reason) = $0 { reason == end } else { false } }
    }
}
