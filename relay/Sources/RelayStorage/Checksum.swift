internal import CChecksum

/// CRC-32C of bytes in memory; see CChecksum.h.
enum Checksum {
    /// The checksum of `bytes` in a range, continuing `start`.
    static func crc32c(_ bytes: [UInt8], _ range: Range<Int>, from start: UInt32 = 0) -> UInt32 {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= bytes.count,
            "A checksum is of bytes that are there."
        )
        return unsafe bytes.withUnsafeBytes { buffer in
            unsafe sennit_crc32c(
                start,
                buffer.baseAddress?.advanced(by: range.lowerBound),
                range.count
            )
        }
    }

    /// The checksum of all of `bytes`, continuing `start`.
    static func crc32c(_ bytes: [UInt8], from start: UInt32 = 0) -> UInt32 {
        crc32c(bytes, 0..<bytes.count, from: start)
    }
}
