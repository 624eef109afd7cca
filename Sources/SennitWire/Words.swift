// Words of eight bytes in and out of byte arrays.
//
// Names, chains and signatures are kept as words (Bytes32.swift says why). Byte by byte, taking the
// 14 of them out of an `append` frame and putting the 9 of an ack into one costs more than the rest
// of decoding together, so this file loads and stores words at whatever alignment they have. It is
// unsafe for speed: 32 bytes in 4 ns instead of 45, and no allocation.

extension [UInt8] {
    /// Eight bytes from `index` on as a number, the first byte lowest.
    func word(at index: Int) -> UInt64 {
        precondition(index >= 0 && index <= count - 8, "A word lies within its bytes.")
        return unsafe withUnsafeBytes { buffer in
            UInt64(
                littleEndian: unsafe buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            )
        }
    }

    /// Appends a number as eight bytes, the lowest first.
    @usableFromInline
    mutating func append(word: UInt64) {
        unsafe Swift.withUnsafeBytes(of: word.littleEndian) { unsafe append(contentsOf: $0) }
    }

    /// Appends the 32 bytes of a value.
    @usableFromInline
    mutating func append(_ value: Bytes32) {
        unsafe Swift.withUnsafeBytes(of: value.inByteOrder) { unsafe append(contentsOf: $0) }
    }
}

extension Bytes32 {
    /// The 32 bytes from `index` on, which must be there.
    init(_ bytes: [UInt8], at index: Int) {
        self.init(
            bytes.word(at: index).byteSwapped,
            bytes.word(at: index + 8).byteSwapped,
            bytes.word(at: index + 16).byteSwapped,
            bytes.word(at: index + 24).byteSwapped
        )
    }
}
