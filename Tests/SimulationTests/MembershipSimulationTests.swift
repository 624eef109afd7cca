import Testing

@Suite struct MembershipSimulationTests {
    static let seedCount: UInt64 = 400

    @Test func `members converge whatever is removed, joined and changed meanwhile`() {
        for seed in 0..<MembershipSimulationTests.seedCount {
            if let failure = MembershipSimulationTests.failure(of: seed) {
                Issue.record("seed \(seed): \(failure)")
            }
        }
    }

    @Test func `runs take back what they had applied, remove people and restore disks`() throws {
        var rebuilds = 0
        var removals = 0
        var renewals = 0
        for seed in 0..<(40 as UInt64) {
            let world = try MembershipWorld(seed: seed)
            try world.run()
            rebuilds += world.rebuildCount
            removals += world.removalCount
            renewals += world.renewalCount
        }
        #expect(rebuilds > 10)
        #expect(removals > 100)
        #expect(renewals > 10)
    }

    static func failure(of seed: UInt64) -> String? {
        do {
            try MembershipWorld(seed: seed).run()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
