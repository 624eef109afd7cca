public import SennitWire

// The secret of one epoch and the keys that follow from it. SPEC.md section 5.
//
//     id                      H(epoch, space id | secret)
//     entry key  (type, log)  H(derive, "entry key" | type | log id, key: secret)
//     nonce key  (type, log)  H(derive, "nonce key" | type | log id, key: secret)
//     wrap key                H(derive, "wrap key", key: secret)
//
// The id is public and in the associated data of every entry: nobody can be given another key for
// an epoch unnoticed, and no ciphertext opens under two.

/// The key of one epoch of a space.
public struct EpochKey: Sendable {
    /// The 32 random bytes.
    public let secret: SecretBytes
    /// Names the epoch.
    public let id: EpochKeyID

    /// How many bytes the secret has.
    public static let secretByteCount = 32

    /// Bytes of a secret that is sealed to a member or an invite.
    public static let boxByteCount = secretByteCount + Sodium.boxOverhead

    /// The key of the epoch of `space` with `secret`, 32 bytes.
    public init(secret: SecretBytes, space: SpaceID) {
        precondition(secret.count == EpochKey.secretByteCount, "An epoch's secret has 32 bytes.")
        self.secret = secret
        id = EpochKeyID(value: Sodium.hash(.epochKey, space.bytes, then: secret))
    }

    /// The first bytes of the id: they select among known keys and prove nothing.
    public var hint: [UInt8] { Array(id.bytes.prefix(Entry.keyHintByteCount)) }

    /// The secret in a sealed box that only the holder of `recipient` can open, 80 bytes.
    ///
    /// `ephemeral` is the secret of the box's own key pair: 32 random bytes, used once.
    /// - Throws: `unusableKey` for a recipient of small order.
    public func sealed(
        to recipient: AgreementKey,
        ephemeral: Bytes32
    ) throws(SealError) -> [UInt8] {
        let box = Sodium.box(secret, to: recipient, ephemeral: SecretBytes(ephemeral.bytes))
        guard let box else { throw .unusableKey(recipient) }
        return box
    }

    func entryKey(_ type: EntryType, _ log: LogID) -> SecretBytes {
        Sodium.derive("entry key", [[type.rawValue], log.bytes], key: secret)
    }

    func nonceKey(_ type: EntryType, _ log: LogID) -> SecretBytes {
        Sodium.derive("nonce key", [[type.rawValue], log.bytes], key: secret)
    }

    var wrapKey: SecretBytes { Sodium.derive("wrap key", key: secret) }

    var wrapNonceKey: SecretBytes { Sodium.derive("wrap nonce key", key: secret) }

    /// The first 24 bytes of H(nonce, random | associated data | plaintext, key: key): neither a
    /// repeated state nor a bad source of randomness alone repeats it.
    static func nonce(
        random: Bytes32,
        associatedData: [UInt8],
        plaintext: [UInt8],
        key: SecretBytes
    ) -> [UInt8] {
        let digest = Sodium.hash(.nonce, [random.bytes, associatedData, plaintext], key: key)
        return Array(digest.bytes.prefix(Entry.nonceByteCount))
    }
}
