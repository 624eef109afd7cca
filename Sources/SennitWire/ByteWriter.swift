/// Appends the fields of SPEC.md section 1 to a buffer. The mirror of `ByteReader`.
///
/// Numbers of fixed width are little-endian. A varint holds seven bits a byte, low bits first,
/// with the high bit set on every byte but the last.
public struct ByteWriter: Sendable {
    /// What has been written so far.
    public var bytes: [UInt8]

    /// Starts empty, with room for `capacity` bytes.
    @inlinable
    public init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// One byte.
    @inlinable
    public mutating func write(_ value: UInt8) { bytes.append(value) }

    /// Two bytes, little-endian.
    @inlinable
    public mutating func write(_ value: UInt16) { writeFixed(value) }

    /// Four bytes, little-endian.
    @inlinable
    public mutating func write(_ value: UInt32) { writeFixed(value) }

    /// Eight bytes, little-endian.
    @inlinable
    public mutating func write(_ value: UInt64) { bytes.append(word: value) }

    /// Raw bytes without a length.
    @inlinable
    public mutating func write(_ value: some Sequence<UInt8>) { bytes.append(contentsOf: value) }

    /// The 32 bytes of a name.
    @inlinable
    public mutating func write(_ value: some Identifier) { bytes.append(value.value) }

    /// 32 bytes.
    @inlinable
    public mutating func write(_ value: Bytes32) { bytes.append(value) }

    /// A canonical varint of 1 to 10 bytes.
    @inlinable
    public mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// A varint; `value` is a count or a length of ours, so it is never negative.
    @inlinable
    public mutating func writeVarint(_ value: Int) {
        precondition(value >= 0, "A count or length is never negative.")
        writeVarint(UInt64(value))
    }

    /// A varint length, then the bytes.
    @inlinable
    public mutating func writeBlob(_ value: some Collection<UInt8>) {
        writeVarint(value.count)
        bytes.append(contentsOf: value)
    }

    @inlinable
    mutating func writeFixed<Value: FixedWidthInteger>(_ value: Value) {
        var rest = value
        for _ in 0..<(Value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }
}
