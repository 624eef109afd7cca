public import SennitWire

// The keys of one invite. SPEC.md section 8.
//
//     device key     Ed25519 from seed H(derive, "invite sign"  | space id, key: seed)
//     agreement key  X25519, secret    H(derive, "invite agree" | space id, key: seed)

/// What whoever holds an invite link can do: open its epoch, and vouch for one device of their own.
public struct InviteIdentity: Sendable {
    private let keys: KeyPairs

    /// How many bytes the seed in a link has.
    public static let seedByteCount = 16

    /// Derives the invite's keys from the 16 bytes of a link.
    public init(seed: SecretBytes, space: SpaceID) {
        precondition(seed.count == InviteIdentity.seedByteCount, "An invite's seed has 16 bytes.")
        keys = KeyPairs(
            signingSeed: Sodium.derive("invite sign", [space.bytes], key: seed),
            agreementSecret: Sodium.derive("invite agree", [space.bytes], key: seed)
        )
    }

    /// The invite's signing key, which names it.
    public var device: DeviceKey { keys.device }

    /// The key to which epochs are sealed for the invite.
    public var agreement: AgreementKey { keys.agreement }

    /// Ed25519 over `message`, 64 bytes. What is signed begins with a `Domain`.
    public func sign(_ message: [UInt8]) -> [UInt8] { keys.sign(message) }

    /// The 32 bytes that were sealed to the invite.
    /// - Throws: `notAuthentic`.
    public func openBox(_ box: [UInt8]) throws(SealError) -> SecretBytes {
        try keys.openBox(box)
    }

    /// The key of the epoch in which the invite was made.
    /// - Throws: `notAuthentic` if the box doesn't hold the key that the record announces.
    public func epochKey(
        from invite: InviteClear,
        in space: SpaceID
    ) throws(SealError) -> EpochKey {
        try keys.openEpoch(invite.box, id: invite.epoch, in: space)
    }

    /// The key of a later epoch; `nil` if the record doesn't name the invite.
    /// - Throws: `notAuthentic` if the box doesn't hold the key that the record announces.
    public func epochKey(
        from record: EpochRecord,
        in space: SpaceID
    ) throws(SealError) -> EpochKey? {
        guard let box = record.box(for: agreement, kind: .invite) else { return nil }
        return try keys.openEpoch(box, id: record.epoch, in: space)
    }

    /// The invite's word to a relay that `device` may come in.
    public func admission(of device: DeviceKey, in space: SpaceID) -> Admission {
        Admission(
            invite: self.device,
            signature: sign(Admission.signedBytes(space: space, device: device))
        )
    }
}
