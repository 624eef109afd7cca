import NIOCore
import Synchronization

/// Lets connections in, and puts strangers out to make room. Shared by all event loops.
final class Doorman: Sendable {
    private struct State {
        var door: Door
        var nextID: UInt64 = 0
        var channels: [UInt64: any Channel] = [:]
        var figures = Figures()
        var courtesies: TokenBucket?
        var courtesyCount = 0
    }

    /// Who wasn't let in, or had to go.
    struct Figures: Hashable, Sendable {
        /// Of an address with too many connections, or too fast.
        var addressCount: UInt64 = 0
        /// The relay was full of members.
        var fullCount: UInt64 = 0
        /// Strangers that made room.
        var evictedCount: UInt64 = 0
    }

    enum Entrance {
        case admitted(UInt64)
        case tooMany(retryAfter: Duration)
        case full
    }

    /// Handshakes of TLS made a second, and at once, only to say that there is no room.
    private static let courtesiesPerSecond: Double = 20
    private static let maximumCourtesyCount = 16

    let policy: AddressPolicy
    private let state: Mutex<State>

    init(_ policy: AddressPolicy, maximumCount: Int) {
        self.policy = policy
        state = Mutex(State(door: Door(policy, maximumCount: maximumCount)))
    }

    /// Connections that nobody knows yet.
    var strangerCount: Int { state.withLock { $0.door.strangers } }

    /// Addresses that are remembered.
    var addressCount: Int { state.withLock { $0.door.addressCount } }

    /// Who wasn't let in so far.
    var figures: Figures { state.withLock { $0.figures } }

    /// Whether a connection that isn't let in is told so where that takes a handshake of TLS,
    /// which costs more than all else about it.
    func beginCourtesy(now: Duration) -> Bool {
        state.withLock { state in
            guard state.courtesyCount < Doorman.maximumCourtesyCount else { return false }
            var bucket =
                state.courtesies
                ?? TokenBucket(
                    perSecond: Doorman.courtesiesPerSecond,
                    burst: Doorman.courtesiesPerSecond,
                    now: now
                )
            let isAffordable = bucket.take(now: now)
            state.courtesies = bucket
            if isAffordable { state.courtesyCount += 1 }
            return isAffordable
        }
    }

    /// It was told, or is gone.
    func endCourtesy() { state.withLock { $0.courtesyCount -= 1 } }

    /// A connection comes, from a proxy that is trusted or from the device itself.
    func enter(_ channel: any Channel, now: Duration) -> Entrance {
        let peer = channel.remoteAddress?.ipAddress.flatMap { PeerAddress($0) }
        let address = peer.flatMap {
            policy.isTrusted($0) ? nil : policy.counted($0, forwarded: [])
        }
        let (entrance, evicted) = state.withLock { state in
            state.nextID += 1
            let id = state.nextID
            switch state.door.enter(id, for: address, now: now) {
            case .admitted(let evicted):
                state.channels[id] = channel
                if evicted != nil { state.figures.evictedCount += 1 }
                let channel = evicted.flatMap { state.channels.removeValue(forKey: $0) }
                return (Entrance.admitted(id), channel)
            case .tooMany(let pause):
                state.figures.addressCount += 1
                return (.tooMany(retryAfter: pause), nil)
            case .full:
                state.figures.fullCount += 1
                return (.full, nil)
            }
        }
        evicted?.close(promise: nil)
        return entrance
    }

    /// The upgrade says, if its sender is a trusted proxy, for whom it is.
    /// - Returns: how long that address has to wait, if it may not come in.
    func identify(
        _ id: UInt64,
        _ channel: any Channel,
        forwarded: [String],
        now: Duration
    ) -> Duration? {
        guard let peer = channel.remoteAddress?.ipAddress.flatMap({ PeerAddress($0) }),
            policy.isTrusted(peer), let address = policy.counted(peer, forwarded: forwarded)
        else { return nil }
        return state.withLock { state in
            let pause = state.door.identify(id, as: address, now: now)
            if pause != nil { state.figures.addressCount += 1 }
            return pause
        }
    }

    /// Whom a connection counts for.
    func address(of id: UInt64) -> PeerAddress? { state.withLock { $0.door.address(of: id) } }

    /// A connection was welcomed to a space.
    func welcome(_ id: UInt64) { state.withLock { $0.door.welcome(id) } }

    /// A connection is over.
    func leave(_ id: UInt64) {
        state.withLock { state in
            state.door.leave(id)
            state.channels[id] = nil
        }
    }
}

/// Counts what a stranger sends, below TLS and before HTTP and WebSocket gather any of it.
final class StrangerGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var remainingByteCount: Int

    init(byteCount: Int) { remainingByteCount = byteCount }

    /// The stranger has proven a key: it may bring a space, which takes an access list.
    func allow(byteCount: Int) { remainingByteCount = max(remainingByteCount, byteCount) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        remainingByteCount -= unwrapInboundIn(data).readableBytes
        guard remainingByteCount >= 0 else {
            context.close(promise: nil)
            return
        }
        context.fireChannelRead(data)
    }
}
