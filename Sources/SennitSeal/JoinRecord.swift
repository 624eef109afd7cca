public import SennitWire

// How a log that isn't the founder's begins. SPEC.md section 7.4; the clear part of a join entry.
//
//     version:u8(1)  invite device key[32]  device key[32]  agreement key[32]  incarnation[16]
//     invite's signature[64]  device's signature[64]
//
// Both sign all keys, so nobody on the way can put in keys of their own. A member device that
// begins another log stands for its own invite: it names its own key and signs twice.

/// A device's request to be a member, or a member's to write another log.
public struct JoinRecord: Hashable, Sendable {
    /// The invite, or the device itself when it begins another log.
    public let invite: DeviceKey
    /// The key of the device that joins, whose log it is.
    public let device: DeviceKey
    /// The key to which epochs are sealed for the device.
    public let agreement: AgreementKey
    /// Which life of the device the log is.
    public let incarnation: Incarnation
    /// Ed25519 by `invite` over `signedBytes`.
    public let inviteSignature: [UInt8]
    /// Ed25519 by `device` over `signedBytes`.
    public let deviceSignature: [UInt8]

    private static let version: UInt8 = 1

    /// Signs a join by an invite.
    public init(
        by invite: InviteIdentity,
        device: DeviceIdentity,
        incarnation: Incarnation,
        space: SpaceID
    ) {
        self.init(
            invite: invite.device,
            device: device,
            incarnation: incarnation,
            space: space,
            signAsInvite: invite.sign
        )
    }

    /// Signs the beginning of another log by a device that is a member.
    public init(again device: DeviceIdentity, incarnation: Incarnation, space: SpaceID) {
        self.init(
            invite: device.device,
            device: device,
            incarnation: incarnation,
            space: space,
            signAsInvite: device.sign
        )
    }

    private init(
        invite: DeviceKey,
        device: DeviceIdentity,
        incarnation: Incarnation,
        space: SpaceID,
        signAsInvite: ([UInt8]) -> [UInt8]
    ) {
        let message = JoinRecord.signedBytes(
            space: space,
            invite: invite,
            device: device.device,
            agreement: device.agreement,
            incarnation: incarnation
        )
        self.invite = invite
        self.device = device.device
        agreement = device.agreement
        self.incarnation = incarnation
        inviteSignature = signAsInvite(message)
        deviceSignature = device.sign(message)
    }

    /// Parses exactly one record; the signatures are not checked here.
    /// - Throws: `poison`, `needsUpdate`.
    public init(decoding bytes: [UInt8]) throws(SealError) {
        self = try SealError.reading(bytes) { (reader) throws(WireError) in
            try JoinRecord(from: &reader)
        }
    }

    private init(from reader: inout ByteReader) throws(WireError) {
        try reader.readVersion(JoinRecord.version, of: "join version")
        invite = try reader.readIdentifier()
        device = try reader.readIdentifier()
        agreement = try reader.readIdentifier()
        let start = reader.byteOffset
        guard let incarnation = Incarnation(try reader.readBytes(Incarnation.byteCount)) else {
            throw .truncated(byteOffset: start)
        }
        self.incarnation = incarnation
        inviteSignature = try reader.readBytes(Signature.byteCount)
        deviceSignature = try reader.readBytes(Signature.byteCount)
    }

    /// The canonical bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.write(JoinRecord.version)
        writer.write(invite)
        writer.write(device)
        writer.write(agreement)
        writer.write(incarnation.bytes)
        writer.write(inviteSignature)
        writer.write(deviceSignature)
        return writer.bytes
    }

    /// The log that the record begins.
    public var descriptor: LogDescriptor {
        LogDescriptor(device: device, incarnation: incarnation)
    }

    /// Whether a member begins another log, rather than a newcomer its first.
    public var isAgain: Bool { invite == device }

    /// Checks both signatures, that the record begins the log of `descriptor`, and that epochs can
    /// be sealed to the device.
    /// - Throws: `notAuthentic`.
    /// - Complexity: two signature checks.
    public func verify(in space: SpaceID, log descriptor: LogDescriptor) throws(SealError) {
        let message = JoinRecord.signedBytes(
            space: space,
            invite: invite,
            device: device,
            agreement: agreement,
            incarnation: incarnation
        )
        guard descriptor == self.descriptor, Sodium.isUsable(agreement),
            Signature.isValid(inviteSignature, of: message, by: invite),
            Signature.isValid(deviceSignature, of: message, by: device)
        else { throw .notAuthentic }
    }

    private static func signedBytes(
        space: SpaceID,
        invite: DeviceKey,
        device: DeviceKey,
        agreement: AgreementKey,
        incarnation: Incarnation
    ) -> [UInt8] {
        Domain.join.bytes + space.bytes + invite.bytes + device.bytes + agreement.bytes
            + incarnation.bytes
    }
}
