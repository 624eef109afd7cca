import SennitWire
import Synchronization
import Testing

@testable import RelayStorage

/// What is left after a power cut, for many seeds: all that was acked, and of the rest only whole
/// units.
struct SegmentPowerCutTests {
    @Test(arguments: Array(0..<20 as Range<UInt64>))
    func `after a power cut what was acked is there and nothing half`(seed: UInt64) throws {
        var world = try StorageWorld(seed: seed, hasFaults: false)
        for _ in 0..<5 { try world.live() }
        #expect(world.ackedCount > 40, "seed \(seed)")
        #expect(world.refusedCount < world.ackedCount, "seed \(seed)")
    }

    @Test(arguments: Array(1000..<1020 as Range<UInt64>))
    func `with writes and syncs that fail what was acked is there after a power cut`(
        seed: UInt64
    ) throws {
        var world = try StorageWorld(seed: seed, hasFaults: true)
        for _ in 0..<5 { try world.live() }
        #expect(world.ackedCount > 20, "seed \(seed)")
    }
}

/// A storage on a simulated disk, and what must be true of it.
struct StorageWorld {
    /// What is known of a log.
    private struct Model {
        let log: FakeLog
        /// What the next append starts from: what is reserved.
        var reserved: UInt64 = 0
        var isCreated = false
        /// What must be there, and what may be.
        var acked: UInt64 = 0
        var tried: UInt64 = 0
        var ackedStart: UInt64 = 0
        var triedStart: UInt64 = 0
    }

    /// A unit and what it does to which log.
    private struct Step {
        var unit: StorageUnit = []
        var ends: [(index: Int, end: UInt64)] = []
        var start: (index: Int, start: UInt64)?
    }

    private let seed: UInt64
    private let hasFaults: Bool
    private var random: SeededGenerator
    private var disk: SimulatedFiles
    private var storage: SegmentStorage
    private var options = SegmentStorage.Options.inline
    private var models: [Model]
    private(set) var ackedCount = 0
    private(set) var refusedCount = 0

    init(seed: UInt64, hasFaults: Bool) throws {
        self.seed = seed
        self.hasFaults = hasFaults
        random = SeededGenerator(seed: seed)
        options.segmentByteCount = Int.random(in: 12...40, using: &random) << 10
        options.checkpointSegmentCount = Int.random(in: 1...4, using: &random)
        options.fillsAhead = Bool.random(using: &random)
        disk = SimulatedFiles(seed: seed)
        storage = try SegmentStorage(files: disk, options: options)
        models = (0..<6).map { Model(log: FakeLog($0, space: $0 / 3)) }
        try storage.commit([.createSpace(models[0].log.genesis)])
        try storage.commit([.createSpace(models[5].log.genesis)])
    }

    /// One life of the storage, and what is found after it.
    mutating func live() throws {
        for _ in 0..<Int.random(in: 4...20, using: &random) {
            if hasFaults, Int.random(in: 0..<4, using: &random) == 0 { addFault() }
            _ = submitGroup()
            let dice = Int.random(in: 0..<12, using: &random)
            if dice == 0 { _ = try? storage.compact(maximumLiveShare: 0.95) }
            if dice == 1, !hasFaults {
                try storage.close()
                try open(disk)
            }
        }
        // The last group is in one of three states when it ends: acked, failing, or half written.
        let cut = random.next()
        if cut % 3 == 0 { disk.setFailing(true) }
        if cut % 3 == 1 { disk.fail(disk.operationCount + 2, with: .error("the power went")) }
        let last = submitGroup()
        try open(cut % 5 == 0 ? disk.copy() : disk.afterPowerCut(seed: cut))
        for index in models.indices { try check(index) }
        for step in last where step.ends.count == 2 && !hasFaults {
            let there = step.ends.map { models[$0.index].acked >= $0.end }
            #expect(there[0] == there[1], "seed \(seed): half of a unit")
        }
    }

    private mutating func open(_ disk: SimulatedFiles) throws {
        self.disk = disk
        storage = try SegmentStorage(files: disk, options: options)
        #expect(storage.damages == [], "seed \(seed)")
    }

    private mutating func addFault() {
        let faults: [SimulatedFiles.Fault] = [.error("I/O error"), .error("no space"), .short(100)]
        disk.fail(
            disk.operationCount + Int.random(in: 1...8, using: &random),
            with: faults[Int.random(in: 0..<3, using: &random)]
        )
    }

    /// A few units that share a sync.
    private mutating func submitGroup() -> [Step] {
        let results = ResultBox()
        let steps = (0..<Int.random(in: 1...6, using: &random)).map { _ in makeStep() }
        for (number, step) in steps.enumerated() {
            storage.submit([step.unit]) { results.set(number, $0[0] == nil) }
        }
        storage.pump()
        for (number, step) in steps.enumerated() {
            guard results.value(number) == true else {
                #expect(results.value(number) != nil, "seed \(seed): no completion")
                refusedCount += 1
                continue
            }
            ackedCount += 1
            for (index, end) in step.ends { models[index].acked = max(models[index].acked, end) }
            if let (index, start) = step.start { models[index].ackedStart = start }
        }
        // Where something failed, the next append starts from what is stored.
        for index in models.indices {
            let record = try? storage.log(models[index].log.id)
            #expect(record?.end.value ?? 0 == models[index].acked, "seed \(seed): log \(index)")
            models[index].reserved = models[index].acked
            models[index].isCreated = record != nil
        }
        return steps
    }

    private mutating func makeStep() -> Step {
        var step = Step()
        let index = Int.random(in: 0..<models.count, using: &random)
        let model = models[index]
        if model.acked > max(model.ackedStart, 12), Int.random(in: 0..<8, using: &random) == 0 {
            step.unit = [.truncate(model.log.head(model.acked), log: model.log.id)]
            step.start = (index, model.acked)
            models[index].triedStart = max(model.triedStart, model.acked)
            return step
        }
        addAppend(to: index, &step)
        if Int.random(in: 0..<4, using: &random) == 0 {
            addAppend(to: (index + 1) % models.count, &step)
        }
        return step
    }

    private mutating func addAppend(to index: Int, _ step: inout Step) {
        let log = models[index].log
        if !models[index].isCreated {
            step.unit.append(.createLog(log.descriptor, space: log.space))
            models[index].isCreated = true
        }
        let from = models[index].reserved
        let end = from + UInt64.random(in: 1...4, using: &random)
        step.unit.append(.append(log.batch(from, end), log: log.id))
        step.ends.append((index, end))
        models[index].reserved = end
        models[index].tried = max(models[index].tried, end)
    }

    private mutating func check(_ index: Int) throws {
        let model = models[index]
        let found = try model.log.read(from: storage)
        let end = found?.end ?? 0
        let start = found?.start ?? 0
        #expect(end >= model.acked, "seed \(seed): log \(index) lost acked entries")
        #expect(end <= model.tried, "seed \(seed): log \(index) has what nobody wrote")
        #expect(start >= model.ackedStart && start <= max(model.triedStart, model.ackedStart))
        let usage = try storage.usage(of: model.log.space)
        var computed = StorageUsage()
        for record in try storage.logs(of: model.log.space) {
            computed.logCount += 1
            computed.entryCount += record.end.value - (record.start?.end.value ?? 0)
            computed.byteCount += (record.head?.byteCount ?? 0) - (record.start?.byteCount ?? 0)
        }
        #expect(usage == computed, "seed \(seed): usage")
        models[index].isCreated = found != nil
        (models[index].reserved, models[index].acked, models[index].tried) = (end, end, end)
        (models[index].ackedStart, models[index].triedStart) = (start, start)
    }
}

/// What completions said.
private final class ResultBox: Sendable {
    private let values = Mutex<[Int: Bool]>([:])

    func set(_ number: Int, _ value: Bool) { values.withLock { $0[number] = value } }
    func value(_ number: Int) -> Bool? { values.withLock { $0[number] } }
}
