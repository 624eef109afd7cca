import SennitWire
import Testing

@testable import RelayStorage

struct SegmentCompactionTests {
    let disk = SimulatedFiles(seed: 1)

    private var options: SegmentStorage.Options {
        var options = SegmentStorage.Options.inline
        options.segmentByteCount = 16 << 10
        options.fillsAhead = false
        return options
    }

    private var sizes: Int {
        disk.names().filter { Segment.number($0) != nil }.reduce(0) {
            $0 + disk.contents(of: $1).count
        }
    }

    private func fill(_ storage: SegmentStorage, _ logs: [FakeLog], rounds: UInt64) throws {
        for log in logs where try storage.log(log.id) == nil {
            if try storage.space(log.space) == nil {
                try storage.commit([.createSpace(log.genesis)])
            }
            try storage.commit([.createLog(log.descriptor, space: log.space)])
        }
        for round in 0..<rounds {
            for log in logs {
                try storage.commit([.append(log.batch(round * 4, round * 4 + 4), log: log.id)])
            }
        }
    }

    @Test func `what was deleted gives its room back, and what is left is the same`() throws {
        let logs = (0..<4).map { FakeLog($0, space: $0 / 2) }
        var storage = try SegmentStorage(files: disk, options: options)
        try fill(storage, logs, rounds: 40)
        #expect(try storage.compact().rewrittenCount == 0)
        try storage.delete(below: Offset(100), of: logs[0].id)
        try storage.commit([.removeSpace(logs[2].space)])
        let before = sizes
        let report = try storage.compact(maximumLiveShare: 0.9)
        #expect(report.rewrittenCount > 3)
        #expect(report.freedByteCount > 0 && sizes == before - report.freedByteCount)
        for life in 0..<3 {
            #expect(storage.damages == [])
            #expect(try logs[0].read(from: storage)?.start == 100)
            #expect(try logs[0].read(from: storage)?.end == 160)
            #expect(try logs[1].read(from: storage)?.start == 0)
            #expect(try logs[1].read(from: storage)?.end == 160)
            #expect(try storage.log(logs[2].id) == nil)
            #expect(try storage.spaces() == [logs[0].space])
            #expect(
                try storage.verify(checksSignatures: false).damages.allSatisfy {
                    // The chains of these logs are made up.
                    "\($0)".contains("chain")
                }
            )
            try storage.close()
            if life == 1 { disk.lose(Checkpoint.name) }
            storage = try SegmentStorage(files: disk, options: options)
        }
    }

    @Test func `a compacted segment has each log's batches together`() throws {
        let logs = (0..<3).map { FakeLog($0) }
        let storage = try SegmentStorage(files: disk, options: options)
        try fill(storage, logs, rounds: 20)
        try storage.delete(below: Offset(8), of: logs[0].id)
        _ = try storage.compact(maximumLiveShare: 0.99)
        let name = try #require(disk.names().first { Segment.number($0) != nil })
        let bytes = disk.contents(of: name)
        guard case .header(let header) = SegmentHeader.read(bytes) else { return }
        let footer = try #require(
            try SegmentFooter.open(disk.open(name), epoch: header.epoch)
        )
        let scan = SegmentScan(bytes, epoch: header.epoch, knownEnd: footer.framesEnd)
        let numbers = scan.frames.filter { $0.header.kind == .batch }.map(\.header.number)
        #expect(Set(numbers).count > 1)
        #expect(numbers == numbers.sorted())
    }

    @Test func `a space founded again isn't mixed up with the one that was removed`() throws {
        let log = FakeLog(1)
        var storage = try SegmentStorage(files: disk, options: options)
        try fill(storage, [log], rounds: 10)
        try storage.commit([.removeSpace(log.space)])
        try fill(storage, [log], rounds: 3)
        for step in 0..<3 {
            #expect(try log.read(from: storage)?.ends == [4, 8, 12])
            if step == 0 { _ = try storage.compact(maximumLiveShare: 1) }
            try storage.close()
            if step == 1 { disk.lose(Checkpoint.name) }
            storage = try SegmentStorage(files: disk, options: options)
        }
        let usage = try storage.usage(of: log.space)
        #expect(usage.entryCount == 12 && usage.logCount == 1)
    }

    @Test func `a segment with damage is left as it is`() throws {
        let logs = (0..<2).map { FakeLog($0) }
        var storage = try SegmentStorage(files: disk, options: options)
        try fill(storage, logs, rounds: 20)
        try storage.delete(below: Offset(40), of: logs[0].id)
        try storage.close()
        let name = try #require(disk.names().first { Segment.number($0) != nil })
        var bytes = disk.contents(of: name)
        bytes[SegmentHeader.byteCount + 1000] ^= 1
        disk.put(bytes, as: name)
        storage = try SegmentStorage(files: disk, options: options)
        #expect(throws: StorageError.self) { _ = try storage.compact(maximumLiveShare: 1) }
        #expect(disk.contents(of: name) == bytes)
    }
}
