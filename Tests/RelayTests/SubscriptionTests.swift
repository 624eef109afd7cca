import NIOCore
import SennitWire
import Testing

@testable import RelayCore

struct SubscriptionTests {
    let founder = TestDevice(1)

    private var space: SpaceID { founder.genesis().spaceID }

    private func tail(_ log: TestLog, _ from: Int, _ end: Int) -> CommittedTail {
        CommittedTail(
            log: log.id,
            descriptor: log.descriptor,
            from: Offset(UInt64(from)),
            end: Offset(UInt64(end)),
            frame: ByteBuffer(bytes: RelayFrame.entries(log.range(from, end)).bytes)
        )
    }

    private func texts(_ steps: [Subscription.Step]) -> [String] {
        steps.map { RelayConnection.Action($0).text }
    }

    @Test func `nothing is sent before the device subscribes`() {
        var log = TestLog(founder, space)
        _ = log.add(count: 1)
        var subscription = Subscription(logs: [], in: space)
        #expect(texts(subscription.grow(tail(log, 0, 1), isWritable: true)) == [])
        let steps = subscription.subscribe([], isWritable: true)
        #expect(texts(steps) == ["read \(log.id.short) 0"])
    }

    @Test func `the backlog is read in turns, then comes caughtUp once`() {
        var one = TestLog(founder, space)
        var two = TestLog(founder, space, incarnation: 1)
        _ = one.add(count: 4)
        _ = two.add(count: 4)
        let logs = [one, two].sorted { $0.id < $1.id }
        var subscription = Subscription(logs: logs.map(\.state), in: space)
        var steps = subscription.subscribe(
            [Position(log: logs[1].id, offset: Offset(2))],
            isWritable: true
        )
        #expect(texts(steps) == ["read \(logs[0].id.short) 0"])
        steps = subscription.receive(
            logs[0].read(0, 3),
            of: logs[0].id,
            from: .zero,
            isWritable: true
        )
        #expect(texts(steps) == ["shared entries 0..<3", "read \(logs[1].id.short) 2"])
        steps = subscription.receive(
            logs[1].read(2, 4),
            of: logs[1].id,
            from: Offset(2),
            isWritable: true
        )
        #expect(texts(steps) == ["shared entries 2..<4", "read \(logs[0].id.short) 3"])
        steps = subscription.receive(
            logs[0].read(3, 4),
            of: logs[0].id,
            from: Offset(3),
            isWritable: true
        )
        #expect(texts(steps) == ["shared entries 3..<4", "caughtUp"])
        #expect(texts(subscription.resume()) == [])
    }

    @Test func `caughtUp doesn't wait for what came after subscribing`() {
        var log = TestLog(founder, space)
        _ = log.add(count: 2)
        let old = log.state
        _ = log.add(count: 3)
        var subscription = Subscription(logs: [old], in: space)
        _ = subscription.subscribe([], isWritable: true)
        #expect(texts(subscription.grow(tail(log, 2, 5), isWritable: true)) == [])
        let steps = subscription.receive(
            log.read(0, 2),
            of: log.id,
            from: .zero,
            isWritable: true
        )
        #expect(texts(steps) == ["shared entries 0..<2", "caughtUp", "read \(log.id.short) 2"])
        let last = subscription.receive(
            log.read(2, 5),
            of: log.id,
            from: Offset(2),
            isWritable: true
        )
        #expect(texts(last) == ["shared entries 2..<5"])
    }

    @Test func `a device that keeps up is sent the shared frame`() {
        var log = TestLog(founder, space)
        _ = log.add(count: 3)
        var subscription = Subscription(logs: [], in: space)
        #expect(texts(subscription.subscribe([], isWritable: true)) == ["caughtUp"])
        #expect(
            texts(subscription.grow(tail(log, 0, 2), isWritable: true)) == ["shared entries 0..<2"]
        )
        #expect(
            texts(subscription.grow(tail(log, 2, 3), isWritable: true)) == ["shared entries 2..<3"]
        )
    }

    @Test func `a full socket costs a number and is served from storage later`() {
        var log = TestLog(founder, space)
        _ = log.add(count: 9)
        var subscription = Subscription(logs: [], in: space)
        _ = subscription.subscribe([], isWritable: true)
        for end in 1...9 {
            #expect(texts(subscription.grow(tail(log, end - 1, end), isWritable: false)) == [])
        }
        #expect(texts(subscription.resume()) == ["read \(log.id.short) 0"])
    }

    @Test func `what the device appended itself isn't sent back`() {
        var log = TestLog(founder, space)
        _ = log.add(count: 4)
        var subscription = Subscription(logs: [], in: space)
        _ = subscription.subscribe([], isWritable: true)
        subscription.skip(log.id, log.descriptor, from: .zero, to: Offset(2))
        #expect(texts(subscription.grow(tail(log, 0, 2), isWritable: true)) == [])
        subscription.skip(log.id, log.descriptor, from: Offset(3), to: Offset(4))
        #expect(
            texts(subscription.grow(tail(log, 2, 4), isWritable: true)) == ["shared entries 2..<4"]
        )
    }

    @Test func `a range read for an older cursor is not sent`() {
        var log = TestLog(founder, space)
        _ = log.add(count: 4)
        var subscription = Subscription(logs: [log.state], in: space)
        _ = subscription.subscribe([], isWritable: true)
        _ = subscription.subscribe([Position(log: log.id, offset: Offset(3))], isWritable: true)
        let steps = subscription.receive(
            log.read(0, 4),
            of: log.id,
            from: .zero,
            isWritable: true
        )
        #expect(texts(steps) == ["read \(log.id.short) 3"])
    }

    @Test func `a device ahead of the relay waits for the log to pass it`() {
        var log = TestLog(founder, space)
        _ = log.add(count: 2)
        let old = log.state
        _ = log.add(count: 4)
        var subscription = Subscription(logs: [old], in: space)
        let positions = [Position(log: log.id, offset: Offset(4))]
        #expect(texts(subscription.subscribe(positions, isWritable: true)) == ["caughtUp"])
        #expect(texts(subscription.grow(tail(log, 2, 4), isWritable: true)) == [])
        #expect(
            texts(subscription.grow(tail(log, 4, 6), isWritable: true)) == ["shared entries 4..<6"]
        )
    }

    /// A device, a relay's storage and a socket that fills and drains at random.
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `whatever the order, each log arrives whole and once`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var logs = (0..<3).map { TestLog(founder, space, incarnation: UInt8($0)) }
        for index in logs.indices { _ = logs[index].add(count: 40) }
        var ends = [Int](repeating: 0, count: logs.count)
        var received: [LogID: Offset] = [:]
        var reading: (log: Int, from: Offset)?
        var isWritable = true
        var caughtUpCount = 0
        var subscription = Subscription(logs: [], in: space)

        func perform(_ steps: [Subscription.Step]) {
            for step in steps {
                var range: EntryRange?
                switch step {
                case .sendShared(let buffer):
                    let bytes = Array(buffer.readableBytesView)
                    if case .entries(let sent) = try? RelayFrame(decoding: bytes) { range = sent }
                case .read(let log, _, let from):
                    #expect(isWritable && reading == nil, "seed \(seed)")
                    reading = logs.firstIndex { $0.id == log }.map { (log: $0, from: from) }
                case .caughtUp: caughtUpCount += 1
                }
                guard let range else { continue }
                let log = range.descriptor.logID(in: space)
                #expect(range.from == received[log, default: .zero], "seed \(seed)")
                received[log] = range.head.end
            }
        }
        perform(subscription.subscribe([], isWritable: true))
        for _ in 0..<400 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                isWritable.toggle()
                if isWritable { perform(subscription.resume()) }
            case 1:
                guard let (index, from) = reading else { continue }
                reading = nil
                let first = Int(from.value)
                let end = min(ends[index], first + Int.random(in: 1...3, using: &random))
                perform(
                    subscription.receive(
                        first < end ? logs[index].read(first, end) : nil,
                        of: logs[index].id,
                        from: from,
                        isWritable: isWritable
                    )
                )
            default:
                let index = Int.random(in: 0..<3, using: &random)
                let end = min(40, ends[index] + Int.random(in: 1...3, using: &random))
                guard ends[index] < end else { continue }
                let grown = tail(logs[index], ends[index], end)
                ends[index] = end
                perform(subscription.grow(grown, isWritable: isWritable))
            }
        }
        isWritable = true
        perform(subscription.resume())
        while let (index, from) = reading {
            reading = nil
            let range = logs[index].read(Int(from.value), ends[index])
            let log = logs[index].id
            perform(subscription.receive(range, of: log, from: from, isWritable: true))
        }
        for (log, end) in zip(logs, ends) {
            #expect(received[log.id, default: .zero] == Offset(UInt64(end)), "seed \(seed)")
        }
        #expect(caughtUpCount == 1, "seed \(seed)")
    }
}
