import Dispatch
import Synchronization

/// Wakes a client: several rings before it looks are one.
final class Bell: Sendable {
    // A class: it is shared by those who ring and the one who listens.

    /// Once for each time it rang, if the last one was taken.
    let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    private struct State {
        var order: StageOrder?
        var isConducted = true
        /// When the next delayed ring is; there is never more than one.
        var alarm: UInt64?
    }

    init() {
        (rings, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func ring() { continuation.yield() }

    /// Rings after a while, unless it is to ring sooner anyhow.
    func ring(after pause: Duration) {
        let nanoseconds = UInt64(max(pause / .nanoseconds(1), 0))
        let time = DispatchTime.now().uptimeNanoseconds + nanoseconds
        let isSooner = state.withLock { state in
            if let alarm = state.alarm, alarm <= time { return false }
            state.alarm = time
            return true
        }
        guard isSooner else { return }
        DispatchQueue.global().asyncAfter(deadline: DispatchTime(uptimeNanoseconds: time)) {
            self.state.withLock { if $0.alarm == time { $0.alarm = nil } }
            self.ring()
        }
    }

    /// Hands over an order and rings. A newer one replaces an older one.
    func ring(with order: StageOrder) {
        state.withLock { $0.order = order }
        ring()
    }

    /// The conductor has hung up.
    func hangUp() {
        state.withLock { $0.isConducted = false }
        ring()
    }

    /// Whether the conductor is there.
    var isConducted: Bool { state.withLock(\.isConducted) }

    /// The order that came last, once.
    func takeOrder() -> StageOrder? {
        state.withLock { state in
            defer { state.order = nil }
            return state.order
        }
    }
}
