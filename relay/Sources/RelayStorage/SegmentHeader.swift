// The first 8 KiB of a segment: the same page twice, so that a bad sector doesn't cost the file.
//
//     byte  0  magic         "sennitsg"
//           8  format        u32  1
//          12  checksum      u32  CRC-32C of bytes 16 ..< 80
//          16  number        u32  of the segment
//          20  epoch         u32  random, not zero
//          24  after number  u32  of the segment that this one continues; all ones for none
//          28  after end     u32  where that one ends, and nothing behind it counts
//          32  reserved      16 bytes, zero
//          48  relay name    32 bytes
//
// "After" is what makes it safe to go on in a new file when a write or a sync has failed: frames
// that reached the disk behind that end, though their appends were answered with an error, are out
// of the log as soon as the next segment's first group is on disk, which is before its ack.

import SennitWire

/// What a segment says of itself.
struct SegmentHeader: Hashable {
    /// Where a segment ends that another one continues.
    struct Place: Hashable {
        var number: UInt32
        var end: UInt32
    }

    let number: UInt32
    let epoch: UInt32
    let after: Place?
    let relayName: Bytes32

    static let pageByteCount = 4096
    /// Where frames begin.
    static let byteCount = 2 * pageByteCount
    static let formatVersion: UInt32 = 1

    private static let magic = Array("sennitsg".utf8)
    private static let usedByteCount = 80

    /// Both pages.
    var bytes: [UInt8] {
        var page = SegmentHeader.magic
        page.appendField(SegmentHeader.formatVersion)
        page.appendField(UInt32(0))
        page.appendField(number)
        page.appendField(epoch)
        page.appendField(after?.number ?? .max)
        page.appendField(after?.end ?? 0)
        page.appendField(UInt64(0))
        page.appendField(UInt64(0))
        page.append(relayName)
        page.setField(Checksum.crc32c(page, 16..<SegmentHeader.usedByteCount), at: 12)
        page += [UInt8](repeating: 0, count: SegmentHeader.pageByteCount - page.count)
        return page + page
    }

    /// What a file begins with.
    enum Reading: Equatable {
        case header(SegmentHeader)
        /// Neither page is a header.
        case none
        case newer(Int)
    }

    /// Reads the first 8 KiB of a file.
    static func read(_ bytes: [UInt8]) -> Reading {
        for page in [0, pageByteCount] where bytes.count >= page + usedByteCount {
            guard Array(bytes[page..<(page + 8)]) == magic else { continue }
            let version = bytes.field(at: page + 8, as: UInt32.self)
            guard version <= formatVersion else { return .newer(Int(version)) }
            let range = (page + 16)..<(page + usedByteCount)
            guard Checksum.crc32c(bytes, range) == bytes.field(at: page + 12, as: UInt32.self),
                let name = Bytes32(bytes[(page + 48)..<(page + 80)])
            else { continue }
            let after: UInt32 = bytes.field(at: page + 24)
            return .header(
                SegmentHeader(
                    number: bytes.field(at: page + 16),
                    epoch: bytes.field(at: page + 20),
                    after: after == .max
                        ? nil : Place(number: after, end: bytes.field(at: page + 28)),
                    relayName: name
                )
            )
        }
        return .none
    }
}
