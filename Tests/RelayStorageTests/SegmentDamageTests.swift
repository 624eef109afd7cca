import SennitWire
import Testing

@testable import RelayStorage

/// Bits that turn, files that are cut short or lost.
struct SegmentDamageTests {
    let logs = (0..<3).map { FakeLog($0, maximumEntryByteCount: 60) }
    let disk = SimulatedFiles(seed: 3)

    /// A storage that was killed: one segment, four groups for each log, not sealed.
    private func fill() throws -> (name: String, frames: [PlacedFrame], epoch: UInt32) {
        var options = SegmentStorage.Options.inline
        options.fillsAhead = false
        let storage = try SegmentStorage(files: disk, options: options)
        try storage.commit([.createSpace(logs[0].genesis)])
        for log in logs { try storage.commit([.createLog(log.descriptor, space: log.space)]) }
        for round in 0..<4 as Range<UInt64> {
            for log in logs {
                try storage.commit([.append(log.batch(round * 3, round * 3 + 3), log: log.id)])
            }
        }
        let name = try #require(disk.names().last { disk.contents(of: $0).contains { $0 != 0 } })
        let bytes = disk.contents(of: name)
        guard case .header(let header) = SegmentHeader.read(bytes) else {
            throw StorageError.closed
        }
        let frames = SegmentScan(bytes, epoch: header.epoch, knownEnd: nil).frames
        #expect(frames.count == 16)
        return (name, frames, header.epoch)
    }

    private func open(_ bytes: [UInt8], as name: String) throws -> SegmentStorage {
        let copy = disk.copy()
        copy.put(bytes, as: name)
        return try SegmentStorage(files: copy, options: .inline)
    }

    @Test func `a bit that turned before the last group is told and never read as the end`() throws
    {
        let (name, frames, _) = try fill()
        let bytes = disk.contents(of: name)
        for frame in frames.dropLast() where frame.header.kind == .batch {
            for at in stride(from: 0, to: Int(frame.header.length), by: 5) {
                var damaged = bytes
                damaged[frame.position + at] ^= 0x10
                let storage = try open(damaged, as: name)
                let place = "byte \(at) of the frame at \(frame.position)"
                #expect(
                    storage.damages.contains { if case .damagedFile = $0 { true } else { false } }
                )
                try check(storage, frame, place)
            }
        }
    }

    private func check(_ storage: SegmentStorage, _ frame: PlacedFrame, _ place: String) throws {
        let first = frame.header.first
        for (number, log) in logs.enumerated() {
            guard number == Int(frame.header.number) else {
                #expect(try log.read(from: storage)?.end == 12, "\(place)")
                continue
            }
            let record = try #require(
                try storage.logs(of: log.space).first {
                    $0.descriptor == log.descriptor
                }
            )
            if record.end == Offset(first), first == 9 {
                // The header was hit and nothing of the log follows: the damage is told, but not
                // which log it is of. The log's author sees that the relay lacks entries.
                continue
            }
            #expect(record.end == Offset(12), "\(place)")
            let told = StorageError.damagedLog(
                log: log.id,
                offset: Offset(first),
                reason: "a batch is damaged"
            )
            #expect(storage.damages.contains(told), "\(place): \(storage.damages)")
            #expect(throws: StorageError.self, "\(place)") {
                _ = try storage.batches(
                    of: log.id,
                    from: Offset(first),
                    maximumCount: 9,
                    maximumByteCount: 1 << 20
                )
            }
            let after = try storage.batches(
                of: log.id,
                from: Offset(first + 3),
                maximumCount: 99,
                maximumByteCount: 1 << 20
            )
            #expect(after.last?.end ?? Offset(12) == Offset(12), "\(place)")
        }
    }

    @Test func `reading a damaged batch says where, and the rest of the log is read`() throws {
        let (name, frames, _) = try fill()
        var bytes = disk.contents(of: name)
        let frame = try #require(frames.first { $0.header.first == 3 && $0.header.number == 1 })
        bytes[frame.position + 250] ^= 1
        let storage = try open(bytes, as: name)
        let log = logs[1]
        func read(_ from: UInt64) throws -> [Batch] {
            try storage.batches(
                of: log.id,
                from: Offset(from),
                maximumCount: 256,
                maximumByteCount: 1 << 20
            )
        }
        #expect(try read(0).map(\.end.value) == [3])
        #expect(throws: StorageError.self) { _ = try read(3) }
        #expect(try read(6).map(\.end.value) == [9, 12])
        try storage.commit([.append(log.batch(12, 13), log: log.id)])
        #expect(try read(12) == [log.batch(12, 13)])
    }

    @Test func `a tail cut short anywhere ends the log before the torn unit`() throws {
        let (name, frames, _) = try fill()
        let bytes = disk.contents(of: name)
        let last = try #require(frames.last)
        let end = last.position + Int(last.header.length)
        for size in last.position...end {
            let storage = try open(Array(bytes[..<size]), as: name)
            #expect(storage.damages == [])
            #expect(try logs[2].read(from: storage)?.end == (size == end ? 12 : 9))
            #expect(try logs[0].read(from: storage)?.end == 12)
        }
    }

    @Test func `frames of another epoch behind the end are nothing`() throws {
        let (name, frames, epoch) = try fill()
        var bytes = disk.contents(of: name)
        let last = try #require(frames.last)
        let end = last.position + last.header.stride
        bytes += [UInt8](repeating: 0, count: end)
        let stale = Array(bytes[frames[4].position..<end])
        bytes.replaceSubrange(end..<(end + stale.count), with: stale)
        for frame in frames[4...] {
            let position = end + frame.position - frames[4].position
            bytes.setField(epoch &+ 1, at: position)
        }
        let storage = try open(bytes, as: name)
        #expect(storage.damages == [])
        for log in logs { #expect(try log.read(from: storage)?.end == 12) }
    }

    @Test func `one copy of the header is enough and none is refused`() throws {
        let (name, _, _) = try fill()
        var bytes = disk.contents(of: name)
        bytes[20] ^= 1
        let storage = try open(bytes, as: name)
        for log in logs { #expect(try log.read(from: storage)?.end == 12) }
        bytes[SegmentHeader.pageByteCount + 20] ^= 1
        #expect(throws: StorageError.self) { _ = try open(bytes, as: name) }
    }

    /// Several segments, sealed, with a checkpoint.
    private func fillMany() throws {
        var options = SegmentStorage.Options.inline
        options.segmentByteCount = 12 << 10
        let storage = try SegmentStorage(files: disk, options: options)
        try storage.commit([.createSpace(logs[0].genesis)])
        for log in logs { try storage.commit([.createLog(log.descriptor, space: log.space)]) }
        for round in 0..<20 as Range<UInt64> {
            for log in logs {
                try storage.commit([.append(log.batch(round * 3, round * 3 + 3), log: log.id)])
            }
        }
        try storage.close()
    }

    @Test func `without its checkpoint, or with a damaged one, everything is there`() throws {
        try fillMany()
        let bytes = disk.contents(of: Checkpoint.name)
        #expect(bytes.count > 100)
        for size in [0, 50, bytes.count - 1, bytes.count] {
            let copy = disk.copy()
            if size == 0 { copy.lose(Checkpoint.name) }
            var damaged = bytes
            damaged[bytes.count / 2] ^= 1
            if size > 0 { copy.put(Array(damaged[..<size]), as: Checkpoint.name) }
            let storage = try SegmentStorage(files: copy, options: .inline)
            #expect(storage.damages.count == (size == 0 ? 0 : 1))
            for log in logs { #expect(try log.read(from: storage)?.end == 60) }
            try storage.commit([.append(logs[0].batch(60, 61), log: logs[0].id)])
        }
    }

    @Test func `a damaged footer is worked around and found by a check`() throws {
        try fillMany()
        let names = disk.names().filter { name in
            Segment.number(name) != nil && disk.contents(of: name).first != 0
        }
        #expect(names.count > 3)
        for name in names {
            let copy = disk.copy()
            var bytes = disk.contents(of: name)
            bytes[bytes.count - 60] ^= 1
            copy.put(bytes, as: name)
            let storage = try SegmentStorage(files: copy, options: .inline)
            for log in logs { #expect(try log.read(from: storage)?.end == 60, "\(name)") }
            let found = try storage.verify(checksSignatures: false)
            #expect(found.damages.contains { "\($0)".contains("footer") })
        }
    }

    @Test func `a lost segment is told, and what isn't in it is read`() throws {
        try fillMany()
        let names = disk.names().filter { Segment.number($0) != nil }
        let copy = disk.copy()
        copy.lose(names[2])
        let storage = try SegmentStorage(files: copy, options: .inline)
        #expect(storage.damages.contains { "\($0)".contains(names[2]) })
        #expect(throws: StorageError.self) { _ = try logs[0].read(from: storage) }
        #expect(try storage.log(logs[0].id)?.end == Offset(60))
    }
}
