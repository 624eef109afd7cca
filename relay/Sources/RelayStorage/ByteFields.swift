import SennitWire

// Fixed-width little-endian fields in a byte array, and 32-byte names without an allocation each.

extension [UInt8] {
    /// The number in the `Value.bitWidth / 8` bytes from `index` on.
    func field<Value: FixedWidthInteger>(at index: Int, as type: Value.Type = Value.self) -> Value {
        let byteCount = Value.bitWidth / 8
        precondition(index >= 0 && index <= count - byteCount, "A field lies within its bytes.")
        return unsafe withUnsafeBytes { buffer in
            Value(littleEndian: unsafe buffer.loadUnaligned(fromByteOffset: index, as: Value.self))
        }
    }

    /// Replaces the bytes from `index` on.
    mutating func setField<Value: FixedWidthInteger>(_ value: Value, at index: Int) {
        let byteCount = Value.bitWidth / 8
        precondition(index >= 0 && index <= count - byteCount, "A field lies within its bytes.")
        unsafe withUnsafeMutableBytes { buffer in
            unsafe buffer.storeBytes(of: value.littleEndian, toByteOffset: index, as: Value.self)
        }
    }

    /// Appends a number.
    mutating func appendField<Value: FixedWidthInteger>(_ value: Value) {
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }

    /// Appends 32 bytes.
    ///
    /// `Bytes32` holds them as four words of big-endian order and gives them away only as a new
    /// array, which took a third of the time of an append. That a struct of four words has them in
    /// order and nothing else is what a test holds it to.
    mutating func append(_ name: Bytes32) {
        let words = unsafe Swift.withUnsafeBytes(of: name) { raw in
            unsafe raw.load(as: (UInt64, UInt64, UInt64, UInt64).self)
        }
        append(
            fields: (
                words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian
            )
        )
    }

    /// Appends four words as they lie in memory: one growth of the array instead of four.
    mutating func append(fields: (UInt64, UInt64, UInt64, UInt64)) {
        unsafe Swift.withUnsafeBytes(of: fields) { unsafe append(contentsOf: $0) }
    }

    /// The first and second word of the 32 bytes of a name, as `Bytes32` orders them.
    static func words(of name: Bytes32) -> (UInt64, UInt64) {
        unsafe Swift.withUnsafeBytes(of: name) { raw in
            unsafe (
                raw.load(fromByteOffset: 0, as: UInt64.self),
                raw.load(fromByteOffset: 8, as: UInt64.self)
            )
        }
    }

    /// The bytes of a name from `index` on; `nil` past the end.
    func name<Name: Identifier>(at index: Int) -> Name? {
        guard index >= 0, index <= count - Bytes32.byteCount else { return nil }
        return Name(self[index..<(index + Bytes32.byteCount)])
    }
}
