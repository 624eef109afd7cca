// The index as of the end of one segment, so that opening need not go through those before it.
//
//     byte  0  magic "sennitcp"   8 format u32   12 covered u32   16 next segment u32
//          20  counts u32 of segments, logs, spaces, floors, spaces with admissions
//          40  reserved u64       48 relay name 32 bytes
//          80  segments    4 bytes each: number
//              logs       48 bytes each, as LogRow, in the order of their numbers
//              spaces     64 bytes each, as SpaceRow
//              floors     24 bytes each: log u32, segment u32, offset u64, byteCount u64
//              admissions space u32, count u32, then device[32] invite[32] for each
//              checksum u32, CRC-32C of everything before it
//
// It is written under another name, synced, and renamed. It is taken when the committer goes to the
// next segment, when the index is exactly that of the end of the last one. One million logs are
// 48 MB, read in well under a second.
//
// How often: after `checkpointSegmentCount` segments, and with many logs after so many more that
// checkpoints stay under a quarter of what is written.

import SennitWire

/// A copy of the index, to be written or just read.
struct Checkpoint {
    let relayName: Bytes32
    /// The last segment whose frames are in it.
    let covered: UInt32
    let segments: [UInt32]
    let nextSegment: UInt32
    let content: StoreIndex.Content

    static let name = "checkpoint"
    private static let newName = "checkpoint.new"
    private static let magic = Array("sennitcp".utf8)
    private static let formatVersion: UInt32 = 1
    private static let headerByteCount = 80
    private static let bufferByteCount = 1 << 20

    /// Whether a checkpoint pays after so many segments.
    static func isDue(
        after segmentCount: Int,
        rowCount: Int,
        options: SegmentStorage.Options
    ) -> Bool {
        let byteCount = rowCount * MemoryLayout<LogRow>.size
        let enough = 4 * byteCount / max(options.segmentByteCount, 1)
        return segmentCount >= max(options.checkpointSegmentCount, enough)
    }

    // MARK: Writing

    /// Writes the checkpoint in the place of the last one.
    func write(to files: any StorageFiles) throws(FileFailure) {
        let file = try files.create(Checkpoint.newName)
        var buffer = header
        var checksum: UInt32 = 0
        var position = 0
        func flush(_ minimum: Int) throws(FileFailure) {
            guard buffer.count >= minimum else { return }
            checksum = Checksum.crc32c(buffer, from: checksum)
            try file.writeAll(buffer, at: position)
            position += buffer.count
            buffer.removeAll(keepingCapacity: true)
        }
        for number in segments { buffer.appendField(number) }
        for number in 0..<UInt32(content.logs.count) {
            Checkpoint.append(content.logs[number], to: &buffer)
            try flush(Checkpoint.bufferByteCount)
        }
        for number in 0..<UInt32(content.spaces.count) {
            Checkpoint.append(content.spaces[number], to: &buffer)
            try flush(Checkpoint.bufferByteCount)
        }
        for (log, floor) in content.floors {
            buffer.appendField(log)
            buffer.appendField(floor.segment)
            buffer.appendField(floor.offset)
            buffer.appendField(floor.byteCount)
        }
        for (space, admissions) in content.admissions {
            buffer.appendField(space)
            buffer.appendField(UInt32(admissions.count))
            for (device, invite) in admissions {
                buffer.append(device.value)
                buffer.append(invite.value)
            }
            try flush(Checkpoint.bufferByteCount)
        }
        try flush(0)
        buffer.appendField(checksum)
        try file.writeAll(buffer, at: position)
        try file.synchronize()
        try files.rename(Checkpoint.newName, to: Checkpoint.name)
        try files.synchronizeDirectory()
    }

    private var header: [UInt8] {
        var bytes = Checkpoint.magic
        for value in [
            Checkpoint.formatVersion, covered, nextSegment, UInt32(segments.count),
            UInt32(content.logs.count), UInt32(content.spaces.count),
            UInt32(content.floors.count), UInt32(content.admissions.count), 0, 0,
        ] { bytes.appendField(value) }
        bytes.append(relayName)
        return bytes
    }

    private static func append(_ row: LogRow, to bytes: inout [UInt8]) {
        for value in [row.word0, row.word1, row.end, row.byteCount] { bytes.appendField(value) }
        for value in [row.last, row.created, row.space, row.next] { bytes.appendField(value) }
    }

    private static func append(_ row: SpaceRow, to bytes: inout [UInt8]) {
        bytes.append(row.id.value)
        for value in [row.created, row.access, row.firstLog, row.logCount] {
            bytes.appendField(value)
        }
        bytes.appendField(row.entryCount)
        bytes.appendField(row.byteCount)
    }

    // MARK: Reading

    /// The checkpoint of a directory; `nil` if there is none or it doesn't check out.
    /// - Throws: `newerFormat`; `failed`.
    static func read(from files: any StorageFiles) throws(StorageError) -> Checkpoint? {
        let bytes: [UInt8]
        do throws(FileFailure) {
            guard try files.names().contains(name) else { return nil }
            let file = try files.open(name)
            bytes = try file.read(try file.size(), at: 0)
        } catch {
            throw StorageError(error)
        }
        guard bytes.count >= headerByteCount + 4, Array(bytes[..<8]) == magic else { return nil }
        let version: UInt32 = bytes.field(at: 8)
        guard version <= formatVersion else {
            throw .newerFormat(path: files.path + "/" + name, version: Int(version))
        }
        let end = bytes.count - 4
        guard Checksum.crc32c(bytes, 0..<end) == bytes.field(at: end, as: UInt32.self) else {
            return nil
        }
        return Checkpoint(bytes, end: end)
    }

    private init?(_ bytes: [UInt8], end: Int) {
        func count(_ index: Int) -> Int { Int(bytes.field(at: 20 + 4 * index, as: UInt32.self)) }
        guard let relayName = Bytes32(bytes[48..<80]) else { return nil }
        self.relayName = relayName
        covered = bytes.field(at: 12)
        nextSegment = bytes.field(at: 16)
        let fixed = count(0) * 4 + count(1) * 48 + count(2) * 64 + count(3) * 24
        guard Checkpoint.headerByteCount + fixed <= end else { return nil }
        var at = Checkpoint.headerByteCount
        segments = (0..<count(0)).map { bytes.field(at: at + 4 * $0) }
        at += 4 * segments.count
        var content = StoreIndex.Content()
        for _ in 0..<count(1) {
            content.logs.append(Checkpoint.logRow(bytes, at: at))
            at += 48
        }
        for _ in 0..<count(2) {
            guard let row = Checkpoint.spaceRow(bytes, at: at) else { return nil }
            content.spaces.append(row)
            at += 64
        }
        for _ in 0..<count(3) {
            content.floors[bytes.field(at: at)] = LogFloor(
                offset: bytes.field(at: at + 8),
                byteCount: bytes.field(at: at + 16),
                segment: bytes.field(at: at + 4)
            )
            at += 24
        }
        for _ in 0..<count(4) {
            guard at + 8 <= end else { return nil }
            let (space, pairs): (UInt32, UInt32) = (bytes.field(at: at), bytes.field(at: at + 4))
            at += 8
            for _ in 0..<pairs {
                guard at + 64 <= end, let device: DeviceKey = bytes.name(at: at),
                    let invite: DeviceKey = bytes.name(at: at + 32)
                else { return nil }
                content.admissions[space, default: [:]][device] = invite
                at += 64
            }
        }
        guard at == end else { return nil }
        self.content = content
    }

    private static func logRow(_ bytes: [UInt8], at index: Int) -> LogRow {
        LogRow(
            word0: bytes.field(at: index),
            word1: bytes.field(at: index + 8),
            end: bytes.field(at: index + 16),
            byteCount: bytes.field(at: index + 24),
            last: bytes.field(at: index + 32),
            created: bytes.field(at: index + 36),
            space: bytes.field(at: index + 40),
            next: bytes.field(at: index + 44)
        )
    }

    private static func spaceRow(_ bytes: [UInt8], at index: Int) -> SpaceRow? {
        guard let id: SpaceID = bytes.name(at: index) else { return nil }
        return SpaceRow(
            id: id,
            created: bytes.field(at: index + 32),
            access: bytes.field(at: index + 36),
            firstLog: bytes.field(at: index + 40),
            logCount: bytes.field(at: index + 44),
            entryCount: bytes.field(at: index + 48),
            byteCount: bytes.field(at: index + 56)
        )
    }

    init(
        relayName: Bytes32,
        covered: UInt32,
        segments: [UInt32],
        nextSegment: UInt32,
        content: StoreIndex.Content
    ) {
        self.relayName = relayName
        self.covered = covered
        self.segments = segments
        self.nextSegment = nextSegment
        self.content = content
    }
}
