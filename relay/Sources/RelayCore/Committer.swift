// Between connections and storage.
//
// Requests are judged one after the other and handed to storage, which makes them durable in
// groups: what comes while one sync is under way shares the next. What came of them is finished on
// the event loop of whoever asked.
//
//     append a ──► judge ──► storage: sync 1 ───────► finish: ack a, wake subscribers
//     append b, c, d … ──► judge ──► storage: sync 2 ───────► finish: ack b, c, d
//
// An append that takes nothing but memory is judged at once, on the event loop it came from: two
// threads see it, the loop and the storage's committer. Whatever reads the disk, and whatever comes
// behind that from the same connection, takes its turn on a queue of its own. Reads take turns with
// it, a few at a time, so a device that fetches years of history doesn't hold up one that enters.

import Dispatch
import Logging
import NIOCore
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
        /// Outlets with writes here or being judged, and how many.
        var waiting: [UInt64: Int] = [:]
        var isScheduled = false
        var isStopping = false
    }

    /// Groups of which the disk's answer is there, by the event loop that finishes them.
    private struct Finished {
        struct Item {
            let group: StorageWorker.Group
            let results: [StorageError?]
            let byteCount: Int
        }

        let loop: any EventLoop
        var items: [Item] = []
    }

    private static let readsBetweenCommits = 16

    private let limits: RelayLimits
    private let inbox = Mutex(Inbox())
    private let finished = Mutex<[Finished]>([])
    /// Bytes of all appends that wait for the disk.
    private let pendingByteCount = Atomic(0)
    private let storage: any RelayStorage & Sendable
    private let hub: Hub
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
        self.hub = hub
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
        if case .read = request {
            inbox.withLock { inbox in
                inbox.reads.append(job)
                schedule(&inbox)
            }
            return nil
        }
        let (isStopping, isWaiting) = inbox.withLock { inbox in
            (inbox.isStopping, inbox.waiting[outlet.id] != nil)
        }
        if isStopping {
            let reason = "the relay stops; connect again"
            return request.refused(Refusal(code: .shuttingDown, reason: reason))
        }
        let byteCount = job.byteCount
        let pending = pendingByteCount.add(byteCount, ordering: .relaxed).newValue
        guard pending <= limits.maximumTotalPendingByteCount else {
            pendingByteCount.subtract(byteCount, ordering: .relaxed)
            let reason = "the relay's disk is behind"
            return request.refused(Refusal(code: .rateLimited, reason: reason))
        }
        if !isWaiting, case .append(let run) = request,
            let group = worker.withLock({ $0.judgeAtOnce(run, outlet) })
        {
            store(group, byteCount, for: outlet.loop)
            return nil
        }
        inbox.withLock { inbox in
            inbox.writes.append(job)
            inbox.waiting[outlet.id, default: 0] += 1
            schedule(&inbox)
        }
        return nil
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

    /// Calls back once the queue has come round and storage has answered after it: a group of
    /// nothing takes its turn behind all that waits for the disk, and isn't synced.
    func whenAlive(_ call: @escaping @Sendable () -> Void) {
        queue.async { self.storage.submit([]) { _ in call() } }
    }

    /// How many groups were stored.
    var commitCount: Int { worker.withLock { $0.commitCount } }

    // MARK: The hot path

    private func store(_ group: StorageWorker.Group, _ byteCount: Int, for loop: any EventLoop) {
        // Outside of any lock: storage may answer before it returns.
        storage.submit(group.units) { [self] results in
            let item = Finished.Item(group: group, results: results, byteCount: byteCount)
            let isFirst = finished.withLock { finished in
                if let index = finished.firstIndex(where: { $0.loop === loop }) {
                    finished[index].items.append(item)
                    return finished[index].items.count == 1
                }
                finished.append(Finished(loop: loop, items: [item]))
                return true
            }
            // The loop takes all that is there by then, in the order in which it was stored.
            if isFirst { loop.execute { self.finish(on: loop) } }
        }
    }

    private func finish(on loop: any EventLoop) {
        let items: [Finished.Item] = finished.withLock { finished in
            guard let index = finished.firstIndex(where: { $0.loop === loop }) else { return [] }
            let items = finished[index].items
            finished[index].items = []
            return items
        }
        let outcome = worker.withLock { worker in
            var outcome = StorageWorker.Outcome()
            for item in items { worker.finish(item.group, item.results, &outcome) }
            return outcome
        }
        let byteCount = items.reduce(0) { $0 + $1.byteCount }
        let againByteCount = outcome.again.reduce(0) { $0 + $1.byteCount }
        pendingByteCount.subtract(byteCount - againByteCount, ordering: .relaxed)
        if !outcome.again.isEmpty {
            inbox.withLock { inbox in
                inbox.writes.insert(contentsOf: outcome.again, at: 0)
                for job in outcome.again { inbox.waiting[job.outlet.id, default: 0] += 1 }
                schedule(&inbox)
            }
        }
        StorageWorker.tell(outcome, hub)
        if outcome.entrants.isEmpty { return }
        // It reads the disk.
        queue.async { StorageWorker.letIn(outcome.entrants, self.storage, self.logger) }
    }

    // MARK: The queue

    private func schedule(_ inbox: inout Inbox) {
        if inbox.isScheduled { return }
        inbox.isScheduled = true
        queue.async { self.drain() }
    }

    private func drain() {
        while let (writes, reads) = take() {
            if !writes.isEmpty { carryOut(writes) }
            if !reads.isEmpty { StorageWorker.read(reads, from: storage, logger: logger) }
        }
    }

    private func carryOut(_ jobs: [Job]) {
        var rest = jobs[...]
        while let loop = rest.first?.outlet.loop {
            // Nearly always all of them.
            let sameLoop = rest.prefix { $0.outlet.loop === loop }
            rest = rest.dropFirst(sameLoop.count)
            let group = worker.withLock { $0.judge(Array(sameLoop)) }
            store(group, sameLoop.reduce(0) { $0 + $1.byteCount }, for: loop)
        }
        inbox.withLock { inbox in
            for job in jobs {
                let left = inbox.waiting[job.outlet.id, default: 0] - 1
                inbox.waiting[job.outlet.id] = left > 0 ? left : nil
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
        case .append(let run): return .answered(run, run.refusals(refusal))
        }
    }
}
