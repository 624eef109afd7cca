import Synchronization

/// Why the run loop should wake. A bell that rings ten times before it is heard has rung once.
final class Doorbell: Sendable {
    struct Reasons: OptionSet, Sendable {
        let rawValue: UInt8

        /// The terminal has bytes.
        static let input = Reasons(rawValue: 1)
        /// The document has something to tell.
        static let document = Reasons(rawValue: 2)
        /// The terminal has another size.
        static let resized = Reasons(rawValue: 4)
        /// A time has come that the loop waited for.
        static let time = Reasons(rawValue: 8)
        /// The process was stopped and goes on; the terminal may have been used by another.
        static let resumed = Reasons(rawValue: 16)
        /// The system wants the process to end.
        static let terminate = Reasons(rawValue: 32)
        /// A script has events.
        static let script = Reasons(rawValue: 64)
    }

    private let pending = Mutex<Reasons>([])
    private let continuation: AsyncStream<Void>.Continuation

    /// One element for each time that something is pending.
    let rings: AsyncStream<Void>

    init() {
        (rings, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func ring(_ reason: Reasons) {
        pending.withLock { _ = $0.insert(reason) }
        continuation.yield()
    }

    /// What is pending; from then on nothing is.
    func take() -> Reasons {
        pending.withLock { reasons in
            defer { reasons = [] }
            return reasons
        }
    }
}
