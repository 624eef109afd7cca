import NIOCore
import Synchronization

/// The counters of all event loops of a relay.
final class RelayMetrics: Sendable {
    private let loops = Mutex<[ObjectIdentifier: LoopCounters]>([:])

    /// The counters that `loop` writes.
    func counters(of loop: any EventLoop) -> LoopCounters {
        loops.withLock { loops in
            if let known = loops[ObjectIdentifier(loop)] { return known }
            let new = LoopCounters()
            loops[ObjectIdentifier(loop)] = new
            return new
        }
    }

    /// What all loops counted.
    func totals() -> Totals {
        var totals = Totals()
        for counters in loops.withLock({ Array($0.values) }) { totals.add(counters) }
        return totals
    }

    /// The sums of all loops' counters.
    struct Totals {
        var frames: UInt64 = 0
        var receivedBytes: UInt64 = 0
        var sentBytes: UInt64 = 0
        var appends: UInt64 = 0
        var entries: UInt64 = 0
        var deliveries: UInt64 = 0
        var presence: UInt64 = 0
        var checkedHeads: UInt64 = 0
        var uncheckedHeads: UInt64 = 0
        var slowReaders: UInt64 = 0
        var idleDevices: UInt64 = 0
        var connections: UInt64 = 0
        var refusals = [UInt64](repeating: 0, count: LoopCounters.refusalNames.count)

        mutating func add(_ counters: LoopCounters) {
            frames &+= counters.frames.count
            receivedBytes &+= counters.receivedBytes.count
            sentBytes &+= counters.sentBytes.count
            appends &+= counters.appends.count
            entries &+= counters.entries.count
            deliveries &+= counters.deliveries.count
            presence &+= counters.presence.count
            checkedHeads &+= counters.checkedHeads.count
            uncheckedHeads &+= counters.uncheckedHeads.count
            slowReaders &+= counters.slowReaders.count
            idleDevices &+= counters.idleDevices.count
            connections &+= counters.connections.count
            for index in refusals.indices { refusals[index] &+= counters.refusalCount(index) }
        }
    }
}
