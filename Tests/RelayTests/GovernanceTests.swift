import Foundation
import RelayStorage
import SennitWire
import Testing

@testable import RelayCore

struct GovernanceTests {
    private let space = TestDevice(1).genesis().spaceID
    private let other = TestDevice(2).genesis().spaceID
    private let author = TestDevice(1).key
    private let flooder = TestDevice(2).key
    private let position = Position(log: LogID(value: .zero), offset: .zero)

    private func policy(bytes: UInt64? = nil, share: Double = 1) -> RelayPolicy {
        var policy = RelayPolicy()
        policy.spaceQuota.maximumByteCount = bytes
        policy.spaceQuota.maximumDeviceShare = share
        return policy
    }

    private func charge(
        _ byteCount: UInt64,
        by author: DeviceKey? = nil,
        guest: Bool = false,
        newLog: Bool = false,
        appends: Int = 1,
        entry: Int = 1,
        in space: SpaceID? = nil
    ) -> Governance.Charge {
        Governance.Charge(
            space: space ?? self.space,
            author: author ?? self.author,
            isGuest: guest,
            isNewLog: newLog,
            appendCount: appends,
            byteCount: byteCount,
            maximumEntryByteCount: entry
        )
    }

    /// The answer to a charge; what is missing is said as it is given.
    private func answer(
        _ rules: inout Governance,
        _ charge: Governance.Charge,
        usage: StorageUsage = StorageUsage(),
        shares: [DeviceKey: Governance.Share] = [:],
        terms: SpaceTerms = SpaceTerms(),
        now: Duration = .zero
    ) -> Refusal? {
        for _ in 0..<4 {
            switch rules.charge(charge, at: position, now: now) {
            case .charged: return nil
            case .refused(let refusal): return refusal
            case .needsAccount: rules.open(charge.space, terms, usage, now: now)
            case .needsShares: rules.open(charge.space, shares: shares)
            }
        }
        Issue.record("it asks again and again")
        return nil
    }

    @Test func `a space takes its bytes and not one more, and others are not asked`() {
        var rules = Governance(policy(bytes: 100))
        let usage = StorageUsage(logCount: 1, entryCount: 1, byteCount: 40)
        #expect(answer(&rules, charge(60), usage: usage) == nil)
        let refusal = answer(&rules, charge(1), usage: usage)
        #expect(refusal?.code == .quotaExceeded)
        #expect(refusal?.position == position)
        #expect(refusal?.reason == "the space's 100 bytes on this relay are used up")
        #expect(answer(&rules, charge(100, in: other)) == nil)
    }

    @Test func `usage that went down is noticed, and read no more than once a second`() {
        var rules = Governance(policy(bytes: 100))
        #expect(answer(&rules, charge(100)) == nil)
        #expect(answer(&rules, charge(1), now: .milliseconds(999)) != nil)
        #expect(rules.charge(charge(1), at: position, now: .seconds(1)) == .needsAccount)
        #expect(answer(&rules, charge(1), now: .seconds(1)) == nil)
    }

    @Test func `one device that floods leaves room for the others`() {
        var rules = Governance(policy(bytes: 1000, share: 0.8))
        #expect(answer(&rules, charge(800, by: flooder)) == nil)
        let refusal = answer(&rules, charge(1, by: flooder))
        #expect(refusal?.code == .quotaExceeded)
        #expect(refusal?.reason.contains("one device may have 80 %") == true)
        #expect(answer(&rules, charge(200)) == nil)
        // A log of its own doesn't help: shares are by device.
        let known = [flooder: Governance.Share(byteCount: 800, logCount: 1)]
        var again = Governance(policy(bytes: 1000, share: 0.8))
        let usage = StorageUsage(logCount: 1, entryCount: 9, byteCount: 800)
        let second = charge(1, by: flooder, newLog: true)
        #expect(answer(&again, second, usage: usage, shares: known)?.code == .quotaExceeded)
    }

    @Test func `an entry over the limit is too large, whatever room there is`() {
        var policy = policy()
        policy.spaceQuota.maximumEntryByteCount = 10
        var rules = Governance(policy)
        #expect(answer(&rules, charge(30, entry: 10)) == nil)
        #expect(answer(&rules, charge(11, entry: 11))?.code == .tooLarge)
    }

    @Test func `logs are counted by space and by device`() {
        var policy = policy()
        policy.spaceQuota.maximumLogCount = 8
        policy.maximumDeviceLogCount = 5
        var rules = Governance(policy)
        // What storage has by the time that it matters.
        let shares = [author: Governance.Share(byteCount: 4, logCount: 4)]
        func begins(_ device: DeviceKey) -> Refusal? {
            answer(&rules, charge(1, by: device, newLog: true), shares: shares)
        }
        for _ in 0..<5 { #expect(begins(author) == nil) }
        #expect(begins(author)?.reason.contains("at most 5 logs") == true)
        #expect(answer(&rules, charge(1), shares: shares) == nil)
        for _ in 0..<3 { #expect(begins(flooder) == nil) }
        #expect(begins(flooder)?.reason.contains("8 logs on this relay") == true)
    }

    @Test func `a device that only an invite let in may have little`() {
        var policy = policy()
        policy.maximumGuestByteCount = 50
        policy.maximumGuestLogCount = 2
        var rules = Governance(policy)
        #expect(answer(&rules, charge(50, by: flooder, guest: true, newLog: true)) == nil)
        #expect(answer(&rules, charge(1, by: flooder, guest: true))?.code == .quotaExceeded)
        // Listed, it is like any other.
        #expect(answer(&rules, charge(1, by: flooder)) == nil)
        let (one, two, three) = (TestDevice(3).key, TestDevice(4).key, TestDevice(5).key)
        #expect(answer(&rules, charge(1, by: one, guest: true, newLog: true)) == nil)
        #expect(answer(&rules, charge(1, by: one, guest: true, newLog: true)) == nil)
        #expect(answer(&rules, charge(1, by: one, guest: true, newLog: true)) != nil)
        #expect(answer(&rules, charge(51, by: two, guest: true, newLog: true)) != nil)
        #expect(answer(&rules, charge(50, by: three, guest: true, newLog: true)) == nil)
    }

    @Test func `a frozen space takes nothing`() {
        var rules = Governance(policy())
        var terms = SpaceTerms()
        terms.isFrozen = true
        #expect(answer(&rules, charge(1), terms: terms)?.code == .notHosted)
    }

    @Test func `a space's own quota goes before the relay's`() {
        var rules = Governance(policy(bytes: 10))
        var terms = SpaceTerms()
        terms.quota.maximumByteCount = 20
        #expect(answer(&rules, charge(20), terms: terms) == nil)
        #expect(answer(&rules, charge(1), terms: terms) != nil)
    }

    private func token(bytes: UInt64?, stopped: Bool = false) -> TokenRecord {
        TokenRecord(
            id: 7,
            name: "friends",
            created: Date(timeIntervalSince1970: 0),
            isServingStopped: stopped,
            quota: TokenQuota(maximumByteCount: bytes)
        )
    }

    @Test func `the spaces of a token share its bytes`() {
        var rules = Governance(policy())
        var terms = SpaceTerms()
        terms.token = 7
        rules.open(token(bytes: 100), byteCount: 10, now: .zero)
        #expect(answer(&rules, charge(50), terms: terms) == nil)
        #expect(answer(&rules, charge(40, in: other), terms: terms) == nil)
        let refusal = answer(&rules, charge(1, in: other), terms: terms)
        #expect(refusal?.code == .quotaExceeded)
        #expect(refusal?.reason.contains("100 bytes of the token") == true)
    }

    @Test func `the spaces of a token share its rate, and hear how long to wait`() {
        var policy = policy()
        policy.tokenRate.appendsPerSecond = 2
        policy.tokenRate.bytesPerSecond = 100
        var rules = Governance(policy)
        var terms = SpaceTerms()
        terms.token = 7
        rules.open(token(bytes: nil), byteCount: 0, now: .zero)
        for _ in 0..<20 { #expect(answer(&rules, charge(1), terms: terms) == nil) }
        let refusal = answer(&rules, charge(1, in: other), terms: terms)
        #expect(refusal?.code == .rateLimited)
        #expect(refusal?.retryAfter == .milliseconds(500))
        #expect(answer(&rules, charge(5000), terms: terms, now: .milliseconds(500)) == nil)
        // A debt of 4,000 bytes is paid off at 100 a second.
        let debt = answer(&rules, charge(1), terms: terms, now: .seconds(10))?.retryAfter
        #expect((debt ?? .zero) > .seconds(25))
        #expect(answer(&rules, charge(1), terms: terms, now: .seconds(60)) == nil)
    }

    @Test func `a run counts as many appends as it has, and reading again fills no bucket`() {
        var policy = policy(bytes: 10)
        policy.tokenRate.appendsPerSecond = 2
        var rules = Governance(policy)
        var terms = SpaceTerms()
        terms.token = 7
        rules.open(token(bytes: nil), byteCount: 0, now: .zero)
        #expect(answer(&rules, charge(10, appends: 20), terms: terms) == nil)
        rules.forgetAll()
        rules.forget(space)
        rules.open(token(bytes: nil), byteCount: 0, now: .zero)
        #expect(answer(&rules, charge(1), terms: terms)?.code == .rateLimited)
    }

    @Test func `what is on its way weighs when the account is read again`() {
        var rules = Governance(policy(bytes: 100))
        #expect(answer(&rules, charge(70, newLog: true)) == nil)
        #expect(rules.reserved(of: space) == Governance.Share(byteCount: 70, logCount: 1))
        // Storage has none of it yet.
        rules.forget(space)
        let reserved = rules.reserved(of: space)
        rules.open(space, SpaceTerms(), StorageUsage(), beside: reserved, now: .zero)
        #expect(answer(&rules, charge(31))?.code == .quotaExceeded)
        #expect(answer(&rules, charge(30)) == nil)
        // 70 and then 30 are stored, or refused.
        rules.settle(space, Governance.Share(byteCount: 70, logCount: 1))
        #expect(rules.reserved(of: space) == Governance.Share(byteCount: 30))
        rules.forgetAll()
        #expect(rules.reserved(of: space) == Governance.Share(byteCount: 30))
        rules.settle(space, Governance.Share(byteCount: 30))
        #expect(rules.reserved(of: space) == Governance.Share())
        #expect(answer(&rules, charge(100)) == nil)
    }

    @Test func `an account that was opened meanwhile is not opened again`() {
        var rules = Governance(policy(bytes: 100))
        #expect(answer(&rules, charge(90)) == nil)
        // Who read usage before that comes late with it.
        rules.open(space, SpaceTerms(), StorageUsage(), now: .zero)
        #expect(answer(&rules, charge(11))?.code == .quotaExceeded)
    }

    @Test func `a revoked token may stop its spaces from being served`() {
        var rules = Governance(policy())
        var terms = SpaceTerms()
        terms.token = 7
        rules.open(space, terms, StorageUsage(), now: .zero)
        rules.open(token(bytes: nil), byteCount: 0, now: .zero)
        #expect(rules.refusalToServe(space) == nil)
        rules.open(token(bytes: nil, stopped: true), byteCount: 0, now: .zero)
        #expect(rules.refusalToServe(space)?.code == .notHosted)
    }

    @Test func `bytes are told in the unit that fits`() {
        #expect("\(SizeText(0))" == "0 bytes")
        #expect("\(SizeText(1023))" == "1023 bytes")
        #expect("\(SizeText(1024))" == "1 KiB")
        #expect("\(SizeText(1536 << 20))" == "1.5 GiB")
        #expect("\(SizeText(.max))".hasSuffix("EiB"))
    }
}
