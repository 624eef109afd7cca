public import SennitWire

// The keys of one device in one space. SPEC.md section 5.
//
//     space seed     H(derive, "space seed" | space nonce, key: device seed)
//     device key     Ed25519 from seed H(derive, "sign",  key: space seed)
//     agreement key  X25519, secret    H(derive, "agree", key: space seed)
//
// The space's nonce is in its genesis, so a device has other keys in each space and a relay can't
// tell that they are one device.

/// A device in one space: its keys, and everything that is signed with them.
public struct DeviceIdentity: Sendable {
    private let keys: KeyPairs

    /// Derives the keys of the device with `deviceSeed`, 32 bytes, in the space whose genesis holds
    /// `spaceNonce`.
    public init(deviceSeed: SecretBytes, spaceNonce: Bytes32) {
        let seed = Sodium.derive("space seed", [spaceNonce.bytes], key: deviceSeed)
        keys = KeyPairs(
            signingSeed: Sodium.derive("sign", key: seed),
            agreementSecret: Sodium.derive("agree", key: seed)
        )
    }

    /// The device's signing key.
    public var device: DeviceKey { keys.device }

    /// The key to which epochs are sealed for the device.
    public var agreement: AgreementKey { keys.agreement }

    /// Ed25519 over `message`, 64 bytes. What is signed begins with a `Domain`.
    public func sign(_ message: [UInt8]) -> [UInt8] { keys.sign(message) }

    /// The 32 bytes that were sealed to the device.
    /// - Throws: `notAuthentic`.
    public func openBox(_ box: [UInt8]) throws(SealError) -> SecretBytes {
        try keys.openBox(box)
    }

    /// The key of an epoch; `nil` if the record doesn't name the device.
    /// - Throws: `notAuthentic` if the box doesn't hold the key that the record announces.
    public func epochKey(
        from record: EpochRecord,
        in space: SpaceID
    ) throws(SealError) -> EpochKey? {
        guard let box = record.box(for: agreement, kind: .device) else { return nil }
        return try keys.openEpoch(box, id: record.epoch, in: space)
    }

    /// The genesis of a space that the device founds. `nonce` is the one its keys come from.
    public func genesis(nonce: Bytes32) -> Genesis {
        Genesis(nonce: nonce, founder: device, founderAgreement: agreement)
    }

    /// The signed end of one of the device's logs.
    public func head(
        space: SpaceID,
        log: LogID,
        end: Offset,
        chain: ChainHash,
        byteCount: UInt64,
        membership: Bytes32,
        epoch: EpochKeyID
    ) -> Head {
        let message = Head.signedBytes(
            space: space,
            log: log,
            end: end,
            chain: chain,
            byteCount: byteCount,
            membership: membership,
            epoch: epoch
        )
        return Head(
            end: end,
            chain: chain,
            byteCount: byteCount,
            membership: membership,
            epoch: epoch,
            signature: sign(message)
        )
    }

    /// The answer to a relay's challenge.
    public func hello(
        to challenge: Challenge,
        space: SpaceID,
        admission: Admission? = nil
    ) -> Hello {
        Hello(
            space: space,
            device: device,
            signature: sign(challenge.signedBytes(space: space, device: device)),
            admission: admission
        )
    }

    /// A list for the relay, signed by the device: version 1, or the one after `previous`.
    public func accessList(
        space: SpaceID,
        after previous: AccessList?,
        members: [AccessList.Member]
    ) -> AccessList {
        func list(signature: [UInt8]) -> AccessList {
            AccessList(
                space: space,
                version: (previous?.version ?? 0) + 1,
                previous: previous?.hash ?? .zero,
                signer: device,
                members: members,
                signature: signature
            )
        }
        let unsigned = list(signature: [UInt8](repeating: 0, count: Signature.byteCount))
        return list(signature: sign(unsigned.signedBytes))
    }
}
