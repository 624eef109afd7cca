// The sorted index behind the frames of a sealed segment.
//
//     runs      48 bytes a log, ascending by log
//               log u32, first place u32, count u32, previous u32, created u32, floor u32,
//               first u64, end u64, byteCount u64             (LogRun says what they are)
//     places    16 bytes a batch, by log and offset: end u64, position u32, length u32
//     spaces    12 bytes a space, ascending: space u32, genesis u32, access u32
//     controls   4 bytes a frame that isn't a batch: position u32
//     keys       4 bytes for each 128 runs: the log of the first of them
//     trailer   48 bytes, the last of the file:
//               magic "sgft", checksum u32 of the trailer behind it, epoch u32, end of frames u32,
//               start of footer u32, counts u32 of runs, places, spaces, controls, keys,
//               checksum u32 of everything from runs to keys, reserved u32
//
// To find a log's batches: the keys, in memory, give the block of 128 runs; one read of 6 KiB and
// a search in it give the run; one read gives its places. So a sealed segment costs 4 bytes of
// memory for 128 logs, and none for batches.
//
//     12 batches of logs 3 and 7:  runs [3: 0, 9][7: 9, 3]  places [9 of log 3][3 of log 7]

import SennitWire

/// The footer of a sealed segment, opened.
struct SegmentFooter: Sendable {
    let framesEnd: Int
    private let start: Int
    private let runCount: Int
    private let placeCount: Int
    private let spaceCount: Int
    private let controlCount: Int
    // Invariant: the log of every 128th run, ascending.
    private let keys: [UInt32]

    static let trailerByteCount = 48
    private static let magic: UInt32 = 0x7466_6773
    private static let blockCount = 128
    private static let runByteCount = 48
    private static let placeByteCount = 16
    private static let spaceByteCount = 12

    private var placesStart: Int { start + runCount * SegmentFooter.runByteCount }
    private var spacesStart: Int { placesStart + placeCount * SegmentFooter.placeByteCount }
    private var controlsStart: Int { spacesStart + spaceCount * SegmentFooter.spaceByteCount }
    private var keysStart: Int { controlsStart + controlCount * 4 }

    // MARK: Writing

    /// The footer of a segment whose frames end at `framesEnd`.
    static func bytes(of table: SegmentTable, epoch: UInt32, framesEnd: Int) -> [UInt8] {
        let logs = table.logs
        let capacity =
            logs.count * (runByteCount + 1) + table.batchCount * placeByteCount
            + (table.spaces.count + table.controls.count) * 16 + trailerByteCount
        var bytes: [UInt8] = []
        bytes.reserveCapacity(capacity)
        var nextPlace: UInt32 = 0
        for log in logs {
            let run = table.run(of: log) ?? LogRun()
            for value in [log, nextPlace, run.count, run.previous, run.created, run.floor] {
                bytes.appendField(value)
            }
            for value in [run.first, run.end, run.byteCount] { bytes.appendField(value) }
            nextPlace += run.count
        }
        for log in logs {
            for place in table.places(of: log, after: 0, maximumCount: .max) {
                bytes.appendField(place.end)
                bytes.appendField(place.position)
                bytes.appendField(place.length)
            }
        }
        for (space, run) in table.spaces.sorted(by: { $0.key < $1.key }) {
            for value in [space, run.genesis, run.access] { bytes.appendField(value) }
        }
        for position in table.controls { bytes.appendField(position) }
        let keys = stride(from: 0, to: logs.count, by: blockCount).map { logs[$0] }
        for key in keys { bytes.appendField(key) }
        let body = Checksum.crc32c(bytes)
        var trailer: [UInt8] = []
        for value in [
            magic, 0, epoch, UInt32(framesEnd), UInt32(framesEnd), UInt32(logs.count), nextPlace,
            UInt32(table.spaces.count), UInt32(table.controls.count), UInt32(keys.count), body, 0,
        ] { trailer.appendField(value) }
        trailer.setField(Checksum.crc32c(trailer, 8..<trailerByteCount), at: 4)
        return bytes + trailer
    }

    // MARK: Opening

    /// The footer of a file; `nil` if there is none or it doesn't check out.
    static func open(_ file: any StorageFile, epoch: UInt32) throws(FileFailure) -> SegmentFooter? {
        let size = try file.size()
        guard size >= SegmentHeader.byteCount + trailerByteCount else { return nil }
        let trailer = try file.read(trailerByteCount, at: size - trailerByteCount)
        guard trailer.count == trailerByteCount,
            trailer.field(at: 0, as: UInt32.self) == magic,
            trailer.field(at: 8, as: UInt32.self) == epoch,
            Checksum.crc32c(trailer, 8..<trailerByteCount) == trailer.field(at: 4, as: UInt32.self)
        else { return nil }
        let start = Int(trailer.field(at: 16, as: UInt32.self))
        guard start >= SegmentHeader.byteCount, start <= size - trailerByteCount else { return nil }
        let body = try file.read(size - trailerByteCount - start, at: start)
        guard Checksum.crc32c(body) == trailer.field(at: 40, as: UInt32.self) else { return nil }
        return SegmentFooter(trailer: trailer, body: body, start: start)
    }

    private init?(trailer: [UInt8], body: [UInt8], start: Int) {
        func count(at index: Int) -> Int { Int(trailer.field(at: index, as: UInt32.self)) }
        let keyCount = count(at: 36)
        framesEnd = count(at: 12)
        self.start = start
        runCount = count(at: 20)
        placeCount = count(at: 24)
        spaceCount = count(at: 28)
        controlCount = count(at: 32)
        let keysIndex = body.count - keyCount * 4
        guard keysIndex >= 0 else { return nil }
        keys = (0..<keyCount).map { body.field(at: keysIndex + 4 * $0) }
        guard keysStart + keyCount * 4 == start + body.count else { return nil }
    }

    // MARK: Looking up

    /// What the segment has of a log, with the index of its first place.
    func run(
        of log: UInt32,
        in file: any StorageFile
    ) throws(FileFailure) -> (run: LogRun, firstPlace: Int)? {
        // The last block that begins at or before the log.
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] <= log { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let firstRun = (low - 1) * SegmentFooter.blockCount
        let block = try runs(firstRun..<min(firstRun + SegmentFooter.blockCount, runCount), file)
        (low, high) = (0, block.count)
        while low < high {
            let middle = (low + high) / 2
            if block[middle].log < log { low = middle + 1 } else { high = middle }
        }
        guard low < block.count, block[low].log == log else { return nil }
        return (block[low].run, block[low].firstPlace)
    }

    /// Calls `body` with every run, ascending by log.
    func forEachRun(
        in file: any StorageFile,
        _ body: (UInt32, LogRun, Int) throws(FileFailure) -> Void
    ) throws(FileFailure) {
        for first in stride(from: 0, to: runCount, by: 4096) {
            for item in try runs(first..<min(first + 4096, runCount), file) {
                try body(item.log, item.run, item.firstPlace)
            }
        }
    }

    private func runs(
        _ range: Range<Int>,
        _ file: any StorageFile
    ) throws(FileFailure) -> [(log: UInt32, run: LogRun, firstPlace: Int)] {
        let size = SegmentFooter.runByteCount
        let bytes = try file.read(range.count * size, at: start + range.lowerBound * size)
        return (0..<(bytes.count / size)).map { index in
            let at = index * size
            let run = LogRun(
                first: bytes.field(at: at + 24),
                end: bytes.field(at: at + 32),
                byteCount: bytes.field(at: at + 40),
                previous: bytes.field(at: at + 12),
                created: bytes.field(at: at + 16),
                floor: bytes.field(at: at + 20),
                count: bytes.field(at: at + 8)
            )
            return (bytes.field(at: at), run, Int(bytes.field(at: at + 4, as: UInt32.self)))
        }
    }

    /// Places by index.
    func places(_ range: Range<Int>, in file: any StorageFile) throws(FileFailure) -> [BatchPlace] {
        let size = SegmentFooter.placeByteCount
        let bytes = try file.read(range.count * size, at: placesStart + range.lowerBound * size)
        return (0..<(bytes.count / size)).map { index in
            BatchPlace(
                end: bytes.field(at: index * size),
                position: bytes.field(at: index * size + 8),
                length: bytes.field(at: index * size + 12)
            )
        }
    }

    /// The index of the first place of a run that ends after `offset`.
    func firstPlace(
        in range: Range<Int>,
        after offset: UInt64,
        _ file: any StorageFile
    ) throws(FileFailure) -> Int {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high {
            let middle = (low + high) / 2
            guard let place = try places(middle..<(middle + 1), in: file).first else { return high }
            if place.end <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The frames that tell of a space.
    func spaceRun(of space: UInt32, in file: any StorageFile) throws(FileFailure) -> SpaceRun? {
        let size = SegmentFooter.spaceByteCount
        var (low, high) = (0, spaceCount)
        while low < high {
            let middle = (low + high) / 2
            let bytes = try file.read(size, at: spacesStart + middle * size)
            guard bytes.count == size else { return nil }
            let found: UInt32 = bytes.field(at: 0)
            if found == space {
                return SpaceRun(genesis: bytes.field(at: 4), access: bytes.field(at: 8))
            }
            if found < space { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// Positions of the frames that aren't batches.
    func controls(in file: any StorageFile) throws(FileFailure) -> [UInt32] {
        let bytes = try file.read(controlCount * 4, at: controlsStart)
        return (0..<(bytes.count / 4)).map { bytes.field(at: $0 * 4) }
    }
}
