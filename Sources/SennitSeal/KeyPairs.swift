internal import SennitWire

/// A signing pair and an agreement pair, the same for a device and for an invite.
struct KeyPairs: Sendable {
    let device: DeviceKey
    let agreement: AgreementKey

    private let signingSecret: SecretBytes
    private let agreementSecret: SecretBytes

    /// Makes both pairs from seeds of 32 bytes each.
    init(signingSeed: SecretBytes, agreementSecret: SecretBytes) {
        (signingSecret, device) = Sodium.signingKeys(seed: signingSeed)
        self.agreementSecret = agreementSecret
        agreement = Sodium.agreementKey(secret: agreementSecret)
    }

    func sign(_ message: [UInt8]) -> [UInt8] {
        Sodium.sign(message, secret: signingSecret)
    }

    /// The 32 bytes in a box.
    func openBox(_ box: [UInt8]) throws(SealError) -> SecretBytes {
        guard box.count == EpochKey.boxByteCount,
            let secret = Sodium.openBox(box, key: agreement, secret: agreementSecret)
        else { throw .notAuthentic }
        return secret
    }

    /// The epoch key in a box, if it is the one that was announced.
    func openEpoch(
        _ box: [UInt8],
        id: EpochKeyID,
        in space: SpaceID
    ) throws(SealError) -> EpochKey {
        let key = EpochKey(secret: try openBox(box), space: space)
        guard key.id == id else { throw .notAuthentic }
        return key
    }
}
