import Testing

/// Many seeds in `make test`; `make soak SECONDS=…` goes on for as long as it is told.
@Suite struct SimulationTests {
    static let seedCount: UInt64 = 300

    @Test(arguments: stride(from: UInt64(0), to: seedCount, by: 50).map { $0 })
    func `devices converge whatever the network, the relay and crashes do`(first: UInt64) {
        for seed in first..<(first + 50) { check(seed) }
    }

    @Test func `one seed gives one run`() throws {
        for seed in [3, 14, 15] as [UInt64] {
            let one = try World(seed: seed)
            try one.run()
            let other = try World(seed: seed)
            try other.run()
            #expect(one.trace == other.trace, "seed \(seed) gives two runs")
        }
    }

    @Test func `a run does something`() throws {
        let world = try World(seed: 1)
        try world.run()
        #expect(world.editCount > 30)
        #expect(world.devices[0].journal.operations.count > 10)
    }
}

/// Runs one seed; on failure says how to run it again.
func check(_ seed: UInt64) {
    do {
        let world = try World(seed: seed)
        do {
            try world.run()
        } catch {
            Issue.record(
                "seed \(seed) (\(world.plan)): \(error). Again: SENNIT_SEED=\(seed) make soak"
            )
        }
    } catch {
        Issue.record("seed \(seed) does not start: \(error)")
    }
}
