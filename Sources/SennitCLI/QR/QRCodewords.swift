/// Turns bytes into the codewords of a code: data, padding and repair, in the order they are laid.
enum QRCodewords {
    /// - Precondition: the version holds the bytes.
    static func all(for bytes: [UInt8], _ version: QRVersion) -> [UInt8] {
        let data = data(for: bytes, version)
        // The first blocks are a codeword shorter than the last when the data doesn't divide
        // evenly.
        let shortCount = data.count / version.blockCount
        let longBlockCount = data.count % version.blockCount
        var blocks: [ArraySlice<UInt8>] = []
        var start = 0
        for index in 0..<version.blockCount {
            let isLong = index >= version.blockCount - longBlockCount
            let end = start + shortCount + (isLong ? 1 : 0)
            blocks.append(data[start..<end])
            start = end
        }
        let generator = generator(degree: version.repairCount)
        let repairs = blocks.map { repair(of: $0, generator) }
        return interleaved(blocks) + interleaved(repairs.map { $0[...] })
    }

    /// Mode, length, bytes, end mark and padding, as whole codewords.
    private static func data(for bytes: [UInt8], _ version: QRVersion) -> [UInt8] {
        precondition(bytes.count <= version.byteCapacity, "The version holds the bytes.")
        var bits = BitWriter()
        bits.append(0b0100, count: 4)
        bits.append(bytes.count, count: version.lengthBitCount)
        for byte in bytes { bits.append(Int(byte), count: 8) }
        // Up to four zero bits end the data; mode and length leave exactly four to a whole
        // codeword.
        bits.append(0, count: 4)
        var codewords = bits.bytes
        for index in 0..<(version.dataCodewordCount - codewords.count) {
            codewords.append(index % 2 == 0 ? 0xEC : 0x11)
        }
        return codewords
    }

    /// The first of each block, then the second of each, and so on.
    private static func interleaved(_ blocks: [ArraySlice<UInt8>]) -> [UInt8] {
        let longest = blocks.map(\.count).max() ?? 0
        return (0..<longest).flatMap { index in
            blocks.compactMap { index < $0.count ? $0[$0.startIndex + index] : nil }
        }
    }

    // MARK: Reed–Solomon over GF(256) with the polynomial x⁸ + x⁴ + x³ + x² + 1

    /// The product of `(x - 2^i)` for i below the degree, without its leading 1, highest power
    /// first.
    static func generator(degree: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: degree)
        result[degree - 1] = 1
        var root: UInt8 = 1
        for _ in 0..<degree {
            for index in 0..<degree {
                result[index] = product(result[index], root)
                if index + 1 < degree { result[index] ^= result[index + 1] }
            }
            root = product(root, 2)
        }
        return result
    }

    /// The remainder of the block, shifted by the degree, divided by the generator.
    static func repair(of block: ArraySlice<UInt8>, _ generator: [UInt8]) -> [UInt8] {
        var remainder = [UInt8](repeating: 0, count: generator.count)
        for byte in block {
            let factor = byte ^ remainder.removeFirst()
            remainder.append(0)
            for index in generator.indices {
                remainder[index] ^= product(generator[index], factor)
            }
        }
        return remainder
    }

    private static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var result = 0
        for bit in (0..<8).reversed() {
            result = (result << 1) ^ ((result >> 7) * 0x11D)
            if right >> bit & 1 == 1 { result ^= Int(left) }
        }
        return UInt8(result)
    }

    /// Gathers bits, the highest of each number first.
    private struct BitWriter {
        private(set) var bytes: [UInt8] = []
        private var free = 0

        mutating func append(_ value: Int, count: Int) {
            for bit in (0..<count).reversed() {
                if free == 0 {
                    bytes.append(0)
                    free = 8
                }
                free -= 1
                bytes[bytes.count - 1] |= UInt8(value >> bit & 1) << free
            }
        }
    }
}
