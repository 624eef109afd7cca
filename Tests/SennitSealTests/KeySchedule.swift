import CSodium
import SennitSeal
import SennitWire

/// The key schedule of SPEC.md section 5 a second time, straight from its text.
enum KeySchedule {
    static func derive(_ label: String, _ context: [UInt8], key: [UInt8]) -> [UInt8] {
        Hash.digest(.derive, [Array(label.utf8), context], key: key).bytes
    }

    static func entryKey(_ epoch: EpochKey, _ type: EntryType, _ log: LogID) -> [UInt8] {
        derive("entry key", [type.rawValue] + log.bytes, key: epoch.secret.bytes)
    }

    static func nonceKey(_ epoch: EpochKey, _ type: EntryType, _ log: LogID) -> [UInt8] {
        derive("nonce key", [type.rawValue] + log.bytes, key: epoch.secret.bytes)
    }

    static func associatedData(
        _ type: EntryType,
        _ place: EntryPlace,
        _ epoch: EpochKeyID,
        clear: [UInt8],
        sealedByteCount: Int
    ) -> [UInt8] {
        func little(_ value: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
        }
        var bytes = Array("sennit/entry/1\n".utf8) + [1, type.rawValue]
        bytes += place.space.bytes + place.log.bytes + little(place.offset.value, 8)
        bytes += place.chain.bytes + epoch.bytes
        bytes += little(UInt64(sealedByteCount), 4) + little(UInt64(clear.count), 4) + clear
        return bytes
    }

    /// Zeros up to the next multiple of 2^(E - S), where E = floor(log2 L), S = floor(log2 E) + 1.
    static func padded(_ bytes: [UInt8]) -> [UInt8] {
        func log2(_ value: Int) -> Int { value < 2 ? 0 : 1 + log2(value / 2) }
        var length = max(bytes.count, 64)
        let exponent = log2(length)
        let kept = log2(exponent) + 1
        while length % (1 << (exponent - kept)) != 0 { length += 1 }
        return bytes + [UInt8](repeating: 0, count: length - bytes.count)
    }

    /// An entry around any padded bytes, right or wrong.
    static func seal(
        padded: [UInt8],
        type: EntryType,
        clear: [UInt8] = [],
        at place: EntryPlace,
        under epoch: EpochKey,
        random: Bytes32
    ) -> Entry {
        let data = associatedData(
            type,
            place,
            epoch.id,
            clear: clear,
            sealedByteCount: padded.count + 16
        )
        let nonceKey = nonceKey(epoch, type, place.log)
        let hash = Hash.digest(.nonce, [random.bytes, data, padded], key: nonceKey)
        let nonce = Array(hash.bytes.prefix(24))
        let key = entryKey(epoch, type, place.log)
        return Entry(
            type: type,
            keyHint: Array(epoch.id.bytes.prefix(8)),
            nonce: nonce,
            clear: clear,
            sealed: encrypt(padded, nonce: nonce, associatedData: data, key: key)
        )
    }

    static func encrypt(
        _ plaintext: [UInt8],
        nonce: [UInt8],
        associatedData: [UInt8],
        key: [UInt8]
    ) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: plaintext.count + 16)
        unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
            &sealed,
            nil,
            plaintext,
            UInt64(plaintext.count),
            associatedData,
            UInt64(associatedData.count),
            nil,
            nonce,
            key
        )
        return sealed
    }

    static func signingKey(seed: [UInt8]) -> DeviceKey? {
        DeviceKey(signingKeys(seed: seed).key)
    }

    static func agreementKey(secret: [UInt8]) -> AgreementKey? {
        var key = [UInt8](repeating: 0, count: 32)
        unsafe crypto_scalarmult_base(&key, secret)
        return AgreementKey(key)
    }

    /// A join record whose signatures are right, whatever the agreement key.
    static func join(
        agreement: AgreementKey,
        signingSeed: [UInt8],
        inviteSeed: [UInt8],
        incarnation: Incarnation,
        space: SpaceID
    ) throws -> JoinRecord {
        let device = signingKeys(seed: signingSeed)
        let invite = signingKeys(seed: inviteSeed)
        let keys = invite.key + device.key + agreement.bytes + incarnation.bytes
        let message = Array("sennit/join/1\n".utf8) + space.bytes + keys
        let signatures =
            sign(message, secret: invite.secret) + sign(message, secret: device.secret)
        return try JoinRecord(decoding: [1] + keys + signatures)
    }

    static func sign(_ message: [UInt8], secret: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: 64)
        unsafe crypto_sign_detached(&signature, nil, message, UInt64(message.count), secret)
        return signature
    }

    private static func signingKeys(seed: [UInt8]) -> (key: [UInt8], secret: [UInt8]) {
        var key = [UInt8](repeating: 0, count: 32)
        var secret = [UInt8](repeating: 0, count: 64)
        unsafe crypto_sign_seed_keypair(&key, &secret, seed)
        return (key, secret)
    }
}
