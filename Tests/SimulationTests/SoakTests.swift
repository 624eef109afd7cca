import Foundation
import Testing

/// A search of its own, not part of `make test`: `make soak SECONDS=3600`, or one seed again by
/// `make soak SEED=17`.
@Suite struct SoakTests {
    private static let environment = ProcessInfo.processInfo.environment

    @Test(.enabled(if: environment["SENNIT_SEED"]?.isEmpty == false))
    func `soak: one seed again`() throws {
        let seed = try #require(UInt64(SoakTests.environment["SENNIT_SEED"] ?? ""))
        check(seed)
        try MembershipWorld(seed: seed).run()
    }

    @Test(.enabled(if: environment["SENNIT_SOAK_SECONDS"]?.isEmpty == false))
    func `soak: fresh seeds until the time is up`() throws {
        let seconds = try #require(Double(SoakTests.environment["SENNIT_SOAK_SECONDS"] ?? ""))
        let end = Date().addingTimeInterval(seconds)
        var seed = UInt64(Date().timeIntervalSince1970 * 1000)
        let first = seed
        while Date() < end {
            check(seed)
            if let failure = MembershipSimulationTests.failure(of: seed) {
                Issue.record("members, seed \(seed): \(failure)")
            }
            seed += 1
        }
        print("soak: \(seed - first) seeds from \(first)")
    }
}
