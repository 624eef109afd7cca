import Dispatch
import Foundation
import Synchronization

/// What the system tells the process to do.
final class Signals {
    /// What to do.
    enum Event: Sendable {
        case stop
        case reload
    }

    /// What came and wasn't taken yet. Shared with the sources' handlers and the operator's socket.
    final class Inbox: Sendable {
        private let state = Mutex((events: [Event](), stopCount: 0))
        private let arrived = DispatchSemaphore(value: 0)

        /// Waits for the next one.
        func next() -> Event {
            arrived.wait()
            return state.withLock { $0.events.removeFirst() }
        }

        /// As if a signal had come, but never the second.
        func send(_ event: Event) {
            state.withLock { $0.events.append(event) }
            arrived.signal()
        }

        fileprivate func receive(_ number: Int32) {
            let isSecond = state.withLock { state in
                state.events.append(number == SIGHUP ? .reload : .stop)
                if number != SIGHUP { state.stopCount += 1 }
                return state.stopCount > 1
            }
            if isSecond, number != SIGHUP {
                // As the signal does by itself, so that the exit code tells which.
                signal(number, SIG_DFL)
                kill(getpid(), number)
                // Where whoever started it had the signal blocked, the process is still here.
                _exit(128 + number)
            }
            arrived.signal()
        }
    }

    let inbox = Inbox()
    private var sources: [any DispatchSourceSignal] = []

    /// Watches SIGTERM, SIGINT and SIGHUP. The second of the first two ends the process at once.
    init() {
        for number in [SIGTERM, SIGINT, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [inbox] in inbox.receive(number) }
            source.resume()
            sources.append(source)
        }
    }
}
