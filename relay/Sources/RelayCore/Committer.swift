// Between connections and storage.
//
// Requests are judged one after the other on one queue and handed to storage, which makes them
// durable in groups: what comes while one sync is under way shares the next.
//
//     append a ──► judge ──► storage: sync 1 ───────► finish: ack a, wake subscribers
//     append b, c, d … ──► judge ──► storage: sync 2 ───────► finish: ack b, c, d
//
// Reads take turns with judging, a few at a time, so a device that fetches years of history doesn't
// hold up one that types.

import Dispatch
import Logging
import RelayStorage
import SennitWire
import Synchronization

/// Gathers requests from all connections and carries them out.
final class Committer: Sendable {
    /// A request and who waits for its answer.
    struct Job: Sendable {
        let request: Request
        let outlet: Outlet
        /// How often storage had moved on when the job's change came to it.
        var attemptCount = 0

        var nextAttempt: Job {
            var next = self
            next.attemptCount += 1
            return next
        }

        var byteCount: Int {
            if case .append(let append) = request { append.byteCount } else { 0 }
        }
    }

    private struct Inbox {
        var writes: [Job] = []
        var reads: [Job] = []
        var writeByteCount = 0
        var isScheduled = false
        var isStopping = false
    }

    private static let readsBetweenCommits = 16

    private let limits: RelayLimits
    private let inbox = Mutex(Inbox())
    private let storage: any RelayStorage & Sendable
    private let worker: Mutex<StorageWorker>
    private let logger: Logger
    private let queue = DispatchQueue(label: "sennit-relay.storage", qos: .userInitiated)

    init(
        storage: any RelayStorage & Sendable,
        hub: Hub,
        governor: Governor? = nil,
        limits: RelayLimits,
        logger: Logger
    ) {
        self.limits = limits
        self.storage = storage
        self.logger = logger
        worker = Mutex(
            StorageWorker(
                storage: storage,
                hub: hub,
                governor: governor,
                limits: limits,
                logger: logger
            )
        )
    }

    /// Takes a request in.
    /// - Returns: the answer, if it is no at once; otherwise the outlet will hear.
    func submit(_ request: Request, from outlet: Outlet) -> Delivery? {
        let job = Job(request: request, outlet: outlet)
        let refusal: Refusal? = inbox.withLock { inbox in
            if case .read = request {
                inbox.reads.append(job)
            } else {
                guard !inbox.isStopping else {
                    return Refusal(code: .shuttingDown, reason: "the relay stops; connect again")
                }
                let byteCount = inbox.writeByteCount + job.byteCount
                guard byteCount <= limits.maximumTotalPendingByteCount else {
                    return Refusal(code: .rateLimited, reason: "the relay's disk is behind")
                }
                inbox.writeByteCount = byteCount
                inbox.writes.append(job)
            }
            if !inbox.isScheduled {
                inbox.isScheduled = true
                queue.async { self.drain() }
            }
            return nil
        }
        return refusal.map { request.refused($0) }
    }

    /// Has other relays on the same storage tell what they store to whoever is here.
    func listen(for hub: Hub) {
        storage.tell(
            StorageAudience(
                spaces: { hub.spaces },
                isInside: { hub.isInside($0) },
                hear: { [weak self] news in self?.worker.withLock { $0.hear(news) } }
            )
        )
    }

    /// Hands presence to other relays on the same storage.
    func broadcast(_ message: [UInt8], in space: SpaceID) {
        storage.broadcast(message, in: space)
    }

    /// Why nothing can be stored or read at present.
    var outage: StorageError? { storage.outage }

    /// Carries out what was taken in, and takes in no more writes.
    func stop() throws(RelayError) {
        inbox.withLock { $0.isStopping = true }
        queue.sync { self.drain() }
        // Closing finishes what storage has; what is to be judged again then is refused.
        do throws(StorageError) { try storage.close() } catch { throw RelayError(error) }
        queue.sync { self.drain() }
    }

    /// Forgets what is known in memory of what is stored, which somebody else has changed.
    func forgetAll() { worker.withLock { $0.forgetAll() } }

    /// How many groups were stored.
    var commitCount: Int { worker.withLock { $0.commitCount } }

    private func drain() {
        while let (writes, reads) = take() {
            if !writes.isEmpty { carryOut(writes) }
            if !reads.isEmpty { StorageWorker.read(reads, from: storage, logger: logger) }
        }
    }

    private func carryOut(_ jobs: [Job]) {
        let byteCount = jobs.reduce(0) { $0 + $1.byteCount }
        let group = worker.withLock { $0.judge(jobs) }
        // Outside of the lock: storage may answer before it returns.
        storage.submit(group.units) { [self] results in
            let again = worker.withLock { $0.finish(group, results) }
            inbox.withLock { inbox in
                inbox.writeByteCount += again.reduce(0) { $0 + $1.byteCount } - byteCount
                inbox.writes.insert(contentsOf: again, at: 0)
                if !again.isEmpty, !inbox.isScheduled {
                    inbox.isScheduled = true
                    queue.async { self.drain() }
                }
            }
        }
    }

    private func take() -> (writes: [Job], reads: [Job])? {
        inbox.withLock { inbox in
            guard !inbox.writes.isEmpty || !inbox.reads.isEmpty else {
                inbox.isScheduled = false
                return nil
            }
            var count = 0
            var byteCount = 0
            for job in inbox.writes.prefix(limits.maximumGroupCount) {
                let next = byteCount + job.byteCount
                guard count == 0 || next <= limits.maximumGroupByteCount else { break }
                byteCount = next
                count += 1
            }
            let writes = Array(inbox.writes.prefix(count))
            let reads = Array(inbox.reads.prefix(Committer.readsBetweenCommits))
            inbox.writes.removeFirst(writes.count)
            inbox.reads.removeFirst(reads.count)
            return (writes, reads)
        }
    }
}

extension Request {
    /// The answer that says no.
    func refused(_ refusal: Refusal) -> Delivery {
        switch self {
        case .enter: return .entryRefused(refusal)
        case .putAccess: return .accessRefused(refusal, current: nil)
        case .read(let log, _, _): return .unreadable(log: log, refusal)
        case .append(let append):
            let position = Position(log: append.log, offset: append.range.from)
            return .appendRefused(
                append,
                Refusal(
                    code: refusal.code,
                    position: refusal.position ?? position,
                    reason: refusal.reason
                )
            )
        }
    }
}
