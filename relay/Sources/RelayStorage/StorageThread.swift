import Foundation
import Synchronization

/// A thread of its own, not one of Swift's pool, because it waits for the disk. It does its work
/// each time it was woken; wake-ups during the work come to one more round.
///
/// It ends with the object: `stop` waits for that, letting go of the object doesn't.
package final class StorageThread: Sendable {
    private final class Signals: Sendable {
        let wakeUp = DispatchSemaphore(value: 0)
        let ended = DispatchSemaphore(value: 0)
        let isAwake = Atomic(false)
        let isStopping = Atomic(false)
    }

    private let signals = Signals()

    /// Starts it; it waits to be woken.
    package init(_ name: String, work: @escaping @Sendable () -> Void) {
        let signals = signals
        let thread = Thread {
            while true {
                signals.wakeUp.wait()
                // Cleared before the work: whoever wakes it now is seen in the next round.
                signals.isAwake.store(false, ordering: .sequentiallyConsistent)
                if signals.isStopping.load(ordering: .sequentiallyConsistent) { break }
                work()
            }
            signals.ended.signal()
        }
        thread.name = name
        thread.start()
    }

    deinit { end() }

    /// Lets the thread do its work, soon.
    package func wake() {
        let wasAwake = signals.isAwake.exchange(true, ordering: .sequentiallyConsistent)
        if !wasAwake { signals.wakeUp.signal() }
    }

    /// Ends the thread after the work it is at, and waits for that. Once, and not from the work.
    package func stop() {
        end()
        signals.ended.wait()
    }

    private func end() {
        signals.isStopping.store(true, ordering: .sequentiallyConsistent)
        signals.wakeUp.signal()
    }
}
