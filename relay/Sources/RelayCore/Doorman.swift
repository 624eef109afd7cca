import NIOCore
import Synchronization

/// Lets connections in, and puts strangers out to make room. Shared by all event loops.
final class Doorman: Sendable {
    private struct State {
        var door: Door
        var nextID: UInt64 = 0
        var channels: [UInt64: any Channel] = [:]
    }

    enum Entrance {
        case admitted(UInt64)
        case tooMany(retryAfter: Duration)
        case full
    }

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
                let channel = evicted.flatMap { state.channels.removeValue(forKey: $0) }
                return (Entrance.admitted(id), channel)
            case .tooMany(let pause): return (.tooMany(retryAfter: pause), nil)
            case .full: return (.full, nil)
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
        return state.withLock { $0.door.identify(id, as: address, now: now) }
    }

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
