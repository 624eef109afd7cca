// Counting on the hot path: a load, an addition and a store, none of them locked.
//
// Each event loop has counters of its own that nobody else writes, so no two processors want the
// same cache line and no value is lost. Whoever asks for the figures adds those of all loops up.

import SennitWire
import Synchronization

/// A number that one thread raises and any thread reads.
struct Counter: ~Copyable, Sendable {
    private let value = Atomic<UInt64>(0)

    /// Only the one thread calls it. It wraps, as counters do.
    func add(_ count: Int = 1) {
        value.store(
            value.load(ordering: .relaxed) &+ UInt64(truncatingIfNeeded: count),
            ordering: .relaxed
        )
    }

    var count: UInt64 { value.load(ordering: .relaxed) }
}

/// What one event loop counts. A class: handlers of the loop share it.
final class LoopCounters: Sendable {
    let frames = Counter()
    let receivedBytes = Counter()
    let sentBytes = Counter()
    let appends = Counter()
    let entries = Counter()
    let deliveries = Counter()
    let presence = Counter()
    let checkedHeads = Counter()
    let uncheckedHeads = Counter()
    let slowReaders = Counter()
    let idleDevices = Counter()
    let connections = Counter()
    private let refusals = InlineArray<16, Counter> { _ in Counter() }

    /// Counts a refusal.
    func refuse(_ code: Refusal.Code) { refusals[LoopCounters.index(of: code)].add() }

    /// Counts what reaches a connection from elsewhere.
    func count(_ delivery: Delivery) {
        switch delivery {
        case .answered(let run, let answers):
            for (append, answer) in zip(run.appends, answers) {
                guard case .acked = answer else { continue }
                appends.add()
                entries.add(append.entries.count)
            }
        case .presence: presence.add()
        default: break
        }
    }

    func refusalCount(_ index: Int) -> UInt64 { refusals[index].count }

    /// The names of refusals by their numbers; 0 is for codes that have none.
    static let refusalNames = [
        "other", "malformed", "unsupported_version", "unknown_space", "not_member", "gap",
        "conflict", "too_large", "quota_exceeded", "rate_limited", "storage_full",
        "shutting_down", "access_conflict", "bad_head", "not_hosted",
    ]

    private static func index(of code: Refusal.Code) -> Int {
        code.rawValue < UInt64(refusalNames.count) ? Int(code.rawValue) : 0
    }
}
