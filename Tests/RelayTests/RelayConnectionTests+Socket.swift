import NIOCore
import SennitWire
import Testing

@testable import RelayCore

// Presence, time and the socket.

extension RelayConnectionTests {
    @Test mutating func `presence passes at its rate and is dropped beyond`() {
        enter(founder)
        #expect(receive(.presence([1])) == ["fanOut"])
        #expect(receive(.presence([1])) == ["fanOut"])
        #expect(receive(.presence([1])) == [])
        #expect(receive(.presence([1]), at: .milliseconds(900)) == [])
        #expect(receive(.presence([1]), at: .milliseconds(1000)) == ["fanOut"])
    }

    @Test mutating func `presence isn't written to a socket that is full`() {
        enter(founder)
        let frame = ByteBuffer(bytes: RelayFrame.presence([1]).bytes)
        #expect(receive(.presence(frame)) == ["shared presence"])
        _ = connection.setWritable(false, now: .zero)
        #expect(receive(.presence(frame)) == [])
    }

    @Test mutating func `pings are answered in every state`() {
        #expect(receive(.ping(7)) == ["pong"])
        enter(founder)
        #expect(connection.receive(RelayFrame.ping(8).bytes, now: .zero).frames == [.pong(8)])
        #expect(receive(.pong(1)) == [])
    }

    @Test mutating func `the time for the handshake ends`() {
        #expect(texts(connection.tick(now: .seconds(9.9))) == [])
        let ended = connection.tick(now: .seconds(10))
        #expect(texts(ended) == ["refused 4", "close refused"])
    }

    @Test mutating func `a silent member is cut and one that is heard isn't`() {
        enter(founder)
        #expect(texts(connection.tick(now: .seconds(59))) == [])
        connection.hear(now: .seconds(59))
        #expect(texts(connection.tick(now: .seconds(118))) == [])
        #expect(texts(connection.tick(now: .seconds(119))) == ["cut"])
        #expect(connection.isClosed)
    }

    @Test mutating func `a member that doesn't read is cut`() {
        enter(founder)
        _ = connection.setWritable(false, now: .seconds(1))
        _ = connection.setWritable(false, now: .seconds(20))
        connection.hear(now: .seconds(30))
        #expect(texts(connection.tick(now: .seconds(30))) == [])
        #expect(texts(connection.tick(now: .seconds(31))) == ["cut"])
    }

    @Test mutating func `a member is told that the relay stops`() {
        enter(founder)
        #expect(receive(.shutDown) == ["refused 11", "close goingAway"])
        #expect(receive(.shutDown) == [])
    }

    @Test mutating func `a log that can't be read doesn't hold up the others`() {
        var one = TestLog(founder, space)
        var two = TestLog(founder, space, incarnation: 1)
        _ = one.add(count: 1)
        _ = two.add(count: 1)
        let logs = [one, two].sorted { $0.id < $1.id }
        enter(founder, logs: logs.map(\.state))
        #expect(receive(.subscribe([])) == ["read \(logs[0].id.short) 0"])
        #expect(
            receive(.unreadable(log: logs[0].id, .storageFull))
                == ["refused 10", "read \(logs[1].id.short) 0"]
        )
        let range = logs[1].read(0, 1)
        #expect(
            receive(.read(log: logs[1].id, from: .zero, range))
                == ["shared entries 0..<1", "caughtUp"]
        )
    }
}
