// One change as it lies in a segment.
//
//     byte  0  epoch     u32  the segment's; what another epoch left in the file isn't a frame
//           4  checksum  u32  CRC-32C of bytes 8 ..< length, begun with the epoch's own checksum
//           8  length    u32  of the frame with this header, without padding
//          12  synced    u32  bytes of the segment that were on disk when the frame was written
//          16  kind      u8
//          17  flags     u8   1: the last frame of its unit
//          18  count     u16  batch: entries
//          20  number    u32  of the log, or of the space
//          24  first     u64  batch: first offset; log: number of its space; floor: its offset
//          32  body
//
// Frames begin at multiples of 8; padding is zero. All numbers are little-endian.
//
//     kind 1 batch      head (177 bytes as on the wire), then each entry with a varint length
//          2 space      genesis
//          3 access     access list
//          4 admission  device[32] invite[32]
//          5 dismissal  device[32]*
//          6 log        log id[32] device[32] incarnation[16]
//          7 floor      head that ends where the log now begins
//          8 removal    nothing; the space and its logs are gone
//
// An entry of 256 bytes appended alone: 32 + 177 + 2 + 256 = 467, padded to 472.
//
// `synced` tells a torn tail from rot. A frame that doesn't check out is a torn write if no later
// frame says that its place was on disk already; otherwise it once was whole, and is damage.

import SennitWire

/// The fixed fields of a frame.
struct FrameHeader: Hashable {
    var length: UInt32
    var synced: UInt32 = 0
    var kind: Kind
    var isLastOfUnit = true
    var count: UInt16 = 0
    var number: UInt32
    var first: UInt64 = 0

    enum Kind: UInt8 {
        case batch = 1
        case space, access, admission, dismissal, log, floor, removal
    }

    static let byteCount = 32
    static let alignment = 8

    /// Bytes until the next frame.
    var stride: Int { Frame.aligned(Int(length)) }
}

enum Frame {
    static func aligned(_ byteCount: Int) -> Int {
        (byteCount + FrameHeader.alignment - 1) & ~(FrameHeader.alignment - 1)
    }

    /// What every checksum of a segment begins with.
    static func seed(of epoch: UInt32) -> UInt32 {
        var bytes: [UInt8] = []
        bytes.appendField(epoch)
        return Checksum.crc32c(bytes)
    }

    // MARK: Writing

    /// Appends a frame, but for epoch, checksum and `synced`, which are known when it is written.
    /// - Returns: its length.
    static func append(
        _ kind: FrameHeader.Kind,
        number: UInt32,
        first: UInt64 = 0,
        count: Int = 0,
        isLastOfUnit: Bool,
        to bytes: inout [UInt8],
        body: (inout [UInt8]) -> Void
    ) -> Int {
        let start = bytes.count
        let flags: UInt64 = isLastOfUnit ? 1 : 0
        let fields = UInt64(kind.rawValue) | flags << 8 | UInt64(UInt16(count)) << 16
        bytes.append(
            fields: (0, 0, (fields | UInt64(number) << 32).littleEndian, first.littleEndian)
        )
        body(&bytes)
        let length = bytes.count - start
        bytes.setField(UInt32(length), at: start + 8)
        for _ in length..<aligned(length) { bytes.append(0) }
        return length
    }

    /// Gives the frame at `start` to a segment.
    static func seal(
        _ bytes: inout [UInt8],
        at start: Int,
        epoch: UInt32,
        seed: UInt32,
        synced: Int
    ) {
        let length = Int(bytes.field(at: start + 8, as: UInt32.self))
        bytes.setField(epoch, at: start)
        bytes.setField(UInt32(synced), at: start + 12)
        let checksum = Checksum.crc32c(bytes, (start + 8)..<(start + length), from: seed)
        bytes.setField(checksum, at: start + 4)
    }

    /// The body of a batch.
    static func appendBatch(_ batch: Batch, to bytes: inout [UInt8]) {
        append(batch.head, to: &bytes)
        bytes.append(contentsOf: batch.packed.bytes[batch.packed.range])
    }

    /// A head, as `Head.write` has it.
    static func append(_ head: Head, to bytes: inout [UInt8]) {
        bytes.append(Entry.suite)
        bytes.appendField(head.end.value)
        bytes.append(head.chain.value)
        bytes.appendField(head.byteCount)
        bytes.append(head.membership)
        bytes.append(head.epoch.value)
        bytes.append(head.signatureHalves.0)
        bytes.append(head.signatureHalves.1)
    }

    // MARK: Reading

    /// The header at `start`, if it could be one: nothing but its form is checked.
    static func header(_ bytes: [UInt8], at start: Int, epoch: UInt32) -> FrameHeader? {
        guard start >= 0, start <= bytes.count - FrameHeader.byteCount,
            bytes.field(at: start, as: UInt32.self) == epoch,
            let kind = FrameHeader.Kind(rawValue: bytes[start + 16])
        else { return nil }
        let length = bytes.field(at: start + 8, as: UInt32.self)
        guard length >= FrameHeader.byteCount else { return nil }
        return FrameHeader(
            length: length,
            synced: bytes.field(at: start + 12),
            kind: kind,
            isLastOfUnit: bytes[start + 17] & 1 == 1,
            count: bytes.field(at: start + 18),
            number: bytes.field(at: start + 20),
            first: bytes.field(at: start + 24)
        )
    }

    /// The frame at `start`, if its checksum is right.
    static func checked(
        _ bytes: [UInt8],
        at start: Int,
        epoch: UInt32,
        seed: UInt32
    ) -> FrameHeader? {
        guard let header = header(bytes, at: start, epoch: epoch),
            Int(header.length) <= bytes.count - start
        else { return nil }
        let checksum = Checksum.crc32c(
            bytes,
            (start + 8)..<(start + Int(header.length)),
            from: seed
        )
        return checksum == bytes.field(at: start + 4) ? header : nil
    }

    /// The body of a frame that lies at `start`.
    static func body(_ bytes: [UInt8], at start: Int, _ header: FrameHeader) -> [UInt8] {
        Array(bytes[(start + FrameHeader.byteCount)..<(start + Int(header.length))])
    }

    /// The head that a batch or a floor begins with.
    static func head(_ bytes: [UInt8], at start: Int) throws(WireError) -> Head {
        let begin = start + FrameHeader.byteCount
        guard begin + Head.byteCount <= bytes.count else { throw .truncated(byteOffset: begin) }
        var reader = ByteReader(Array(bytes[begin..<(begin + Head.byteCount)]))
        return try Head(from: &reader)
    }

    /// The bytes of all entries as the head at `start` counts them.
    static func byteCount(_ bytes: [UInt8], at start: Int) -> UInt64 {
        bytes.field(at: start + FrameHeader.byteCount + 1 + 8 + Bytes32.byteCount)
    }

    /// The batch at `start`.
    static func batch(
        _ bytes: [UInt8],
        at start: Int,
        _ header: FrameHeader
    ) throws(WireError) -> Batch {
        let head = try head(bytes, at: start)
        guard head.end.value == header.first + UInt64(header.count) else {
            throw .invalid(reason: "the head is another's", byteOffset: start)
        }
        let body = (start + FrameHeader.byteCount + Head.byteCount)..<(start + Int(header.length))
        guard body.upperBound <= bytes.count else { throw .truncated(byteOffset: bytes.count) }
        let packed = try PackedEntries(count: Int(header.count), in: bytes, body)
        return Batch(first: Offset(header.first), packed: packed, head: head)
    }
}
