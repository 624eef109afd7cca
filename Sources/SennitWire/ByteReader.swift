/// Reads the fields of SPEC.md section 1 from bytes that nobody vouches for.
///
/// Every read checks what is left before it takes anything, a length is checked against its limit
/// before a byte is copied, and an error names the byte where reading stopped.
public struct ByteReader: Sendable {
    @usableFromInline let bytes: [UInt8]

    // What may be read ends here: all of `bytes`, or less.
    private let end: Int

    /// The index in the input of the next byte to read.
    public private(set) var byteOffset: Int

    /// Reads all of `bytes`.
    @inlinable
    public init(_ bytes: [UInt8]) {
        self.init(bytes, startingAt: 0, endingAt: bytes.count)
    }

    /// Reads `bytes` from `byteOffset` to `end`; 0 ≤ `byteOffset` ≤ `end` ≤ count.
    @usableFromInline
    init(_ bytes: [UInt8], startingAt byteOffset: Int, endingAt end: Int) {
        precondition(
            byteOffset >= 0 && byteOffset <= end && end <= bytes.count,
            "A reader reads bytes that are there."
        )
        self.bytes = bytes
        self.byteOffset = byteOffset
        self.end = end
    }

    /// How many bytes are left.
    public var remaining: Int { end - byteOffset }

    /// Whether everything was read.
    public var isAtEnd: Bool { byteOffset == end }

    /// One byte.
    /// - Throws: `truncated`.
    public mutating func readByte() throws(WireError) -> UInt8 {
        guard byteOffset < end else { throw .truncated(byteOffset: byteOffset) }
        defer { byteOffset += 1 }
        return bytes[byteOffset]
    }

    /// Two bytes, little-endian.
    /// - Throws: `truncated`.
    public mutating func readUInt16() throws(WireError) -> UInt16 {
        UInt16(truncatingIfNeeded: try readFixed(byteCount: 2))
    }

    /// Four bytes, little-endian.
    /// - Throws: `truncated`.
    public mutating func readUInt32() throws(WireError) -> UInt32 {
        UInt32(truncatingIfNeeded: try readFixed(byteCount: 4))
    }

    /// Eight bytes, little-endian.
    /// - Throws: `truncated`.
    public mutating func readUInt64() throws(WireError) -> UInt64 {
        try readFixed(byteCount: 8)
    }

    /// A canonical varint: the shortest form, at most 64 bits.
    /// - Throws: `truncated`, `varintNotCanonical`, `varintTooLarge`.
    public mutating func readVarint() throws(WireError) -> UInt64 {
        let start = byteOffset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try readByte()
            if shift == 63 && byte > 1 { throw .varintTooLarge(byteOffset: start) }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 { throw .varintNotCanonical(byteOffset: start) }
                return value
            }
            if shift == 63 { throw .varintTooLarge(byteOffset: start) }
            shift += 7
        }
    }

    /// A varint that counts something, at most `limit`.
    /// - Throws: what `readVarint` throws; `overLimit`.
    public mutating func readCount(limit: Int) throws(WireError) -> Int {
        let start = byteOffset
        let value = try readVarint()
        guard let count = Int(exactly: value), count <= limit else {
            throw .overLimit(value: value, limit: limit, byteOffset: start)
        }
        return count
    }

    /// `count` raw bytes.
    /// - Throws: `truncated`.
    public mutating func readBytes(_ count: Int) throws(WireError) -> [UInt8] {
        guard count <= remaining else { throw .truncated(byteOffset: end) }
        defer { byteOffset += count }
        return Array(bytes[byteOffset..<(byteOffset + count)])
    }

    /// Passes over `count` bytes.
    /// - Throws: `truncated`.
    mutating func skip(_ count: Int) throws(WireError) {
        guard count <= remaining else { throw .truncated(byteOffset: end) }
        byteOffset += count
    }

    /// A varint length of at most `limit`, then that many bytes.
    /// - Throws: what `readVarint` throws; `overLimit`; `truncated`.
    public mutating func readBlob(limit: Int) throws(WireError) -> [UInt8] {
        try readBytes(try readCount(limit: limit))
    }

    /// A blob that must be UTF-8.
    /// - Throws: what `readBlob` throws; `notUTF8`.
    public mutating func readText(limit: Int) throws(WireError) -> String {
        let start = byteOffset
        guard let text = String(validating: try readBlob(limit: limit), as: UTF8.self) else {
            throw .notUTF8(byteOffset: start)
        }
        return text
    }

    /// The 32 bytes of a name.
    /// - Throws: `truncated`.
    public mutating func readIdentifier<Name: Identifier>(
        as type: Name.Type = Name.self
    ) throws(WireError) -> Name {
        Name(value: try readBytes32())
    }

    /// 32 raw bytes.
    /// - Throws: `truncated`.
    public mutating func readBytes32() throws(WireError) -> Bytes32 {
        guard Bytes32.byteCount <= remaining else { throw .truncated(byteOffset: end) }
        defer { byteOffset += Bytes32.byteCount }
        return Bytes32(bytes, at: byteOffset)
    }

    /// Succeeds only if nothing is left.
    /// - Throws: `trailingBytes`.
    public func finish() throws(WireError) {
        guard isAtEnd else { throw .trailingBytes(byteOffset: byteOffset) }
    }

    mutating func readFixed(byteCount: Int) throws(WireError) -> UInt64 {
        guard byteCount <= remaining else { throw .truncated(byteOffset: end) }
        if byteCount == 8 {
            defer { byteOffset += 8 }
            return bytes.word(at: byteOffset)
        }
        var value: UInt64 = 0
        for index in 0..<byteCount {
            value |= UInt64(bytes[byteOffset + index]) << UInt64(8 * index)
        }
        byteOffset += byteCount
        return value
    }
}
