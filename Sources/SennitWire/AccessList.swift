// What the relay goes by when it lets a device in. SPEC.md section 9.
//
//     suite:u8  space[32]  version:u64  previous[32]  signer[32]
//     count:varint  (kind:u8  key[32]  rights:u8)*  signature[64]
//
// The list only saves the relay's resources and hides ciphertext from strangers. Clients never rely
// on it: what counts for them is membership, in the logs.

/// Who may reach a space on a relay: versioned, chained by hash, signed by an owner.
public struct AccessList: Hashable, Sendable {
    /// One key and what it may do.
    public struct Member: Hashable, Comparable, Sendable {
        /// What kind of key it is.
        public enum Kind: UInt8, Sendable {
            case device = 1
            /// Whoever proves this key may bring in a device of their own.
            case invite = 2
        }

        /// What kind of key it is.
        public let kind: Kind
        /// The Ed25519 public key.
        public let key: DeviceKey
        /// What the key may do.
        public let rights: Rights

        /// Puts a member together.
        public init(kind: Kind, key: DeviceKey, rights: Rights) {
            self.kind = kind
            self.key = key
            self.rights = rights
        }

        public static func < (left: Member, right: Member) -> Bool {
            left.kind != right.kind
                ? left.kind.rawValue < right.kind.rawValue : left.key < right.key
        }
    }

    /// What a key may do on the relay.
    public struct Rights: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Read ranges and subscribe.
        public static let read = Rights(rawValue: 1)
        /// Append to one's own logs.
        public static let append = Rights(rawValue: 2)
        /// Replace this list.
        public static let administer = Rights(rawValue: 4)
        /// All of it.
        public static let all: Rights = [.read, .append, .administer]
    }

    /// The space it is for.
    public let space: SpaceID
    /// Counts up by one from 1.
    public let version: UInt64
    /// The hash of the list before this one, zeros for version 1.
    public let previous: Bytes32
    /// The owner's device that signed.
    public let signer: DeviceKey
    /// Invariant: strictly ascending by kind and key.
    public let members: [Member]
    /// Ed25519 by `signer` over `signedBytes`.
    public let signature: [UInt8]

    /// Puts a list together; `members` are put in order here, and those of one key made one.
    public init(
        space: SpaceID,
        version: UInt64,
        previous: Bytes32,
        signer: DeviceKey,
        members: [Member],
        signature: [UInt8]
    ) {
        precondition(signature.count == Signature.byteCount, "A signature has 64 bytes.")
        self.space = space
        self.version = version
        self.previous = previous
        self.signer = signer
        self.members = AccessList.ascending(members)
        self.signature = signature
    }

    /// The members as a list has them: in order, at most `Limits.maximumAccessCount`. Who is there
    /// several times may do what any of them may.
    ///
    /// A relay refuses any other list, and whoever sends it. Devices come before invites, so over
    /// the limit it is invites that are left out.
    public static func ascending(_ members: [Member]) -> [Member] {
        var ascending: [Member] = []
        for member in members.sorted() {
            guard let last = ascending.last, !(last < member) else {
                ascending.append(member)
                continue
            }
            ascending[ascending.count - 1] = Member(
                kind: last.kind,
                key: last.key,
                rights: last.rights.union(member.rights)
            )
        }
        return Array(ascending.prefix(Limits.maximumAccessCount))
    }

    /// Parses exactly one list; the signature is not checked here.
    /// - Throws: what `ByteReader` throws; `invalid` for a wrong order or unknown kind or right.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        let suite = try reader.readByte()
        guard suite == Entry.suite else {
            throw .unknown(field: "suite", value: UInt64(suite), byteOffset: 0)
        }
        space = try reader.readIdentifier()
        version = try reader.readUInt64()
        guard let previous = Bytes32(try reader.readBytes(Bytes32.byteCount)) else {
            throw .truncated(byteOffset: reader.byteOffset)
        }
        self.previous = previous
        signer = try reader.readIdentifier()
        let count = try reader.readCount(limit: Limits.maximumAccessCount)
        var members: [Member] = []
        for _ in 0..<count {
            let member = try Member(from: &reader)
            if let last = members.last, !(last < member) {
                throw .invalid(reason: "members ascend", byteOffset: reader.byteOffset)
            }
            members.append(member)
        }
        self.members = members
        signature = try reader.readBytes(Signature.byteCount)
        try reader.finish()
    }

    /// The canonical bytes.
    public var bytes: [UInt8] { unsignedBytes + signature }

    /// What the signer signs.
    public var signedBytes: [UInt8] { Domain.access.bytes + unsignedBytes }

    /// What the next version names as its `previous`.
    public var hash: Bytes32 { Hash.digest(.access, [bytes]) }

    /// Whether the list is what its signer signed.
    public var isSigned: Bool { Signature.isValid(signature, of: signedBytes, by: signer) }

    /// The rights of a device or an invite; none if it isn't listed.
    public func rights(of key: DeviceKey, as kind: Member.Kind) -> Rights {
        members.first { $0.kind == kind && $0.key == key }?.rights ?? []
    }

    private var unsignedBytes: [UInt8] {
        var writer = ByteWriter(capacity: 128 + 34 * members.count)
        writer.write(Entry.suite)
        writer.write(space)
        writer.write(version)
        writer.write(previous.bytes)
        writer.write(signer)
        writer.writeVarint(members.count)
        for member in members {
            writer.write(member.kind.rawValue)
            writer.write(member.key)
            writer.write(member.rights.rawValue)
        }
        return writer.bytes
    }
}

extension AccessList.Member {
    init(from reader: inout ByteReader) throws(WireError) {
        let start = reader.byteOffset
        let rawKind = try reader.readByte()
        guard let kind = Kind(rawValue: rawKind) else {
            throw .unknown(field: "access kind", value: UInt64(rawKind), byteOffset: start)
        }
        let key: DeviceKey = try reader.readIdentifier()
        let rights = AccessList.Rights(rawValue: try reader.readByte())
        guard AccessList.Rights.all.contains(rights) else {
            throw .unknown(
                field: "access right",
                value: UInt64(rights.rawValue),
                byteOffset: start
            )
        }
        self.init(kind: kind, key: key, rights: rights)
    }
}
