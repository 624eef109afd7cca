// The clear part of the entry that founds a space. SPEC.md section 7.1.
//
//     version:u8  nonce[32]  founderDevice[32]  founderAgreement[32]
//
// The space's id is the hash of these bytes, so nobody can be served another space under its name.

/// What names a space: a random nonce and its founder's keys.
public struct Genesis: Hashable, Sendable {
    /// 32 random bytes, from which every member's keys in this space are derived.
    public let nonce: Bytes32
    /// The founder's signing key, the first owner.
    public let founder: DeviceKey
    /// The key to which the founder's epoch keys are sealed.
    public let founderAgreement: AgreementKey

    /// How many bytes a genesis has.
    public static let byteCount = 97

    private static let version: UInt8 = 1

    /// Puts a genesis together.
    public init(nonce: Bytes32, founder: DeviceKey, founderAgreement: AgreementKey) {
        self.nonce = nonce
        self.founder = founder
        self.founderAgreement = founderAgreement
    }

    /// Parses exactly one genesis.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        let version = try reader.readByte()
        guard version == Genesis.version else {
            throw .unknown(field: "genesis version", value: UInt64(version), byteOffset: 0)
        }
        guard let nonce = Bytes32(try reader.readBytes(Bytes32.byteCount)) else {
            throw .truncated(byteOffset: 1)
        }
        self.nonce = nonce
        founder = try reader.readIdentifier()
        founderAgreement = try reader.readIdentifier()
        try reader.finish()
    }

    /// The canonical bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: Genesis.byteCount)
        writer.write(Genesis.version)
        writer.write(nonce.bytes)
        writer.write(founder)
        writer.write(founderAgreement)
        return writer.bytes
    }

    /// The id of the space.
    public var spaceID: SpaceID { SpaceID(value: Hash.digest(.space, [bytes])) }
}
