// What a relay does by itself, now and then: it gives back the room of deleted entries, notes in
// which spaces devices were, and, if it was told to, deletes spaces in which none was for long.
//
// A deletion takes three steps, each an hour or more after the one before:
//
//     untouched for `untouchedDays`    announced: log, `admin spaces`; a date is written down
//     a device comes                   the announcement is void
//     the date is past                 deleted, if no device is there
//
// What isn't known is taken for touched: a space without a date gets today's, be it that the
// control file is new or was lost. Nothing is deleted because something is missing.

import Dispatch
import Foundation
import Logging
import RelayStorage
import SennitWire
import Synchronization

/// What retention does with one space.
enum RetentionStep: Hashable {
    case keep
    /// Its deletion is written down for this date.
    case announce(Date)
    case delete

    /// - Parameters:
    ///   - terms: of a space in which no device was since before `now`.
    ///   - isPresent: whether a device is there.
    init(
        _ rules: RelayPolicy.Retention,
        _ terms: SpaceTerms,
        isPresent: Bool,
        now: Date
    ) {
        guard let days = rules.untouchedDays, let touched = terms.touched, !isPresent,
            now.timeIntervalSince(touched) >= Double(days) * RetentionStep.day
        else {
            self = .keep
            return
        }
        guard let due = terms.doomed else {
            self = .announce(now.addingTimeInterval(Double(rules.graceDays) * RetentionStep.day))
            return
        }
        self = now >= due ? .delete : .keep
    }

    static let day: TimeInterval = 86_400
}

/// Calls what is to be done now and then, on a thread of its own.
final class Maintenance: Sendable {
    private struct State {
        var isStopped = false
        var compactedAt: ContinuousClock.Instant = .now
        var lookedAt: Date?
    }

    private let desk: AdminDesk
    private let live: AdminDesk.Live
    private let maximumByteCount: Int?
    private let logger: Logger
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "sennit-relay.maintenance", qos: .utility)

    private static let interval: DispatchTimeInterval = .seconds(30)
    /// How often all spaces are looked at.
    private static let retentionInterval: TimeInterval = 3600

    init(_ desk: AdminDesk, _ live: AdminDesk.Live, maximumByteCount: Int?, logger: Logger) {
        self.desk = desk
        self.live = live
        self.maximumByteCount = maximumByteCount
        self.logger = logger
    }

    /// Begins.
    func start() {
        queue.asyncAfter(deadline: .now() + Maintenance.interval) { [weak self] in
            guard let self, !self.state.withLock(\.isStopped) else { return }
            self.tick(at: Date())
            self.start()
        }
    }

    /// Waits for what is being done, and does no more.
    func stop() {
        state.withLock { $0.isStopped = true }
        queue.sync { writeTouched(at: Date()) }
    }

    /// Does what is due.
    func tick(at now: Date) {
        writeTouched(at: now)
        let policy = live.governor.policy
        compactIfDue(policy.compaction)
        let isDue = state.withLock { state in
            if let last = state.lookedAt,
                now.timeIntervalSince(last) < Maintenance.retentionInterval
            {
                return false
            }
            state.lookedAt = now
            return true
        }
        guard isDue else { return }
        forgetUnused(at: now)
        retain(policy.retention, at: now)
    }

    /// A token isn't charged for long with a space that never came.
    private func forgetUnused(at now: Date) {
        let control = live.governor.control
        complaining("the control file can't be used") {
            for token in try control.tokens() {
                for space in try control.spaces(of: token.id)
                where try desk.stored().space(space) == nil {
                    let terms = try control.terms(of: space)
                    guard let touched = terms?.touched, terms?.isFrozen == false,
                        now.timeIntervalSince(touched) >= Maintenance.retentionInterval
                    else { continue }
                    try control.removeTerms(of: space)
                }
            }
        }
    }

    private func writeTouched(at now: Date) {
        complaining("the control file can't be written") {
            try live.governor.writeTouched(live.hub.presence().keys, at: now)
        }
    }

    // MARK: Compaction

    private func compactIfDue(_ rules: RelayPolicy.Compaction) {
        guard let interval = rules.interval, let segments = desk.storage as? SegmentStorage,
            state.withLock({ $0.compactedAt.duration(to: .now) >= interval })
        else { return }
        let isPressed =
            maximumByteCount.map {
                Double(segments.storedByteCount) >= Double($0) * rules.pressureFill
            } ?? false
        complaining("segments can't be compacted") {
            let share = isPressed ? rules.pressureLiveShare : rules.idleLiveShare
            let report = try segments.compact(maximumLiveShare: share)
            guard report.rewrittenCount > 0 else { return }
            logger.info(
                "compacted",
                metadata: [
                    "segments": "\(report.rewrittenCount)", "bytes": "\(report.freedByteCount)",
                ]
            )
        }
        state.withLock { $0.compactedAt = .now }
    }

    // MARK: Retention

    /// Announces and deletes what is due.
    func retain(_ rules: RelayPolicy.Retention, at now: Date) {
        guard let days = rules.untouchedDays else { return }
        complaining("retention can't go on") {
            try touchUnknown(at: now)
            let since = now.addingTimeInterval(-Double(days) * RetentionStep.day + 1)
            var (announced, deleted) = (0, 0)
            for (space, terms) in try live.governor.control.spaces(untouchedSince: since) {
                guard try desk.stored().space(space) != nil else { continue }
                let isPresent = !live.hub.members(of: space).isEmpty
                switch RetentionStep(rules, terms, isPresent: isPresent, now: now) {
                case .keep: break
                case .announce(let due):
                    var terms = terms
                    terms.doomed = due
                    try live.governor.control.setTerms(terms, of: space)
                    logger.debug("will be deleted", metadata: ["space": "\(space)"])
                    announced += 1
                case .delete:
                    try desk.remove(space, terms, isBlocked: terms.isFrozen)
                    logger.debug("deleted", metadata: ["space": "\(space)"])
                    deleted += 1
                }
            }
            guard announced + deleted > 0 else { return }
            logger.notice(
                "retention: untouched spaces",
                metadata: [
                    "announced": "\(announced)", "deleted": "\(deleted)",
                    "grace_days": "\(rules.graceDays)",
                ]
            )
        }
    }

    private func touchUnknown(at now: Date) throws {
        let control = live.governor.control
        var unknown: [SpaceID] = []
        for space in try desk.stored().spaces() where try control.terms(of: space)?.touched == nil {
            unknown.append(space)
        }
        try control.touch(unknown, at: now)
    }

    private func complaining(_ sentence: String, _ body: () throws -> Void) {
        do {
            try body()
        } catch {
            logger.error("\(sentence)")
            logger.debug("\(sentence)", metadata: ["reason": "\(error)"])
        }
    }
}
