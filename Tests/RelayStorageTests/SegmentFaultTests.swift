import SennitWire
import Synchronization
import Testing

@testable import RelayStorage

/// Errors of the disk, at every operation in turn.
struct SegmentFaultTests {
    let logs = (0..<3).map { FakeLog($0) }

    /// Twenty groups over several segments, with what was acked.
    private func work(
        _ storage: SegmentStorage,
        _ acked: inout [UInt64],
        groups: Int = 14
    ) {
        for group in 0..<groups {
            let index = group % logs.count
            let log = logs[index]
            if let known = try? storage.space(log.space), known.genesis == log.genesis {
            } else if (try? storage.commit([.createSpace(log.genesis)])) == nil {
                continue
            }
            let record = try? storage.log(log.id)
            let from = record?.end.value ?? 0
            var unit: StorageUnit = [.append(log.batch(from, from + 4), log: log.id)]
            if record == nil { unit.insert(.createLog(log.descriptor, space: log.space), at: 0) }
            if (try? storage.commit(unit)) != nil { acked[index] = from + 4 }
        }
    }

    private var options: SegmentStorage.Options {
        var options = SegmentStorage.Options.inline
        options.segmentByteCount = 12 << 10
        options.checkpointSegmentCount = 1
        return options
    }

    /// One segment that is never full, so that a group is one write and one sync.
    private var large: SegmentStorage.Options {
        var options = SegmentStorage.Options.inline
        options.segmentByteCount = 256 << 10
        options.fillsAhead = false
        return options
    }

    @Test(arguments: [
        SimulatedFiles.Fault.error("I/O error"), .error("no space left"), .short(1),
        .short(700),
    ])
    func `whatever operation fails, what was acked stays and appends go on`(
        fault: SimulatedFiles.Fault
    ) throws {
        let plain = SimulatedFiles(seed: 0)
        var acked = [UInt64](repeating: 0, count: logs.count)
        work(try SegmentStorage(files: plain, options: options), &acked)
        #expect(acked == [20, 20, 16])
        let operationCount = plain.operationCount
        #expect(operationCount > 40)
        for number in 1...operationCount {
            let disk = SimulatedFiles(seed: UInt64(number))
            disk.fail(number, with: fault)
            let storage = try SegmentStorage(files: disk, options: options)
            var acked = [UInt64](repeating: 0, count: logs.count)
            work(storage, &acked)
            let sum = acked.reduce(0, +)
            #expect(sum >= 48, "operation \(number) stopped more than one append")
            for life in ["before", "after"] {
                let seen =
                    life == "before"
                    ? storage
                    : try SegmentStorage(
                        files: disk.afterPowerCut(seed: UInt64(number)),
                        options: options
                    )
                #expect(seen.damages == [])
                for (log, end) in zip(logs, acked) {
                    let found = try log.read(from: seen)?.end ?? 0
                    #expect(found >= end, "operation \(number), \(life) the power cut")
                }
            }
        }
    }

    @Test func `a file whose write or sync failed is never written again`() throws {
        for (name, offset) in [("write", 1), ("sync", 2)] {
            let disk = SimulatedFiles(seed: 1)
            let storage = try SegmentStorage(files: disk, options: large)
            var acked = [UInt64](repeating: 0, count: logs.count)
            work(storage, &acked, groups: 4)
            let before = disk.history.count
            disk.fail(disk.operationCount + offset, with: .error("I/O error"))
            work(storage, &acked, groups: 12)
            let failed = disk.history[before + offset - 1]
            #expect(failed.hasPrefix(name))
            let file = failed.split(separator: " ")[1]
            let later = disk.history[(before + offset)...]
            #expect(!later.contains("write \(file)") && !later.contains("sync \(file)"))
            #expect(later.contains { $0.hasPrefix("write ") })
            #expect(try logs[0].read(from: storage)?.end == acked[0])
        }
    }

    @Test func `a failed sync fails all that is reserved after it, and then it fits again`() throws
    {
        let disk = SimulatedFiles(seed: 1)
        let storage = try SegmentStorage(files: disk, options: large)
        let log = logs[0]
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
        ])
        disk.fail(disk.operationCount + 2, with: .error("I/O error"))
        let results = Mutex<[Bool]>([])
        for offset in 0..<5 as Range<UInt64> {
            storage.submit([[.append(log.batch(offset, offset + 1), log: log.id)]]) { answer in
                results.withLock { $0.append(answer[0] == nil) }
            }
        }
        #expect(try log.read(from: storage)?.end == 0)
        storage.pump()
        #expect(results.withLock { $0 } == [Bool](repeating: false, count: 5))
        #expect(try log.read(from: storage)?.end == 0)
        #expect(storage.figures.failedAt != nil)
        try storage.commit([.append(log.batch(0, 2), log: log.id)])
        #expect(try log.read(from: storage)?.ends == [2])
        #expect(storage.figures.failureCount == 1)
        #expect(storage.figures.failedAt == nil)
    }

    @Test func `nobody reads and nobody is told before the sync`() throws {
        let disk = SimulatedFiles(seed: 1)
        let storage = try SegmentStorage(files: disk, options: large)
        let log = logs[0]
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
        ])
        let seen = Mutex<[String]>([])
        let before = disk.history.count
        storage.submit([[.append(log.batch(0, 1), log: log.id)]]) { _ in
            seen.withLock { $0 = disk.history }
        }
        #expect(try log.read(from: storage)?.end == 0)
        storage.pump()
        let history = seen.withLock { $0 }
        #expect(history.count == before + 2)
        #expect(history.last?.hasPrefix("sync ") == true)
    }

    @Test func `a full disk refuses appends and takes them when there is room`() throws {
        let disk = SimulatedFiles(seed: 1)
        let storage = try SegmentStorage(files: disk, options: options)
        var acked = [UInt64](repeating: 0, count: logs.count)
        work(storage, &acked)
        let full = acked
        disk.setFailing(true)
        work(storage, &acked)
        #expect(acked == full)
        for (log, end) in zip(logs, full) { #expect(try log.read(from: storage)?.end == end) }
        disk.setFailing(false)
        work(storage, &acked, groups: 3)
        #expect(acked.reduce(0, +) == full.reduce(0, +) + 12)
    }

    @Test func `what is stored keeps to its limit`() throws {
        var options = options
        options.maximumByteCount = 60 << 10
        let disk = SimulatedFiles(seed: 1)
        var storage = try SegmentStorage(files: disk, options: options)
        let log = logs[0]
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
        ])
        var end: UInt64 = 0
        while (try? storage.commit([.append(log.batch(end, end + 4), log: log.id)])) != nil {
            end += 4
            guard end < 1000 else { break }
        }
        #expect((100..<1000).contains(end))
        #expect(try log.read(from: storage)?.end == end)
        try storage.close()
        storage = try SegmentStorage(files: disk, options: options)
        #expect(throws: StorageError.self) {
            try storage.commit([.append(log.batch(end, end + 4), log: log.id)])
        }
        try storage.delete(below: Offset(end - 4), of: log.id)
        _ = try storage.compact()
        try storage.commit([.append(log.batch(end, end + 4), log: log.id)])
    }
}
