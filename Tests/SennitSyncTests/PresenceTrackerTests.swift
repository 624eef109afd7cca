import SennitSeal
import SennitSync
import SennitWire
import Testing

@Suite struct PresenceTrackerTests {
    private let space: TestSpace

    init() throws { space = try TestSpace.joined() }

    private func tracker(_ byte: UInt8) throws -> PresenceTracker {
        PresenceTracker(session: try #require(PresenceSession([UInt8](repeating: byte, count: 16))))
    }

    private func sent(_ message: [UInt8]?) throws -> [UInt8] { try #require(message) }

    @Test func `two devices come to see each other`() throws {
        var ada = try tracker(1)
        var bob = try tracker(2)
        let place = PresenceMessage.Place(
            document: TestSpace.document,
            cursor: 3,
            anchor: 3,
            frontier: []
        )
        let first = try sent(
            ada.message(at: place, name: "Ada", in: space.ada, random: bytes32(1).value)
        )
        #expect(bob.receive(first, in: space.bob, now: .zero) == .answer)
        #expect(bob.peers.isEmpty, "nobody is shown who may be a replay")
        let answer = try sent(
            bob.message(at: nil, name: "Bob", in: space.bob, random: bytes32(2).value)
        )
        #expect(ada.receive(answer, in: space.ada, now: .zero) == .answer)
        #expect(ada.peers.map(\.name) == ["Bob"])
        let second = try sent(
            ada.message(at: place, name: "Ada", in: space.ada, random: bytes32(3).value)
        )
        #expect(bob.receive(second, in: space.bob, now: .zero) == .changed)
        #expect(bob.peers.first?.place == place)
    }

    @Test func `an old message brings nobody back`() throws {
        var ada = try tracker(1)
        var bob = try tracker(2)
        let old = try sent(
            ada.message(at: nil, name: "Ada", in: space.ada, random: bytes32(1).value)
        )
        _ = bob.receive(old, in: space.bob, now: .zero)
        let answer = try sent(
            bob.message(at: nil, name: "Bob", in: space.bob, random: bytes32(2).value)
        )
        _ = ada.receive(answer, in: space.ada, now: .zero)
        let proven = try sent(
            ada.message(at: nil, name: "Ada", in: space.ada, random: bytes32(3).value)
        )
        #expect(bob.receive(proven, in: space.bob, now: .zero) == .changed)
        #expect(bob.receive(old, in: space.bob, now: .zero) == .nothing, "the counter rises")
        // A new connection of Bob's: the relay plays back all it ever saw.
        var later = try tracker(3)
        for message in [old, proven] { _ = later.receive(message, in: space.bob, now: .zero) }
        #expect(later.peers.isEmpty)
    }

    @Test func `a message that was touched is dropped without a trace`() throws {
        var ada = try tracker(1)
        let message = try sent(
            ada.message(at: nil, name: "Ada", in: space.ada, random: bytes32(1).value)
        )
        for index in message.indices {
            var bob = try tracker(2)
            var damaged = message
            damaged[index] ^= 4
            #expect(bob.receive(damaged, in: space.bob, now: .zero) == .nothing)
        }
    }

    @Test func `who isn't heard is shown no more`() throws {
        var ada = try tracker(1)
        var bob = try tracker(2)
        let hello = try sent(
            bob.message(at: nil, name: "Bob", in: space.bob, random: bytes32(1).value)
        )
        _ = ada.receive(hello, in: space.ada, now: .zero)
        let early = ada.expire(now: .seconds(1))
        #expect(!early)
        let late = ada.expire(now: SyncLimits.presenceLifetime + .seconds(1))
        #expect(late)
        #expect(ada.peers.isEmpty)
    }
}
