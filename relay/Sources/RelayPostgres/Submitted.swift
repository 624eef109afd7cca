#if PostgreSQL
import Dispatch
import RelayStorage
import SennitWire
import Synchronization

/// What was submitted and not yet told, over all databases. Completions are called one at a time
/// and in the order of the calls, whichever database is done first.
final class Submitted: Sendable {
    private struct State {
        var last: UInt64 = 0
        var waiting: [PostgresSubmission] = []
        var isDelivering = false
    }

    private let state = Mutex(State())
    private let order = Mutex<Void>(())

    /// Takes a submission in.
    /// - Parameter place: hands its units on. Calls don't overlap, so that databases get them in
    ///   the order of the submissions.
    func submit(
        count: Int,
        _ completion: @escaping @Sendable ([StorageError?]) -> Void,
        place: (PostgresSubmission) -> Void
    ) {
        order.withLock { _ in
            let submission = state.withLock { state in
                state.last += 1
                let new = PostgresSubmission(state.last, count: count, completion: completion)
                state.waiting.append(new)
                return new
            }
            place(submission)
        }
        deliver()
    }

    /// Tells those at the front that are done.
    func deliver() {
        while true {
            let next: (PostgresSubmission, [StorageError?])? = state.withLock { state in
                guard !state.isDelivering, let first = state.waiting.first,
                    let results = first.results
                else { return nil }
                state.isDelivering = true
                state.waiting.removeFirst()
                first.willTell(last: state.last)
                return (first, results)
            }
            guard let (submission, results) = next else { return }
            submission.completion(results)
            state.withLock { $0.isDelivering = false }
        }
    }
}

/// Waits for one result.
final class Waiter: Sendable {
    private let done = DispatchSemaphore(value: 0)
    private let result = Mutex<StorageError?>(nil)

    func finish(_ error: StorageError?) {
        result.withLock { $0 = error }
        done.signal()
    }

    func wait() -> StorageError? {
        done.wait()
        return result.withLock { $0 }
    }
}

extension StorageUnit {
    var byteCount: Int {
        reduce(0) { count, change in
            guard case .append(let batch, _) = change else { return count + 256 }
            return count + batch.packed.byteCount + 256
        }
    }
}
#endif
