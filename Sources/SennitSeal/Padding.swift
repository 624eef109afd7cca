internal import SennitWire

// Hides the length of what is sealed. SPEC.md section 5.
//
// padme(L) rounds L up so that only the top bits of its length vary: for L = 1000, E = 9 and S = 4,
// so it is rounded up to a multiple of 32, which is 1024. That costs at most 12 percent and leaks
// O(log log L) bits. From Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
// Communication with PURBs", section 4.

enum Padding {
    /// The length after padding of `byteCount` bytes.
    static func paddedByteCount(_ byteCount: Int) -> Int {
        let length = max(byteCount, Limits.minimumPaddedByteCount)
        let exponent = Int.bitWidth - 1 - length.leadingZeroBitCount
        let kept = Int.bitWidth - exponent.leadingZeroBitCount
        let mask = (1 << (exponent - kept)) - 1
        return (length + mask) & ~mask
    }

    static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: paddedByteCount(bytes.count) - bytes.count)
    }

    /// Checks that `padded` is what `padded(_:)` makes of its first `byteCount` bytes.
    static func check(_ padded: [UInt8], after byteCount: Int) throws(WireError) {
        guard padded.count == paddedByteCount(byteCount) else {
            throw .invalid(reason: "padding has its one length", byteOffset: byteCount)
        }
        if let place = padded[byteCount...].firstIndex(where: { $0 != 0 }) {
            throw .invalid(reason: "padding is zeros", byteOffset: place)
        }
    }
}
