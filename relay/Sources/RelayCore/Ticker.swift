import NIOCore
import Synchronization

/// Calls every connection about once a second, with one timer for each event loop: a timer for each
/// connection costs more processor time than ten thousand idle connections otherwise do.
final class Ticker: Sendable {
    /// What one event loop calls. It is confined to that loop.
    private final class Calls {
        var calls: [UInt64: () -> Void] = [:]
        var task: RepeatedTask?
    }

    private let loops = Mutex<[ObjectIdentifier: NIOLoopBound<Calls>]>([:])

    /// From now on, `call` is called on `loop`, which is the current one.
    func add(_ id: UInt64, on loop: any EventLoop, call: @escaping () -> Void) {
        let bound = loops.withLock { loops in
            if let known = loops[ObjectIdentifier(loop)] { return known }
            let new = NIOLoopBound(Calls(), eventLoop: loop)
            loops[ObjectIdentifier(loop)] = new
            return new
        }
        let calls = bound.value
        calls.calls[id] = call
        guard calls.task == nil else { return }
        calls.task = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            // A call may end its connection, and with it the entry.
            for call in Array(bound.value.calls.values) { call() }
        }
    }

    /// Ends the calls; `loop` is the current one.
    func remove(_ id: UInt64, on loop: any EventLoop) {
        guard let calls = loops.withLock({ $0[ObjectIdentifier(loop)] })?.value else { return }
        calls.calls[id] = nil
        guard calls.calls.isEmpty else { return }
        calls.task?.cancel()
        calls.task = nil
    }
}
