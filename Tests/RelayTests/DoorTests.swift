import Testing

@testable import RelayCore

struct DoorTests {
    private func address(_ number: Int) throws -> PeerAddress {
        try #require(PeerAddress("192.0.\(number / 256).\(number % 256)"))
    }

    private func policy(
        connections: Int = 1000,
        perSecond: Double = 1000,
        burst: Double = 1000
    ) -> AddressPolicy {
        var policy = AddressPolicy()
        policy.maximumConnectionCount = connections
        policy.handshakesPerSecond = perSecond
        policy.handshakeBurst = burst
        return policy
    }

    @Test func `a full relay puts out the stranger that waited longest, and no member`() {
        var door = Door(policy(), maximumCount: 3)
        for id in 1...3 as ClosedRange<UInt64> {
            #expect(door.enter(id, for: nil, now: .zero) == .admitted(evicted: nil))
        }
        door.welcome(1)
        #expect(door.enter(4, for: nil, now: .zero) == .admitted(evicted: 2))
        door.welcome(4)
        #expect(door.enter(5, for: nil, now: .zero) == .admitted(evicted: 3))
        door.welcome(5)
        #expect(door.enter(6, for: nil, now: .zero) == .full)
        door.leave(4)
        #expect(door.enter(7, for: nil, now: .zero) == .admitted(evicted: nil))
        #expect(door.count == 3)
        #expect(door.strangers == 1)
    }

    @Test func `one address has so many connections and no more`() throws {
        var door = Door(policy(connections: 2), maximumCount: 100)
        let (one, other) = (try address(1), try address(2))
        #expect(door.enter(1, for: one, now: .zero) == .admitted(evicted: nil))
        #expect(door.enter(2, for: one, now: .zero) == .admitted(evicted: nil))
        #expect(door.enter(3, for: one, now: .zero) == .tooMany(retryAfter: .seconds(60)))
        #expect(door.enter(4, for: other, now: .zero) == .admitted(evicted: nil))
        door.leave(1)
        #expect(door.enter(5, for: one, now: .zero) == .admitted(evicted: nil))
    }

    @Test func `an address that comes too fast waits as long as it is told`() throws {
        var door = Door(policy(perSecond: 2, burst: 3), maximumCount: 100)
        let one = try address(1)
        for id in 1...3 as ClosedRange<UInt64> {
            #expect(door.enter(id, for: one, now: .zero) == .admitted(evicted: nil))
            door.leave(id)
        }
        guard case .tooMany(let pause) = door.enter(4, for: one, now: .zero) else {
            Issue.record("the fourth came in")
            return
        }
        #expect(pause == .milliseconds(500))
        #expect(door.enter(5, for: one, now: pause) == .admitted(evicted: nil))
    }

    @Test func `behind a proxy the address counts from when it is told`() throws {
        var door = Door(policy(connections: 1), maximumCount: 100)
        let one = try address(1)
        _ = door.enter(1, for: nil, now: .zero)
        _ = door.enter(2, for: nil, now: .zero)
        #expect(door.identify(1, as: one, now: .zero) == nil)
        #expect(door.identify(2, as: one, now: .zero) == .seconds(60))
        // Said twice, it counts once.
        #expect(door.identify(1, as: one, now: .zero) == nil)
        door.leave(1)
        #expect(door.identify(2, as: one, now: .zero) == nil)
    }

    @Test func `what is remembered of addresses and of who left is bounded`() throws {
        var door = Door(policy(), maximumCount: 10)
        for number in 0..<70_000 {
            let (high, low) = (number >> 8, String(number & 255, radix: 16))
            let address = try #require(
                PeerAddress("2001:db8:\(String(high, radix: 16)):\(low)::")
            )
            let id = UInt64(number) + 1
            _ = door.enter(id, for: address.counted, now: .zero)
            if number % 2 == 0 { door.leave(id) }
        }
        #expect(door.addressCount <= 1 << 16)
        #expect(door.count <= 10)
        #expect(door.queueCount <= 10_000)
    }
}
