// Finds rows that the disk changed.
//
// SQLite keeps no checksum of its pages. Entries are covered by their chain; the rows that are
// derived from them hold a checksum over their columns, so that a flipped bit is an error with a
// place, never another text. It guards against accidents alone: whoever may write the file may
// write the checksum too.
//
// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): multiplication by an odd prime is
// one-to-one, so no change of a single byte goes unseen.

/// The running checksum of one row.
struct RowChecksum {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Adds a number of 64 bits.
    mutating func add(_ number: Int64) {
        var rest = UInt64(bitPattern: number)
        for _ in 0..<8 {
            add(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// Adds bytes with their count, so that neighbouring columns can't be shifted.
    mutating func add(_ bytes: [UInt8]) {
        add(Int64(bytes.count))
        for byte in bytes { add(byte) }
    }

    private mutating func add(_ byte: UInt8) {
        // Wraps by design: the sum is taken modulo 2^64.
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }

    /// The checksum as SQLite keeps it.
    var stored: Int64 { Int64(bitPattern: state) }

    /// The checksum of some numbers and some bytes.
    static func of(_ numbers: Int64..., bytes: [UInt8]...) -> Int64 {
        var sum = RowChecksum()
        for number in numbers { sum.add(number) }
        for part in bytes { sum.add(part) }
        return sum.stored
    }
}
