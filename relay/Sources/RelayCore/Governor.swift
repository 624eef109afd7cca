// Governance with what it needs of disk: the operator's decisions in the control file, and usage in
// storage. All threads share it; it is held for lookups in memory, and for a read of the control
// file when a space is first used.
//
// Founding is judged before the committer hears of it, on a queue of its own, for it may write to
// the control file: whose token a space was founded with is on disk before the space is.

import Dispatch
import Foundation
import Logging
import RelayStorage
import SennitWire
import Synchronization

/// Says who may use the relay and how much.
final class Governor: Sendable {
    private struct State {
        var rules: Governance
        /// Spaces that were entered since it was last written down.
        var touched: Set<SpaceID> = []
    }

    let control: ControlStore
    private let state: Mutex<State>
    private let storage: any RelayStorage & Sendable
    private let logger: Logger
    private let queue = DispatchQueue(label: "sennit-relay.governor", qos: .userInitiated)

    init(
        _ policy: RelayPolicy,
        control: ControlStore,
        storage: any RelayStorage & Sendable,
        logger: Logger
    ) {
        state = Mutex(State(rules: Governance(policy)))
        self.control = control
        self.storage = storage
        self.logger = logger
    }

    /// The settings in force.
    var policy: RelayPolicy { state.withLock { $0.rules.policy } }

    /// Puts new settings in force.
    func setPolicy(_ policy: RelayPolicy) { state.withLock { $0.rules.setPolicy(policy) } }

    private var now: Duration {
        .nanoseconds(Int64(clamping: DispatchTime.now().uptimeNanoseconds))
    }

    // MARK: Spaces in use

    /// Charges an append that fits its log.
    /// - Returns: why not, if it can't be.
    func charge(_ charge: Governance.Charge, at position: Position) throws(StorageError) -> Refusal?
    {
        // Each missing piece is asked for once at most.
        for _ in 0..<4 {
            let now = now
            let verdict = state.withLock { $0.rules.charge(charge, at: position, now: now) }
            switch verdict {
            case .charged: return nil
            case .refused(let refusal): return refusal
            case .needsAccount: try open(charge.space, now: now)
            case .needsShares: try openShares(of: charge.space)
            }
        }
        return Refusal(
            code: .rateLimited,
            position: position,
            retryAfter: .seconds(1),
            reason: "the space's quota is being looked up"
        )
    }

    /// Charges what goes on with a log, if all that it takes is in memory and there is room.
    func chargeAtOnce(_ charge: Governance.Charge) -> Bool {
        let position = Position(log: LogID(value: .zero), offset: .zero)
        let now = now
        let verdict = state.withLock { $0.rules.charge(charge, at: position, now: now) }
        if case .charged = verdict { return true }
        return false
    }

    /// Whether a device that the space lets in is served.
    func refusalToServe(_ space: SpaceID) throws(StorageError) -> Refusal? {
        if state.withLock({ !$0.rules.isOpen(space) }) { try open(space, now: now) }
        return state.withLock { state in
            state.touched.insert(space)
            return state.rules.refusalToServe(space)
        }
    }

    /// What is charged and on its way to the disk.
    func reserved(of space: SpaceID) -> Governance.Share {
        state.withLock { $0.rules.reserved(of: space) }
    }

    /// What was charged is stored, or refused.
    func settle(_ space: SpaceID, _ share: Governance.Share) {
        state.withLock { $0.rules.settle(space, share) }
    }

    /// Forgets what can be read again, for storage refused something that was charged.
    func forgetAll() { state.withLock { $0.rules.forgetAll() } }

    /// Forgets what can be read again of one space.
    func forget(_ space: SpaceID) { state.withLock { $0.rules.forget(space) } }

    /// Bounds what is kept in memory.
    func forgetSome(maximumCount: Int) {
        state.withLock { state in
            if state.rules.accountCount > maximumCount { state.rules.forgetAll() }
        }
    }

    /// Writes down which spaces were entered.
    func writeTouched(_ present: some Sequence<SpaceID>, at now: Date) throws(StorageError) {
        let touched = state.withLock { state in
            defer { state.touched = [] }
            return state.touched
        }
        try control.touch(touched.union(present), at: now)
    }

    private func open(_ space: SpaceID, now: Duration) throws(StorageError) {
        let terms = try control.terms(of: space) ?? SpaceTerms()
        // Before usage: what reaches the disk in between may weigh twice, but not go unseen.
        let reserved = reserved(of: space)
        let usage = try storage.usage(of: space)
        if let token = terms.token, state.withLock({ !$0.rules.knows(token: token) }) {
            try open(token: token, now: now)
        }
        state.withLock { $0.rules.open(space, terms, usage, beside: reserved, now: now) }
    }

    private func open(token: Int64, now: Duration) throws(StorageError) {
        guard let record = try control.tokens().first(where: { $0.id == token }) else {
            throw .damagedFile(path: control.path, reason: "a space's token is missing")
        }
        var byteCount: UInt64 = 0
        for space in try control.spaces(of: token) {
            byteCount += reserved(of: space).byteCount
            byteCount += try storage.usage(of: space).byteCount
        }
        state.withLock { $0.rules.open(record, byteCount: byteCount, now: now) }
    }

    private func openShares(of space: SpaceID) throws(StorageError) {
        var shares: [DeviceKey: Governance.Share] = [:]
        // Whose it is isn't known, so it weighs on each.
        let reserved = reserved(of: space).byteCount
        for log in try storage.logs(of: space) {
            var share =
                shares[log.descriptor.device] ?? Governance.Share(byteCount: reserved)
            let (end, start) = (log.head?.byteCount ?? 0, log.start?.byteCount ?? 0)
            share.byteCount += end > start ? end - start : 0
            share.logCount += 1
            shares[log.descriptor.device] = share
        }
        state.withLock { $0.rules.open(space, shares: shares) }
    }
}

// MARK: Founding

extension Governor {
    /// Judges a device's wish to have a space kept here, which it names by its genesis.
    /// - Parameters:
    ///   - answer: called once, on a queue of the governor's.
    func judgeFounding(
        _ request: EnterRequest,
        answer: @escaping @Sendable (Refusal?) -> Void
    ) {
        queue.async { [self] in
            do throws(StorageError) {
                answer(try refusalToFound(request))
            } catch {
                logger.error("the control file can't be used")
                logger.debug("the control file can't be used", metadata: ["reason": "\(error)"])
                answer(.storageFull)
            }
        }
    }

    /// Whether the space may be kept here; if its token pays for it, that is noted.
    func refusalToFound(
        _ request: EnterRequest,
        at now: Date = Date()
    ) throws(StorageError) -> Refusal? {
        let known = try control.terms(of: request.space)
        if known?.isFrozen == true {
            return Refusal(code: .notHosted, reason: "who runs the relay doesn't keep this space")
        }
        // What is here is served to its members whatever founding takes.
        if try storage.space(request.space) != nil { return nil }
        switch policy.access {
        case .open where request.token == nil: return nil
        case .open, .token: return try refusalOfToken(request, known, at: now)
        case .allowList:
            var names = [Allowed.space(request.space)]
            if let genesis = request.genesis { names.append(.founder(genesis.founder)) }
            if try control.allows(names) { return nil }
            return Refusal(
                code: .notHosted,
                reason: "this relay keeps only spaces that its operator has listed"
            )
        }
    }

    private func refusalOfToken(
        _ request: EnterRequest,
        _ known: SpaceTerms?,
        at now: Date
    ) throws(StorageError) -> Refusal? {
        guard let offered = request.token else {
            return Refusal(
                code: .notHosted,
                reason: "this relay needs a token to keep a new space; ask who runs it"
            )
        }
        guard let token = try control.token(hash: offered.hash), token.isGood(at: now) else {
            // An open relay keeps the space for nobody's account, too.
            if policy.access == .open { return nil }
            return Refusal(
                code: .notHosted,
                reason: "this relay doesn't take the token, or not any more; ask who runs it"
            )
        }
        var terms = known ?? SpaceTerms()
        if terms.token != token.id {
            let count = try control.spaces(of: token.id).count
            if let limit = token.quota.maximumSpaceCount, count >= limit {
                return Refusal(
                    code: .quotaExceeded,
                    reason: "the token's \(limit) spaces are used up; ask who runs the relay"
                )
            }
            terms.token = token.id
        }
        terms.touched = now
        terms.doomed = nil
        try control.setTerms(terms, of: request.space)
        forget(request.space)
        return nil
    }
}
