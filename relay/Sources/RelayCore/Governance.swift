// Who may use the relay and how much, decided in memory.
//
// A space that is in use has an account: what is said about it, and what it takes up with what is
// on its way to the disk. An append is charged when it is judged, before it is stored; nothing is
// asked of a file for it.
//
//     first append   account of the space: terms from the control file, usage from storage
//     append         fits? charge it : no
//     no             usage is read again, at most once a second: it may have been deleted from
//     stored or not  what was charged is settled: it is on its way no more
//     storage fails  accounts are forgotten, and read again when they are needed
//
// What is on its way when an account is read weighs as well: it was charged and isn't settled. Some
// of it may have reached the disk by then and weighs twice until the account is read again, so a
// space may be told too early that it is full, and corrected within a second, but is never over.
//
// Pure: time, usage and terms are arguments. `Governor` performs.

import RelayStorage
import SennitWire

/// The operator's rules, applied to what is in use.
struct Governance {
    /// Appends that fit their log.
    struct Charge {
        let space: SpaceID
        let author: DeviceKey
        /// Whether the author was let in by an invite and isn't listed.
        let isGuest: Bool
        /// Whether it begins a log.
        let isNewLog: Bool
        var appendCount = 1
        let byteCount: UInt64
        let maximumEntryByteCount: Int
    }

    /// What is known grows old where several relays share one storage.
    private static let accountLifetime: Duration = .seconds(60)

    /// What a device's logs take up.
    struct Share: Hashable, Sendable {
        var byteCount: UInt64 = 0
        var logCount = 0

        mutating func add(_ other: Share) {
            byteCount += other.byteCount
            logCount += other.logCount
        }

        mutating func subtract(_ other: Share) {
            byteCount -= min(byteCount, other.byteCount)
            logCount -= min(logCount, other.logCount)
        }
    }

    /// What is known of a space in use.
    struct Account {
        var terms: SpaceTerms
        var quota: SpaceQuota
        var usage: StorageUsage
        /// By author; `nil` until it matters.
        var shares: [DeviceKey: Share]?
        var readAt: Duration
        /// What is charged and not settled.
        var reserved = Share()
    }

    /// What an append comes to.
    enum Verdict: Hashable {
        case charged
        /// Who asks has to say what is known of the space, or of its devices, and ask again.
        case needsAccount
        case needsShares
        case refused(Refusal)
    }

    /// What is known of a token whose spaces are in use.
    private struct TokenAccount {
        var record: TokenRecord
        /// Bytes of all its spaces.
        var byteCount: UInt64
    }

    private(set) var policy: RelayPolicy
    private var accounts: [SpaceID: Account] = [:]
    // What is on its way to spaces whose account was forgotten since. Invariant: none of them has
    // an account, and none of these is zero.
    private var orphans: [SpaceID: Share] = [:]
    private var tokens: [Int64: TokenAccount] = [:]
    // Not in the token's account: what is forgotten and read again must not make a bucket full.
    private var rates: [Int64: RateBucket] = [:]

    private static let rereadInterval: Duration = .seconds(1)

    init(_ policy: RelayPolicy) { self.policy = policy }

    // MARK: What is known

    /// How many accounts are kept.
    var accountCount: Int { accounts.count }

    /// Whether all is known that judging an append to the space takes, but for shares.
    func isOpen(_ space: SpaceID) -> Bool {
        guard let account = accounts[space] else { return false }
        return account.terms.token.map { tokens[$0] != nil } ?? true
    }

    /// Whether the token's account is there.
    func knows(token: Int64) -> Bool { tokens[token] != nil }

    /// What is on its way to a space.
    func reserved(of space: SpaceID) -> Share {
        accounts[space]?.reserved ?? orphans[space] ?? Share()
    }

    /// Learns of a space, unless somebody else was faster.
    /// - Parameters:
    ///   - usage: read from storage.
    ///   - reserved: what was on its way before usage was read.
    mutating func open(
        _ space: SpaceID,
        _ terms: SpaceTerms,
        _ usage: StorageUsage,
        beside reserved: Share = Share(),
        now: Duration
    ) {
        if accounts[space] != nil { return }
        var usage = usage
        usage.byteCount += reserved.byteCount
        usage.logCount += reserved.logCount
        accounts[space] = Account(
            terms: terms,
            quota: terms.quota.completed(by: policy.spaceQuota),
            usage: usage,
            readAt: now,
            reserved: orphans.removeValue(forKey: space) ?? Share()
        )
    }

    /// Learns what each device's logs take up.
    mutating func open(_ space: SpaceID, shares: [DeviceKey: Share]) {
        accounts[space]?.shares = shares
    }

    /// Learns of a token.
    mutating func open(_ token: TokenRecord, byteCount: UInt64, now: Duration) {
        tokens[token.id] = TokenAccount(record: token, byteCount: byteCount)
        if rates[token.id] == nil { rates[token.id] = RateBucket(policy.tokenRate, now: now) }
    }

    /// Forgets one space, which is read again when it is needed.
    mutating func forget(_ space: SpaceID) {
        if let token = accounts[space]?.terms.token { tokens[token] = nil }
        drop(space)
    }

    private mutating func drop(_ space: SpaceID) {
        guard let account = accounts.removeValue(forKey: space) else { return }
        if account.reserved != Share() { orphans[space] = account.reserved }
    }

    /// Forgets all that can be read again.
    mutating func forgetAll() {
        for (space, account) in accounts where account.reserved != Share() {
            orphans[space] = account.reserved
        }
        accounts = [:]
        tokens = [:]
    }

    /// What was charged is stored, or refused: it is on its way no more.
    mutating func settle(_ space: SpaceID, _ share: Share) {
        if let index = accounts.index(forKey: space) {
            accounts.values[index].reserved.subtract(share)
        } else if let index = orphans.index(forKey: space) {
            orphans.values[index].subtract(share)
            if orphans.values[index] == Share() { orphans.remove(at: index) }
        }
    }

    /// Takes new settings in.
    mutating func setPolicy(_ policy: RelayPolicy) {
        if policy.tokenRate != self.policy.tokenRate { rates = [:] }
        self.policy = policy
        forgetAll()
    }

    // MARK: Judging

    /// Whether a member is let into a space.
    func refusalToServe(_ space: SpaceID) -> Refusal? {
        guard let token = accounts[space]?.terms.token, let account = tokens[token],
            account.record.isServingStopped
        else { return nil }
        return Refusal(
            code: .notHosted,
            reason: "the token of the space was revoked, and it is not served any more"
        )
    }

    /// Charges an append, if it fits.
    mutating func charge(_ charge: Charge, at position: Position, now: Duration) -> Verdict {
        guard isOpen(charge.space), let account = accounts[charge.space],
            now - account.readAt < Governance.accountLifetime
        else {
            drop(charge.space)
            return .needsAccount
        }
        let limit = account.quota.maximumByteCount
        let needsShares =
            charge.isGuest || (charge.isNewLog && account.usage.logCount >= smallLogCount)
            || limit != nil && (account.quota.maximumDeviceShare ?? 1) < 1
        if needsShares, account.shares == nil { return .needsShares }
        if let (code, reason) = reasonToRefuse(charge, account) {
            if isReread(code), now - account.readAt >= Governance.rereadInterval {
                forget(charge.space)
                return .needsAccount
            }
            return .refused(Refusal(code: code, position: position, reason: reason))
        }
        if let token = account.terms.token,
            let pause = rates[token]?.take(
                appendCount: charge.appendCount,
                byteCount: charge.byteCount,
                now: now
            )
        {
            return .refused(
                Refusal(
                    code: .rateLimited,
                    position: position,
                    retryAfter: pause,
                    reason: "the spaces of this token write too fast"
                )
            )
        }
        enter(charge, account.terms.token)
        return .charged
    }

    /// Spaces with fewer logs can't have a device with too many.
    private var smallLogCount: Int {
        min(policy.maximumDeviceLogCount, policy.maximumGuestLogCount)
    }

    /// Whether something may have been deleted since usage was read.
    private func isReread(_ code: Refusal.Code) -> Bool { code == .quotaExceeded }

    private func reasonToRefuse(
        _ charge: Charge,
        _ account: Account
    ) -> (Refusal.Code, String)? {
        let quota = account.quota
        if account.terms.isFrozen { return (.notHosted, "who runs the relay froze this space") }
        if let limit = quota.maximumEntryByteCount, charge.maximumEntryByteCount > limit {
            return (.tooLarge, "an entry has at most \(limit) bytes on this relay")
        }
        let byteCount = account.usage.byteCount + charge.byteCount
        if let limit = quota.maximumByteCount, byteCount > limit {
            return (.quotaExceeded, "the space's \(SizeText(limit)) on this relay are used up")
        }
        if charge.isNewLog, let limit = quota.maximumLogCount, account.usage.logCount >= limit {
            return (.quotaExceeded, "the space's \(limit) logs on this relay are used up")
        }
        if let token = account.terms.token, let known = tokens[token],
            let limit = known.record.quota.maximumByteCount,
            known.byteCount + charge.byteCount > limit
        {
            return (
                .quotaExceeded,
                "the \(SizeText(limit)) of the token that this space was founded with are used up"
            )
        }
        return reasonToRefuse(charge, account.shares?[charge.author] ?? Share(), quota)
    }

    private func reasonToRefuse(
        _ charge: Charge,
        _ share: Share,
        _ quota: SpaceQuota
    ) -> (Refusal.Code, String)? {
        let byteCount = share.byteCount + charge.byteCount
        if let limit = quota.maximumByteCount, let part = quota.maximumDeviceShare, part < 1,
            Double(byteCount) > Double(limit) * part
        {
            let text = "one device may have \(Int(part * 100)) % of the space's \(SizeText(limit))"
            return (.quotaExceeded, text + ", and this one has")
        }
        let logLimit =
            charge.isGuest ? policy.maximumGuestLogCount : policy.maximumDeviceLogCount
        if charge.isNewLog, share.logCount >= logLimit {
            return (.quotaExceeded, "one device has at most \(logLimit) logs in a space here")
        }
        if charge.isGuest, byteCount > policy.maximumGuestByteCount {
            let text = SizeText(policy.maximumGuestByteCount)
            return (.quotaExceeded, "a device that no owner has confirmed may write \(text) here")
        }
        return nil
    }

    private mutating func enter(_ charge: Charge, _ token: Int64?) {
        if let index = accounts.index(forKey: charge.space) {
            accounts.values[index].enter(charge)
        }
        if let token { tokens[token]?.byteCount += charge.byteCount }
    }
}

extension Governance.Account {
    fileprivate mutating func enter(_ charge: Governance.Charge) {
        let new = charge.share
        usage.byteCount += new.byteCount
        usage.logCount += new.logCount
        reserved.add(new)
        if shares != nil { shares?[charge.author, default: Governance.Share()].add(new) }
    }
}

extension Governance.Charge {
    /// What it adds to an account.
    var share: Governance.Share {
        Governance.Share(byteCount: byteCount, logCount: isNewLog ? 1 : 0)
    }

    /// What a batch at a log's tail takes up.
    init(
        _ batch: Batch,
        of tail: LogTail,
        _ space: SpaceID,
        _ isGuest: Bool,
        _ isNewLog: Bool
    ) {
        var (byteCount, maximumByteCount) = (0, 0)
        batch.packed.forEach { entry in
            byteCount += entry.count
            maximumByteCount = max(maximumByteCount, entry.count)
        }
        self.init(
            space: space,
            author: tail.descriptor.device,
            isGuest: isGuest,
            isNewLog: isNewLog,
            byteCount: UInt64(byteCount),
            maximumEntryByteCount: maximumByteCount
        )
    }

    /// What a run takes up that goes on with a log.
    init(_ run: AppendRun, isGuest: Bool) {
        var maximumByteCount = 0
        for append in run.appends {
            append.entries.forEach { maximumByteCount = max(maximumByteCount, $0.count) }
        }
        self.init(
            space: run.space,
            author: run.author,
            isGuest: isGuest,
            isNewLog: false,
            appendCount: run.appends.count,
            byteCount: UInt64(run.byteCount),
            maximumEntryByteCount: maximumByteCount
        )
    }
}

/// A number of bytes for a person: "1.5 GiB".
public struct SizeText: CustomStringConvertible {
    private let byteCount: UInt64

    /// - Parameter byteCount: any number of bytes.
    public init(_ byteCount: UInt64) { self.byteCount = byteCount }

    /// The number of bytes that a text means: `512`, `64KiB`, `10MB`.
    public static func read(_ text: String) -> UInt64? {
        ByteText.read(text).map { UInt64(clamping: $0) }
    }

    /// With the largest unit that leaves at least 1, and one digit after the point unless it is 0.
    public var description: String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var tenths = byteCount > .max / 10 ? .max : byteCount * 10
        var unit = 0
        while tenths >= 10_240, unit + 1 < units.count {
            tenths /= 1024
            unit += 1
        }
        let rest = tenths % 10
        return "\(tenths / 10)" + (rest == 0 ? "" : ".\(rest)") + " \(units[unit])"
    }
}
