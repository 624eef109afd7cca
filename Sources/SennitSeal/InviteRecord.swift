public import SennitWire

// An open invite: what anybody may see of it, and what only members may. SPEC.md section 7.3.
//
//     clear  = version:u8(1)  mode:u8(1)  invite device key[32]  invite agreement key[32]
//              epoch key id[32]  box[80]
//     record = version:u8(1)  role:u8  uses:varint  mode:u8(1)  invite device key[32]
//
// The box gives the epoch to whoever holds the link, so a newcomer needs nobody online.

/// What a member may do.
public enum Role: UInt8, Hashable, Comparable, Sendable, CaseIterable {
    /// Writes, and invites others.
    case owner = 1
    /// Writes.
    case writer = 2
    /// Reads; its log holds only what says that it is there.
    case reader = 3

    /// A role that may more is greater.
    public static func < (left: Role, right: Role) -> Bool { left.rawValue > right.rawValue }
}

/// How an invite lets somebody in.
public enum InviteMode: UInt8, Hashable, Sendable {
    /// At once: the epoch is sealed to the invite. (2, by approval, is reserved.)
    case automatic = 1
}

/// The clear part of an invite entry.
public struct InviteClear: Hashable, Sendable {
    /// How it lets somebody in.
    public let mode: InviteMode
    /// The invite's signing key, which names it.
    public let invite: DeviceKey
    /// The key to which epochs are sealed for it.
    public let agreement: AgreementKey
    /// The epoch in the box.
    public let epoch: EpochKeyID
    /// The epoch's secret, sealed to `agreement`.
    public let box: [UInt8]

    private static let version: UInt8 = 1

    /// Seals `epoch` to an invite. `ephemeral` is 32 random bytes, used once.
    /// - Throws: `unusableKey`.
    public init(
        invite: InviteIdentity,
        epoch: EpochKey,
        ephemeral: Bytes32
    ) throws(SealError) {
        mode = .automatic
        self.invite = invite.device
        agreement = invite.agreement
        self.epoch = epoch.id
        box = try epoch.sealed(to: invite.agreement, ephemeral: ephemeral)
    }

    /// Parses exactly one clear part.
    /// - Throws: `poison`, `needsUpdate`.
    public init(decoding bytes: [UInt8]) throws(SealError) {
        self = try SealError.reading(bytes) { (reader) throws(WireError) in
            try InviteClear(from: &reader)
        }
    }

    private init(from reader: inout ByteReader) throws(WireError) {
        try reader.readVersion(InviteClear.version, of: "invite version")
        mode = try reader.readInviteMode()
        invite = try reader.readIdentifier()
        agreement = try reader.readIdentifier()
        epoch = try reader.readIdentifier()
        box = try reader.readBytes(EpochKey.boxByteCount)
    }

    /// The canonical bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 192)
        writer.write(InviteClear.version)
        writer.write(mode.rawValue)
        writer.write(invite)
        writer.write(agreement)
        writer.write(epoch)
        writer.write(box)
        return writer.bytes
    }
}

/// The sealed record of an invite; payload kind 3.
public struct InviteRecord: Hashable, Sendable {
    /// What those who join by it may do. An invite that makes owners has no effect.
    public let role: Role
    /// How many may join by it, at least 1.
    public let uses: UInt64
    /// As in the clear part.
    public let mode: InviteMode
    /// The invite's signing key, as in the clear part.
    public let invite: DeviceKey

    private static let version: UInt8 = 1

    /// Puts a record together.
    public init(
        role: Role,
        uses: UInt64,
        mode: InviteMode = .automatic,
        invite: DeviceKey
    ) {
        precondition(uses > 0, "An invite has at least one use.")
        self.role = role
        self.uses = uses
        self.mode = mode
        self.invite = invite
    }

    /// Parses exactly one record.
    /// - Throws: `poison`, `needsUpdate`.
    public init(decoding bytes: [UInt8]) throws(SealError) {
        self = try SealError.reading(bytes) { (reader) throws(WireError) in
            try InviteRecord(from: &reader)
        }
    }

    private init(from reader: inout ByteReader) throws(WireError) {
        try reader.readVersion(InviteRecord.version, of: "invite record version")
        let roleStart = reader.byteOffset
        let rawRole = try reader.readByte()
        guard let role = Role(rawValue: rawRole) else {
            throw .unknown(field: "role", value: UInt64(rawRole), byteOffset: roleStart)
        }
        self.role = role
        let usesStart = reader.byteOffset
        uses = try reader.readVarint()
        guard uses > 0 else {
            throw .invalid(reason: "an invite has at least one use", byteOffset: usesStart)
        }
        mode = try reader.readInviteMode()
        invite = try reader.readIdentifier()
    }

    /// The canonical bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 48)
        writer.write(InviteRecord.version)
        writer.write(role.rawValue)
        writer.writeVarint(uses)
        writer.write(mode.rawValue)
        writer.write(invite)
        return writer.bytes
    }

    /// Whether this is the sealed half of `clear`; an entry whose halves differ is poison.
    public func belongs(to clear: InviteClear) -> Bool {
        invite == clear.invite && mode == clear.mode
    }
}

extension ByteReader {
    fileprivate mutating func readInviteMode() throws(WireError) -> InviteMode {
        let start = byteOffset
        let rawMode = try readByte()
        guard let mode = InviteMode(rawValue: rawMode) else {
            throw .unknown(field: "invite mode", value: UInt64(rawMode), byteOffset: start)
        }
        return mode
    }
}
