import NIOCore
import NIOEmbedded
import SennitWire
import Testing

@testable import RelayCore

struct AnnouncementsTests {
    /// What one outlet was handed.
    private final class Inbox {
        var tails: [CommittedTail] = []
        var flushCount = 0
    }

    let founder = TestDevice(1)
    private let loop = EmbeddedEventLoop()
    private let hub = Hub()

    private var space: SpaceID { founder.genesis().spaceID }

    private func join(_ space: SpaceID) -> (id: UInt64, inbox: Inbox) {
        let inbox = Inbox()
        let box = NIOLoopBound(inbox, eventLoop: loop)
        let outlet = Outlet(
            id: hub.makeID(),
            loop: loop,
            deliver: { if case .committed(let tail) = $0 { box.value.tails.append(tail) } },
            flush: { box.value.flushCount += 1 }
        )
        hub.add(outlet)
        hub.join(space, outlet)
        return (outlet.id, inbox)
    }

    private func send(_ announcements: Announcements) {
        var outbox = Outbox()
        announcements.send(to: hub, &outbox)
        outbox.send()
        loop.run()
    }

    private func range(_ tail: CommittedTail?) throws -> EntryRange? {
        guard let frame = tail?.frame else { return nil }
        let decoded = try RelayFrame(decoding: Array(frame.readableBytesView))
        guard case .entries(let range) = decoded else { return nil }
        return range
    }

    @Test func `batches of one log go out as one frame that ends on the last head`() throws {
        let reader = join(space)
        var log = TestLog(founder, space)
        var announcements = Announcements()
        for count in [1, 2, 3] {
            let from = log.entries.count
            _ = log.add(count: count)
            let batch = log.batch(from, from + count)
            announcements.add(batch, of: log.id, log.descriptor, in: space, author: 99)
        }
        send(announcements)
        #expect(reader.inbox.tails.count == 1)
        #expect(try range(reader.inbox.tails.first) == log.range(0, 6))
        #expect(reader.inbox.tails.first?.from == .zero)
        #expect(reader.inbox.tails.first?.end == Offset(6))
    }

    @Test func `a frame never carries more than a range may`() throws {
        let reader = join(space)
        var log = TestLog(founder, space)
        var announcements = Announcements()
        for index in 0..<300 {
            _ = log.add(count: 1)
            let batch = log.batch(index, index + 1)
            announcements.add(batch, of: log.id, log.descriptor, in: space, author: 99)
        }
        for size in [200 << 10, 200 << 10] {
            let from = log.entries.count
            _ = log.add(count: 1, byteCount: size)
            let batch = log.batch(from, from + 1)
            announcements.add(batch, of: log.id, log.descriptor, in: space, author: 99)
        }
        send(announcements)
        let ranges = try reader.inbox.tails.compactMap { try range($0) }
        #expect(ranges.map(\.entries.count) == [256, 45, 1])
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.head.end == $1.from })
    }

    @Test func `logs and spaces are kept apart and everybody shares the bytes`() throws {
        let elsewhere = founder.genesis(1).spaceID
        let readers = [join(space), join(space)]
        let stranger = join(elsewhere)
        var one = TestLog(founder, space)
        var two = TestLog(founder, space, incarnation: 1)
        var far = TestLog(founder, elsewhere)
        var announcements = Announcements()
        for index in 0..<2 {
            _ = one.add(count: 1)
            _ = two.add(count: 1)
            _ = far.add(count: 1)
            for log in [one, two, far] {
                let batch = log.batch(index, index + 1)
                announcements.add(batch, of: log.id, log.descriptor, in: log.space, author: 99)
            }
        }
        send(announcements)
        for reader in readers {
            #expect(
                try reader.inbox.tails.map { try range($0) } == [one.range(0, 2), two.range(0, 2)]
            )
        }
        #expect(try stranger.inbox.tails.map { try range($0) } == [far.range(0, 2)])
        let addresses = readers.compactMap { $0.inbox.tails.first?.frame?.storageAddress }
        #expect(addresses.count == 2 && Set(addresses).count == 1)
    }

    @Test func `nothing is encoded for an author who is alone`() {
        let author = join(space)
        var log = TestLog(founder, space)
        _ = log.add(count: 1)
        var announcements = Announcements()
        announcements.add(
            log.batch(0, 1),
            of: log.id,
            log.descriptor,
            in: space,
            author: author.id
        )
        send(announcements)
        #expect(author.inbox.tails.count == 1)
        #expect(author.inbox.tails.first?.frame == nil)
        #expect(author.inbox.flushCount == 1)
        let other = join(space)
        send(announcements)
        #expect(other.inbox.tails.first?.frame != nil)
    }

    @Test func `whoever left is told nothing`() {
        let reader = join(space)
        let other = join(space)
        var log = TestLog(founder, space)
        _ = log.add(count: 1)
        var announcements = Announcements()
        announcements.add(log.batch(0, 1), of: log.id, log.descriptor, in: space, author: 99)
        send(announcements)
        hub.remove(reader.id, from: space)
        send(announcements)
        #expect(reader.inbox.tails.count == 1)
        #expect(other.inbox.tails.count == 2)
    }

    @Test(arguments: [1, 125, 126, 4000, 65_535, 65_536, 200_000])
    func `a shared frame has its message's header before it`(byteCount: Int) throws {
        var log = TestLog(founder, space)
        let range = log.add([[UInt8](repeating: 7, count: byteCount)])
        // A frame of presence is one byte longer than its message: 125, 126 and 127 bytes.
        let small = (124...126).map { RelayFrame.presence([UInt8](repeating: 1, count: $0)) }
        let frames: [RelayFrame] = [.entries(range)] + small
        for frame in frames {
            let shared = ByteBuffer(sharedFrame: frame)
            #expect(Array(shared.readableBytesView) == frame.bytes)
            var message = try #require(shared.sharedMessage)
            #expect(message.readInteger(as: UInt8.self) == 0x82)
            var length = try #require(message.readInteger(as: UInt8.self).map { Int($0) })
            if length == 126 {
                length = try #require(message.readInteger(as: UInt16.self).map { Int($0) })
                #expect(length > 125)
            } else if length == 127 {
                length = try #require(message.readInteger(as: UInt64.self).map { Int($0) })
                #expect(length > 65_535)
            }
            #expect(length == message.readableBytes)
            #expect(Array(message.readableBytesView) == frame.bytes)
        }
        #expect(ByteBuffer(bytes: [1]).sharedMessage == nil)
    }
}

extension ByteBuffer {
    /// Where the bytes lie, to see whether two buffers share them.
    var storageAddress: UInt {
        unsafe withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    }
}
