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

    @Test func `histories go to the disk and come back, in every way`() throws {
        var sum = SimulatedHistory()
        for seed in 1000..<1040 as Range<UInt64> {
            let world = try World(seed: seed)
            try world.run()
            for device in world.devices {
                sum.restCount += device.history.restCount
                sum.loadCount += device.history.loadCount
                sum.failureCount += device.history.failureCount
                sum.replayCount += device.history.replayCount
                sum.startCount += device.history.startCount
                sum.heldEntryCount += device.history.heldEntryCount
                sum.heldEditCount += device.history.heldEditCount
            }
        }
        #expect(sum.restCount > 100 && sum.loadCount > 100, "\(sum)")
        #expect(sum.heldEntryCount > 50 && sum.heldEditCount > 20, "\(sum)")
        #expect(sum.failureCount > 5 && sum.replayCount > 5 && sum.startCount > 5, "\(sum)")
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
