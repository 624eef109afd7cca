/// Why bytes from outside were refused. Nothing was changed by them.
public enum WireError: Error, Hashable, Sendable {
    /// The bytes end before the field that starts or continues at `byteOffset`.
    case truncated(byteOffset: Int)
    /// Bytes are left over from `byteOffset` on.
    case trailingBytes(byteOffset: Int)
    /// A varint at `byteOffset` is not in its shortest form.
    case varintNotCanonical(byteOffset: Int)
    /// A varint at `byteOffset` has more than 64 bits.
    case varintTooLarge(byteOffset: Int)
    /// A count or length at `byteOffset` is over its limit.
    case overLimit(value: UInt64, limit: Int, byteOffset: Int)
    /// A text at `byteOffset` is not UTF-8.
    case notUTF8(byteOffset: Int)
    /// A suite, type or kind that this version doesn't know; a newer Sennit may.
    case unknown(field: String, value: UInt64, byteOffset: Int)
    /// A field breaks a rule of SPEC.md that `reason` states.
    case invalid(reason: String, byteOffset: Int)
}
