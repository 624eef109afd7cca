// The signed end of a log. SPEC.md section 4.
//
// One signature vouches for all entries before it, since the chain does. Nothing past the last
// verified head is applied: anybody with the epoch key can seal, only the device can sign.

/// The signed end of a log: everything before `end` is the author's, in this order.
public struct Head: Hashable, Sendable {
    /// How many entries the log has.
    public let end: Offset
    /// h[end].
    public let chain: ChainHash
    /// Bytes of all entries before `end`, so that a relay can't inflate a download.
    public let byteCount: UInt64
    /// The membership records the author knew of when it signed.
    public let membership: Bytes32
    /// The epoch the author sealed under when it signed.
    public let epoch: EpochKeyID
    /// Ed25519 by the log's device over `signedBytes`.
    public var signature: [UInt8] { signature0.bytes + signature1.bytes }

    /// The two halves of the signature.
    public var signatureHalves: (Bytes32, Bytes32) { (signature0, signature1) }

    // Kept without an array, so that a head is copied without counting references.
    private let signature0: Bytes32
    private let signature1: Bytes32

    /// Bytes of a head on the wire.
    public static let byteCount = 1 + 8 + 32 + 8 + 32 + 32 + Signature.byteCount

    /// Puts a head together from its fields and a signature of 64 bytes.
    public init(
        end: Offset,
        chain: ChainHash,
        byteCount: UInt64,
        membership: Bytes32,
        epoch: EpochKeyID,
        signature: [UInt8]
    ) {
        precondition(signature.count == Signature.byteCount, "A signature has 64 bytes.")
        self.end = end
        self.chain = chain
        self.byteCount = byteCount
        self.membership = membership
        self.epoch = epoch
        signature0 = Bytes32(signature, at: 0)
        signature1 = Bytes32(signature, at: Bytes32.byteCount)
    }

    /// Reads a head.
    /// - Throws: `unknown` suite, `truncated`, `invalid` for an end over the limit.
    public init(from reader: inout ByteReader) throws(WireError) {
        let start = reader.byteOffset
        let suite = try reader.readByte()
        guard suite == Entry.suite else {
            throw .unknown(field: "suite", value: UInt64(suite), byteOffset: start)
        }
        end = try reader.readOffset()
        chain = try reader.readIdentifier()
        byteCount = try reader.readUInt64()
        membership = try reader.readBytes32()
        epoch = try reader.readIdentifier()
        signature0 = try reader.readBytes32()
        signature1 = try reader.readBytes32()
    }

    /// Writes the head.
    public func write(to writer: inout ByteWriter) {
        writer.write(Entry.suite)
        writer.write(end.value)
        writer.write(chain)
        writer.write(byteCount)
        writer.write(membership)
        writer.write(epoch)
        writer.write(signature0)
        writer.write(signature1)
    }

    /// What the device signs: a domain, the place, and every field but the signature.
    public static func signedBytes(
        space: SpaceID,
        log: LogID,
        end: Offset,
        chain: ChainHash,
        byteCount: UInt64,
        membership: Bytes32,
        epoch: EpochKeyID
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.write(Domain.head.bytes)
        writer.write(Entry.suite)
        writer.write(space)
        writer.write(log)
        writer.write(end.value)
        writer.write(chain)
        writer.write(byteCount)
        writer.write(membership.bytes)
        writer.write(epoch)
        return writer.bytes
    }

    /// Whether `device` signed this head for `log` of `space`.
    /// - Complexity: one signature check, about 50 µs.
    public func isSigned(by device: DeviceKey, space: SpaceID, log: LogID) -> Bool {
        Signature.isValid(
            signature,
            of: Head.signedBytes(
                space: space,
                log: log,
                end: end,
                chain: chain,
                byteCount: byteCount,
                membership: membership,
                epoch: epoch
            ),
            by: device
        )
    }
}

/// The first bytes of everything that is signed or authenticated: no text is a prefix of another
/// and none can be read as one of another kind.
public enum Domain: String, Sendable, CaseIterable {
    case entry = "sennit/entry/1\n"
    case head = "sennit/head/1\n"
    case join = "sennit/join/1\n"
    case authentication = "sennit/auth/1\n"
    case admission = "sennit/admit/1\n"
    case access = "sennit/access/1\n"
    case presence = "sennit/presence/1\n"

    /// The text as bytes.
    public var bytes: [UInt8] { Array(rawValue.utf8) }
}

extension ByteReader {
    /// An offset of 8 bytes, at most `Limits.maximumOffset`.
    /// - Throws: `truncated`, `invalid`.
    public mutating func readOffset() throws(WireError) -> Offset {
        let start = byteOffset
        let value = try readUInt64()
        guard value <= Limits.maximumOffset else {
            throw .invalid(reason: "an offset is at most 2^53", byteOffset: start)
        }
        return Offset(value)
    }
}
