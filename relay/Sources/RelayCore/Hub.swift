import NIOCore
import SennitWire
import Synchronization

/// Where a connection receives what isn't from its device.
struct Outlet: Sendable {
    /// Tells connections of one process apart.
    let id: UInt64
    /// Where the two functions are called.
    let loop: any EventLoop
    /// Hands something over.
    let deliver: @Sendable (Delivery) -> Void
    /// Sends what was written since.
    let flush: @Sendable () -> Void
}

/// The connections of one event loop that are in one space.
struct Audience: Sendable {
    let loop: any EventLoop
    let outlets: [Outlet]
}

/// Deliveries of one round, so that each event loop is woken once and each socket written once.
struct Outbox {
    private enum Item {
        case one(Outlet, Delivery)
        // The list is the hub's own, so what a thousand subscribers are sent is one item.
        case many([Outlet], Delivery)
    }

    // As many as there are event loops, at most.
    private var mail: [(loop: any EventLoop, items: [Item])] = []

    mutating func add(_ delivery: Delivery, for outlet: Outlet) {
        mail[index(of: outlet.loop)].items.append(.one(outlet, delivery))
    }

    mutating func add(_ delivery: Delivery, for audience: Audience) {
        mail[index(of: audience.loop)].items.append(.many(audience.outlets, delivery))
    }

    private mutating func index(of loop: any EventLoop) -> Int {
        if let index = mail.firstIndex(where: { $0.loop === loop }) { return index }
        mail.append((loop, []))
        return mail.count - 1
    }

    /// Hands everything over, in the order in which it was added; at once on this event loop.
    consuming func send() {
        for (loop, items) in mail {
            if loop.inEventLoop {
                Outbox.hand(items)
            } else {
                loop.execute { Outbox.hand(items) }
            }
        }
    }

    private static func hand(_ items: [Item]) {
        for item in items {
            switch item {
            case .one(let outlet, let delivery): outlet.deliver(delivery)
            case .many(let outlets, let delivery):
                for outlet in outlets { outlet.deliver(delivery) }
            }
        }
        for item in items {
            switch item {
            case .one(let outlet, _): outlet.flush()
            case .many(let outlets, _): for outlet in outlets { outlet.flush() }
            }
        }
    }
}

/// Who is connected, and to which space. Shared by all event loops and the storage thread.
final class Hub: Sendable {
    private struct State {
        var connectionCount = 0
        var nextID: UInt64 = 0
        var outlets: [UInt64: Outlet] = [:]
        var visits: [UInt64: Visit] = [:]
        var spaces: [SpaceID: Members] = [:]
    }

    /// Since when a connection is there, and from where.
    struct Visit: Sendable {
        let began: ContinuousClock.Instant
        /// As the limits count it; `nil` where nothing is counted.
        let address: PeerAddress?
    }

    private struct Members {
        var outlets: [UInt64: Outlet] = [:]
        /// The same by event loop, worked out when it is asked for and nobody came or went since.
        var audiences: [Audience]?

        func isAlone(_ id: UInt64) -> Bool { outlets.count == 1 && outlets[id] != nil }
    }

    private let state = Mutex(State())

    /// Connections that are open, before and after their upgrade to WebSocket.
    var connectionCount: Int { state.withLock { $0.connectionCount } }

    /// Counts a connection in.
    func accept() { state.withLock { $0.connectionCount += 1 } }

    /// Counts a connection out.
    func release() { state.withLock { $0.connectionCount -= 1 } }

    /// An id for a new outlet.
    func makeID() -> UInt64 {
        state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
    }

    /// From now on, `outlet` hears what concerns all.
    func add(_ outlet: Outlet, from address: PeerAddress? = nil) {
        state.withLock { state in
            state.outlets[outlet.id] = outlet
            state.visits[outlet.id] = Visit(began: .now, address: address)
        }
    }

    /// From now on, `outlet` hears what happens in `space`, unless it is gone already.
    func join(_ space: SpaceID, _ outlet: Outlet) {
        state.withLock { state in
            guard state.outlets[outlet.id] != nil else { return }
            state.spaces[space, default: Members()].outlets[outlet.id] = outlet
            state.spaces[space]?.audiences = nil
        }
    }

    /// The connection is gone.
    func remove(_ id: UInt64, from space: SpaceID?) {
        state.withLock { state in
            state.outlets[id] = nil
            state.visits[id] = nil
            guard let space else { return }
            state.spaces[space]?.outlets[id] = nil
            state.spaces[space]?.audiences = nil
            if state.spaces[space]?.outlets.isEmpty == true { state.spaces[space] = nil }
        }
    }

    /// The spaces that somebody is in.
    var spaces: [SpaceID] { state.withLock { Array($0.spaces.keys) } }

    /// Whether somebody is in `space`.
    func isInside(_ space: SpaceID) -> Bool { state.withLock { $0.spaces[space] != nil } }

    /// How many connections there are in each space that has any.
    func presence() -> [SpaceID: Int] {
        state.withLock { $0.spaces.mapValues(\.outlets.count) }
    }

    /// Everybody who is in `space`.
    func members(of space: SpaceID) -> [Outlet] {
        state.withLock { $0.spaces[space].map { Array($0.outlets.values) } ?? [] }
    }

    /// Everybody who is in `space`, by event loop.
    func audiences(of space: SpaceID) -> [Audience] {
        state.withLock { state in
            guard let members = state.spaces[space] else { return [] }
            if let known = members.audiences { return known }
            let loops = Dictionary(grouping: members.outlets.values) { ObjectIdentifier($0.loop) }
            let audiences = loops.values.compactMap { outlets in
                outlets.first.map { Audience(loop: $0.loop, outlets: outlets) }
            }
            state.spaces[space]?.audiences = audiences
            return audiences
        }
    }

    /// Whether nobody but `id` is in `space`.
    func isAlone(_ id: UInt64, in space: SpaceID) -> Bool {
        state.withLock { state in
            guard let index = state.spaces.index(forKey: space) else { return true }
            return state.spaces[index].value.isAlone(id)
        }
    }

    /// One connection.
    func outlet(_ id: UInt64) -> Outlet? { state.withLock { $0.outlets[id] } }

    /// Who is in `space`, longest first.
    func visits(in space: SpaceID) -> [(id: UInt64, visit: Visit)] {
        state.withLock { state in
            let ids = state.spaces[space]?.outlets.keys.sorted() ?? []
            return ids.compactMap { id in state.visits[id].map { (id, $0) } }
        }
    }

    /// Everybody.
    func all() -> [Outlet] { state.withLock { Array($0.outlets.values) } }
}
