public import SennitWire

// What one person sends another so that they can join. SPEC.md section 8.
//
//     sennit:1#<base64url of payload, without padding>
//     payload = version:u8(1)  mode:u8(1)  space[32]  space nonce[32]  seed[16]
//               floor digest[16]  relays:varint (text)*  checksum[4]
//
// All that is secret stands after the '#', which browsers don't send to servers. The link holds no
// epoch key: the invite record, sealed to the key that follows from the seed, does.

/// An invite as a text.
public struct InviteLink: Hashable, Sendable {
    /// The space it leads to.
    public let space: SpaceID
    /// The nonce of the space's genesis, from which the newcomer's keys derive before it has read
    /// that. Checked against genesis.
    public let spaceNonce: Bytes32
    /// How it lets somebody in.
    public let mode: InviteMode
    /// The seed of the invite's keys, 16 bytes.
    public let seed: SecretBytes
    /// A digest of what the inviter had, 16 bytes, so that a relay can't show the newcomer less;
    /// zeros if unknown.
    public let floorDigest: [UInt8]
    /// Where the space is to be found; addresses of at most `Limits.maximumRelayByteCount` bytes.
    public let relays: [String]

    /// How many bytes the floor's digest has.
    public static let floorDigestByteCount = 16

    private static let scheme = "sennit:"
    private static let version: UInt8 = 1
    private static let checksumByteCount = 4

    /// Puts a link together; `seed` and `floorDigest` have 16 bytes each.
    /// - Throws: `tooLarge` for too many relays or too long an address.
    public init(
        space: SpaceID,
        spaceNonce: Bytes32,
        mode: InviteMode = .automatic,
        seed: SecretBytes,
        floorDigest: [UInt8] = [UInt8](repeating: 0, count: InviteLink.floorDigestByteCount),
        relays: [String]
    ) throws(SealError) {
        precondition(seed.count == InviteIdentity.seedByteCount, "An invite's seed has 16 bytes.")
        precondition(
            floorDigest.count == InviteLink.floorDigestByteCount,
            "A floor's digest has 16 bytes."
        )
        guard relays.count <= Limits.maximumRelayCount else {
            throw .tooLarge(byteCount: relays.count, limit: Limits.maximumRelayCount)
        }
        for relay in relays where relay.utf8.count > Limits.maximumRelayByteCount {
            throw .tooLarge(byteCount: relay.utf8.count, limit: Limits.maximumRelayByteCount)
        }
        self.space = space
        self.spaceNonce = spaceNonce
        self.mode = mode
        self.seed = seed
        self.floorDigest = floorDigest
        self.relays = relays
    }

    /// The first 16 bytes of the digest over what the inviter had, ascending by log.
    public static func floorDigest(
        of named: [(position: Position, chain: ChainHash)]
    ) -> [UInt8] {
        Array(CausalContext.digest(of: named).bytes.prefix(floorDigestByteCount))
    }

    /// The keys of the invite.
    public var identity: InviteIdentity { InviteIdentity(seed: seed, space: space) }

    /// The link as a text. Whoever reads it can join.
    public var text: String {
        let payload = uncheckedPayload
        let fragment = Base64URL.encode(payload + InviteLink.checksum(of: payload))
        return "\(InviteLink.scheme)\(InviteLink.version)#\(fragment)"
    }

    /// Reads a link. Spaces and line ends around it, as copying leaves them, are dropped.
    /// - Throws: `notALink`, `newerLink`, `damagedLink`; `needsUpdate` for an unknown mode.
    public init(text: String) throws(SealError) {
        let payload = try InviteLink.payload(in: text)
        let mismatch = InviteLink.checksumByteCount
        guard payload.count > mismatch,
            InviteLink.checksum(of: payload.dropLast(mismatch)) == payload.suffix(mismatch)
        else { throw .damagedLink }
        let fields = Array(payload.dropLast(InviteLink.checksumByteCount))
        do {
            self = try SealError.reading(fields) { (reader) throws(WireError) in
                try InviteLink(from: &reader)
            }
        } catch {
            if case .poison = error { throw .notALink(reason: "its fields are not a link's") }
            throw error
        }
    }

    /// Equal if they lead to the same place by the same invite.
    public static func == (left: InviteLink, right: InviteLink) -> Bool {
        left.space == right.space && left.spaceNonce == right.spaceNonce
            && left.mode == right.mode && left.seed == right.seed
            && left.floorDigest == right.floorDigest && left.relays == right.relays
    }

    /// The seed isn't hashed.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(space)
        hasher.combine(relays)
    }

    /// The bytes of the fragment, of the version that this code knows.
    private static func payload(in text: String) throws(SealError) -> [UInt8] {
        let blanks: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
        let start = text.drop { blanks.contains($0) }
        guard start.hasPrefix(scheme) else {
            throw .notALink(reason: "it does not begin with \"\(scheme)\"")
        }
        let rest = start.dropFirst(scheme.count)
        guard let mark = rest.firstIndex(of: "#") else {
            throw .notALink(reason: "nothing follows a \"#\"")
        }
        let number = rest[..<mark]
        guard !number.isEmpty, number.utf8.count <= 10,
            number.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { throw .notALink(reason: "no version stands before the \"#\"") }
        guard number == "\(version)" else { throw .newerLink(version: String(number)) }
        var fragment = rest[rest.index(after: mark)...]
        while let last = fragment.last, blanks.contains(last) { fragment.removeLast() }
        guard fragment.utf8.count <= maximumFragmentByteCount else {
            throw .notALink(reason: "it is too long")
        }
        guard let payload = Base64URL.decode(fragment) else {
            if Base64URL.hasOnlyItsCharacters(fragment) { throw .damagedLink }
            throw .notALink(reason: "it has characters that no link has")
        }
        guard let first = payload.first else { throw .damagedLink }
        guard first == version else { throw .newerLink(version: String(first)) }
        return payload
    }

    // The longest payload that the limits allow, in base64.
    private static let maximumFragmentByteCount =
        (128 + Limits.maximumRelayCount * (Limits.maximumRelayByteCount + 2)) * 4 / 3

    private init(from reader: inout ByteReader) throws(WireError) {
        try reader.readVersion(InviteLink.version, of: "link version")
        let modeStart = reader.byteOffset
        let rawMode = try reader.readByte()
        guard let mode = InviteMode(rawValue: rawMode) else {
            throw .unknown(field: "invite mode", value: UInt64(rawMode), byteOffset: modeStart)
        }
        self.mode = mode
        space = try reader.readIdentifier()
        spaceNonce = try reader.readBytes32()
        seed = SecretBytes(try reader.readBytes(InviteIdentity.seedByteCount))
        floorDigest = try reader.readBytes(InviteLink.floorDigestByteCount)
        let count = try reader.readCount(limit: Limits.maximumRelayCount)
        var relays: [String] = []
        for _ in 0..<count {
            relays.append(try reader.readText(limit: Limits.maximumRelayByteCount))
        }
        self.relays = relays
    }

    private var uncheckedPayload: [UInt8] {
        var writer = ByteWriter(capacity: 128)
        writer.write(InviteLink.version)
        writer.write(mode.rawValue)
        writer.write(space)
        writer.write(spaceNonce.bytes)
        writer.write(seed.bytes)
        writer.write(floorDigest)
        writer.writeVarint(relays.count)
        for relay in relays { writer.writeBlob(Array(relay.utf8)) }
        return writer.bytes
    }

    private static func checksum(of payload: some Collection<UInt8>) -> ArraySlice<UInt8> {
        Hash.digest(.invite, [Array(payload)]).bytes.prefix(checksumByteCount)
    }
}
