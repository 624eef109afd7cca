// Which heads' signatures the relay checks, and where.
//
// A signature check costs about 50 µs, more than all else in an append together. Clients check
// every head they are given and never trust the relay for it, so the relay's own checks are there
// to keep rubbish out, not to make anything true. The rule:
//
//   whose entries                         the head is checked
//   another author's                      always, before anything is stored
//   the connection's device's own
//     - the first append of a connection  always
//     - after a bad head on it            always
//     - else                              the last of those that came together, as long as its
//                                         connection's share and the budget last
//
// The budget is a count of checks a second for the whole relay, with a burst, and a connection's
// share of it is about what a person who types sends. Below both every head is checked before it is
// stored; above, the rest of that second's are stored unchecked. So the appends of a device that
// brings thousands a second don't each wait for a check. A head vouches for all that is before it,
// so of heads that came together the last one will do. Checks that must be made don't wait for the
// budget but draw on it, down to nothing.
//
// Why that is enough: the challenge has proven that the connection's device holds its key, so a bad
// head on its own log is its own fault or lie. What such a head can do: its log ends, for every
// reader, at the last good head (`corrupt` in SPEC.md section 13), until its author begins a new
// incarnation. What it can't do: touch another log, since others' heads are always checked; move
// the end, chain or byte count that the relay keeps, since those are worked out from the entries
// (`LogTail`); be taken for good by anybody. Without TLS, whoever sits on the wire between device
// and relay could put such a head into a conversation that the device has opened, and spoil that
// one log: one more reason for TLS, which SPEC.md doesn't replace.
//
// Checks run on one thread beside the event loops. An append that waits for its check holds back
// those behind it on its connection (`AppendGate`), and nobody else's.
//
//     event loop    append a ─┬─ affordable ──► queue ──► check ──► loop: in order ──► committer
//                   append b ─┴─ waits for a ───────────────────────┘
//
// Left out: checking many signatures at once, which libsodium doesn't offer.

import Dispatch
import NIOCore
import NIOPosix
import SennitWire
import Synchronization

/// What is to be done about a head's signature before its append is stored.
enum HeadCheck: Hashable, Sendable {
    /// Nothing; it was checked.
    case done
    /// It must be checked.
    case required
    /// It is checked if the budget allows.
    case affordable
}

/// Checks heads on a thread of its own, within a budget. Shared by all event loops.
final class HeadVerifier: Sendable {
    private struct Job: Sendable {
        let run: AppendRun
        /// The appends whose heads are to be checked, ascending.
        let indices: [Int]
        let loop: any EventLoop
        let completion: @Sendable ([Int]) -> Void
    }

    private struct State {
        var budget: TokenBucket
        var jobs: [Job] = []
        var waitingCount = 0
        var isScheduled = false
    }

    /// Checks a second for each core: a twentieth of its time. So all heads of a thousand people
    /// who type are checked, and a flood can't take the processor from those who wait for the disk.
    static let checksPerSecondAndCore: Double = 1000
    /// Checks that wait, of all connections together; each holds its append in memory.
    private static let maximumWaitingCount = 4096
    /// Answers are handed back after so many checks, so that nobody waits for a long queue.
    private static let roundCount = 16

    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "sennit-relay.heads", qos: .userInitiated)

    /// A verifier with a budget.
    /// - Parameter burst: checks that may be made at once after a quiet time.
    init(checksPerSecond: Double, burst: Double, now: Duration) {
        state = Mutex(
            State(budget: TokenBucket(perSecond: checksPerSecond, burst: burst, now: now))
        )
    }

    /// A verifier with a twentieth of all cores' time.
    convenience init() {
        let perSecond = HeadVerifier.checksPerSecondAndCore * Double(System.coreCount)
        let now = NIODeadline.now().sinceBoot
        self.init(checksPerSecond: perSecond, burst: perSecond / 10, now: now)
    }

    /// Whether a head is to be checked now; takes its share of the budget if so.
    func isDue(_ check: HeadCheck, now: Duration) -> Bool {
        switch check {
        case .done: false
        case .required:
            state.withLock { state in
                _ = state.budget.take(now: now)
                return true
            }
        case .affordable: state.withLock { $0.budget.take(now: now) }
        }
    }

    /// Checks the heads of some appends of a run; `completion` is called on `loop` with the indices
    /// of those whose signatures are wrong.
    /// - Returns: whether there was room; `completion` is called only then.
    func check(
        _ run: AppendRun,
        _ indices: [Int],
        on loop: any EventLoop,
        completion: @escaping @Sendable ([Int]) -> Void
    ) -> Bool {
        state.withLock { state in
            guard state.waitingCount + indices.count <= HeadVerifier.maximumWaitingCount else {
                return false
            }
            state.waitingCount += indices.count
            state.jobs.append(Job(run: run, indices: indices, loop: loop, completion: completion))
            guard !state.isScheduled else { return true }
            state.isScheduled = true
            queue.async { self.drain() }
            return true
        }
    }

    private func drain() {
        while let jobs = takeJobs() {
            var results: [ObjectIdentifier: (loop: any EventLoop, items: [(Job, [Int])])] = [:]
            for job in jobs {
                let bad = job.indices.filter { !job.run.hasSignedHead(job.run.appends[$0]) }
                results[ObjectIdentifier(job.loop), default: (job.loop, [])].items
                    .append((job, bad))
            }
            for (loop, items) in results.values {
                loop.execute {
                    for (job, bad) in items { job.completion(bad) }
                }
            }
        }
    }

    private func takeJobs() -> [Job]? {
        state.withLock { state in
            guard !state.jobs.isEmpty else {
                state.isScheduled = false
                return nil
            }
            var jobs: [Job] = []
            var count = 0
            for job in state.jobs {
                jobs.append(job)
                count += job.indices.count
                if count >= HeadVerifier.roundCount { break }
            }
            state.jobs.removeFirst(jobs.count)
            state.waitingCount -= count
            return jobs
        }
    }
}
