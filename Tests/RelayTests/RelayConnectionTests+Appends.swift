import RelayStorage
import SennitWire
import Testing

@testable import RelayCore

/// Appends: what is handed on, what is refused, and whose heads are to be checked.
extension RelayConnectionTests {
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
        #expect(request.appends.map { request.range($0) } == [PackedRange(range)])
        #expect(request.appends.map(\.hashes) == [log.entries.map(EntryHash.init(of:))])
        #expect(request.byteCount == 16)
        let answer = AppendAnswer(log.head(2))
        let acked = connection.receive(.answered(request, [answer]), now: .zero)
        #expect(acked.frames == [.ack(log.ack(2))])
    }

    @Test mutating func `appends that come together and follow on make one run`() {
        limits.maximumPendingAppendCount = 8
        connection = RelayConnection(challenge: Self.challenge, limits: limits, openedAt: .zero)
        enter(founder)
        var log = TestLog(founder, space)
        var other = TestLog(founder, space, incarnation: 1)
        let ranges = [1, 2, 1].map { log.add(count: $0) }
        for range in ranges {
            #expect(texts(connection.gather(PackedRange(range), now: .zero)) == [])
        }
        _ = connection.gather(PackedRange(other.add(count: 1)), now: .zero)
        let runs = connection.endRead(now: .zero).runs
        #expect(runs.map(\.log) == [log.id, other.id])
        #expect(runs.first?.appends.map(\.head) == ranges.map(\.head))
        // The first one's start is not known; the others' is the head before them.
        let starts = runs.first?.appends.map { $0.start?.chain }
        #expect(starts == [nil, log.head(1).chain, log.head(3).chain])
        #expect(texts(connection.endRead(now: .zero)) == [])
        _ = connection.gather(PackedRange(other.add(count: 1)), now: .zero)
        #expect(connection.endRead(now: .zero).runs.first?.appends.first?.start != nil)
    }

    @Test mutating func `an append that doesn't lead to its head, or from elsewhere, isn't linked`()
    {
        limits.maximumPendingAppendCount = 8
        connection = RelayConnection(challenge: Self.challenge, limits: limits, openedAt: .zero)
        enter(founder)
        var log = TestLog(founder, space)
        let ranges = (0..<4).map { _ in log.add(count: 1) }
        let chain = ChainHash(value: .repeating(7))
        let wrong = [
            ranges[1].with(head: log.head(2, chain: chain)),
            ranges[1].with(head: log.head(2, byteCountError: 1)), ranges[2],
        ]
        for range in wrong {
            var connection = connection
            _ = connection.gather(PackedRange(ranges[0]), now: .zero)
            _ = connection.gather(PackedRange(range), now: .zero)
            let runs = connection.endRead(now: .zero).runs
            #expect(runs.count == 2)
            #expect(runs.last?.appends.first?.start == nil)
            #expect(runs.last?.appends.first?.hashes == range.entries.map(EntryHash.init(of:)))
        }
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

    /// The head checks that a driver is told to make for these appends, one read for each.
    private mutating func headChecks(_ ranges: [EntryRange]) -> [HeadCheck] {
        ranges.flatMap { connection.receive(RelayFrame.append($0).bytes, now: .zero).runs }
            .flatMap { $0.appends.map(\.headCheck) }
    }

    @Test mutating func `of heads that come together the last may be checked, within a share`() {
        limits.maximumPendingAppendCount = 16
        limits.headCheckBurst = 2
        connection = RelayConnection(
            challenge: Self.challenge,
            limits: limits,
            openedAt: .zero,
            headChecks: .byDriver
        )
        enter(founder)
        var log = TestLog(founder, space)
        var checks: [[HeadCheck]] = []
        for _ in 0..<3 {
            for _ in 0..<3 { _ = connection.gather(PackedRange(log.add(count: 1)), now: .zero) }
            checks += connection.endRead(now: .zero).runs.map { $0.appends.map(\.headCheck) }
        }
        #expect(
            checks == [
                [.required, .done, .affordable], [.done, .done, .affordable],
                [.done, .done, .done],
            ]
        )
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
        #expect(receive(Request.append(request).refused(refusal)) == ["refused 13"])
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
        let request = Request.append(log.run(log.range(0, 1), of: founder))
        #expect(receive(request.refused(.storageFull)) == ["refused 10"])
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
}
