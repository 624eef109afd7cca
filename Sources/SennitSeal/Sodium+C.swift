internal import CSodium
internal import SennitWire

// The only file of this module that calls libsodium. None of these calls draws randomness.
// https://doc.libsodium.org/advanced/ed25519-curve25519 and the pages beside it.

/// The primitives of SPEC.md section 5, with sizes checked and secrets kept in `SecretBytes`.
enum Sodium {
    static let keyByteCount = 32
    static let tagByteCount = 16
    static let signingSecretByteCount = 64
    static let boxOverhead = 48

    static func wipe(_ memory: UnsafeMutablePointer<UInt8>, count: Int) {
        unsafe sodium_memzero(memory, count)
    }

    private static let pageByteCount = 4096

    /// Zeroed pages of their own that are locked and left out of core dumps, where the system lets
    /// a process do so. (`sodium_malloc` would need `sodium_init`, which opens a source of
    /// randomness.)
    static func guardedMemory(count: Int) -> UnsafeMutablePointer<UInt8> {
        let byteCount = guardedByteCount(count)
        let pages = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount,
            alignment: pageByteCount
        )
        _ = unsafe sodium_mlock(pages, byteCount)
        return unsafe pages.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    /// Wipes guarded memory and gives it back.
    static func releaseGuarded(_ memory: UnsafeMutablePointer<UInt8>, count: Int) {
        // It wipes even where nothing was locked.
        _ = unsafe sodium_munlock(memory, guardedByteCount(count))
        unsafe UnsafeMutableRawPointer(memory).deallocate()
    }

    private static func guardedByteCount(_ count: Int) -> Int {
        max(1, (count + pageByteCount - 1) / pageByteCount) * pageByteCount
    }

    static func areEqual(_ left: SecretBytes, _ right: SecretBytes) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe left.withMemory { leftMemory in
            unsafe right.withMemory { rightMemory in
                unsafe sodium_memcmp(leftMemory, rightMemory, left.count) == 0
            }
        }
    }

    // MARK: Hashes

    /// H(derive, label | parts, key: key), which never leaves secret memory.
    static func derive(_ label: String, _ parts: [[UInt8]] = [], key: SecretBytes) -> SecretBytes {
        let message = Array(label.utf8) + parts.joined()
        return unsafe SecretBytes(byteCount: keyByteCount) { digest in
            unsafe hash(.derive, message, message.count, key: key, into: digest)
        }
    }

    /// H(purpose, parts, key: key).
    static func hash(_ purpose: Hash.Purpose, _ parts: [[UInt8]], key: SecretBytes) -> Bytes32 {
        let message = Array(parts.joined())
        var digest = [UInt8](repeating: 0, count: Bytes32.byteCount)
        unsafe hash(purpose, message, message.count, key: key, into: &digest)
        return bytes32(digest)
    }

    /// H(purpose, beginning | secret).
    static func hash(
        _ purpose: Hash.Purpose,
        _ beginning: [UInt8],
        then secret: SecretBytes
    ) -> Bytes32 {
        var digest = [UInt8](repeating: 0, count: Bytes32.byteCount)
        let message = unsafe SecretBytes(byteCount: beginning.count + secret.count) { memory in
            for (index, byte) in beginning.enumerated() { unsafe memory[index] = byte }
            unsafe secret.withMemory { secretMemory in
                unsafe (memory + beginning.count).update(from: secretMemory, count: secret.count)
            }
        }
        unsafe message.withMemory { memory in
            unsafe hash(purpose, memory, message.count, key: noKey, into: &digest)
        }
        return bytes32(digest)
    }

    private static let noKey = SecretBytes([])

    private static func hash(
        _ purpose: Hash.Purpose,
        _ message: UnsafePointer<UInt8>,
        _ messageByteCount: Int,
        key: SecretBytes,
        into digest: UnsafeMutablePointer<UInt8>
    ) {
        let noSalt = [UInt8](repeating: 0, count: 16)
        let name = Array(purpose.rawValue.utf8)
        let personalisation = name + [UInt8](repeating: 0, count: 16 - name.count)
        let status = unsafe key.withMemory { keyMemory in
            unsafe crypto_generichash_blake2b_salt_personal(
                digest,
                Bytes32.byteCount,
                message,
                UInt64(messageByteCount),
                keyMemory,
                key.count,
                noSalt,
                personalisation
            )
        }
        precondition(status == 0, "A key has at most 64 bytes.")
    }

    // MARK: Seals

    /// XChaCha20-Poly1305-IETF: the ciphertext with its tag.
    static func seal(
        _ plaintext: [UInt8],
        nonce: [UInt8],
        associatedData: [UInt8],
        key: SecretBytes
    ) -> [UInt8] {
        precondition(nonce.count == Entry.nonceByteCount, "A nonce has 24 bytes.")
        precondition(key.count == keyByteCount, "A key has 32 bytes.")
        var sealed = [UInt8](repeating: 0, count: plaintext.count + tagByteCount)
        unsafe key.withMemory { keyMemory in
            _ = unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
                &sealed,
                nil,
                plaintext,
                UInt64(plaintext.count),
                associatedData,
                UInt64(associatedData.count),
                nil,
                nonce,
                keyMemory
            )
        }
        return sealed
    }

    /// The plaintext, or `nil` if anything differs from what was sealed.
    static func open(
        _ sealed: [UInt8],
        nonce: [UInt8],
        associatedData: [UInt8],
        key: SecretBytes
    ) -> [UInt8]? {
        precondition(nonce.count == Entry.nonceByteCount, "A nonce has 24 bytes.")
        precondition(key.count == keyByteCount, "A key has 32 bytes.")
        guard sealed.count >= tagByteCount else { return nil }
        var plaintext = [UInt8](repeating: 0, count: sealed.count - tagByteCount)
        let status = unsafe key.withMemory { keyMemory in
            unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
                &plaintext,
                nil,
                nil,
                sealed,
                UInt64(sealed.count),
                associatedData,
                UInt64(associatedData.count),
                nonce,
                keyMemory
            )
        }
        return status == 0 ? plaintext : nil
    }

    // MARK: Signatures

    /// The Ed25519 pair of a seed of 32 bytes; the secret has 64.
    static func signingKeys(seed: SecretBytes) -> (secret: SecretBytes, key: DeviceKey) {
        precondition(seed.count == keyByteCount, "A seed has 32 bytes.")
        var key = [UInt8](repeating: 0, count: Bytes32.byteCount)
        let secret = unsafe SecretBytes(byteCount: signingSecretByteCount) { memory in
            unsafe seed.withMemory { seedMemory in
                _ = unsafe crypto_sign_seed_keypair(&key, memory, seedMemory)
            }
        }
        return (secret, DeviceKey(value: bytes32(key)))
    }

    /// Ed25519, without randomness.
    static func sign(_ message: [UInt8], secret: SecretBytes) -> [UInt8] {
        precondition(secret.count == signingSecretByteCount, "A signing secret has 64 bytes.")
        var signature = [UInt8](repeating: 0, count: Signature.byteCount)
        unsafe secret.withMemory { memory in
            _ = unsafe crypto_sign_detached(
                &signature,
                nil,
                message,
                UInt64(message.count),
                memory
            )
        }
        return signature
    }

    // MARK: Sealed boxes

    /// The X25519 public key of a secret of 32 bytes.
    static func agreementKey(secret: SecretBytes) -> AgreementKey {
        precondition(secret.count == keyByteCount, "An agreement secret has 32 bytes.")
        var key = [UInt8](repeating: 0, count: Bytes32.byteCount)
        unsafe secret.withMemory { memory in
            _ = unsafe crypto_scalarmult_base(&key, memory)
        }
        return AgreementKey(value: bytes32(key))
    }

    /// Whether something can be sealed to a key: it isn't of small order.
    static func isUsable(_ key: AgreementKey) -> Bool {
        var shared = [UInt8](repeating: 0, count: Bytes32.byteCount)
        let anySecret = [UInt8](repeating: 1, count: keyByteCount)
        return unsafe crypto_scalarmult(&shared, anySecret, key.bytes) == 0
    }

    /// What libsodium's `crypto_box_seal` makes with the ephemeral secret `ephemeral`; `nil` if
    /// `recipient` is of small order.
    static func box(
        _ secret: SecretBytes,
        to recipient: AgreementKey,
        ephemeral: SecretBytes
    ) -> [UInt8]? {
        let sender = agreementKey(secret: ephemeral)
        // As in libsodium: a digest of 24 bytes, which is not the beginning of a longer one.
        var nonce = [UInt8](repeating: 0, count: Entry.nonceByteCount)
        let keys = sender.bytes + recipient.bytes
        unsafe crypto_generichash(&nonce, nonce.count, keys, UInt64(keys.count), nil, 0)
        var box = [UInt8](repeating: 0, count: secret.count + tagByteCount)
        let status = unsafe secret.withMemory { secretMemory in
            unsafe ephemeral.withMemory { ephemeralMemory in
                unsafe crypto_box_easy(
                    &box,
                    secretMemory,
                    UInt64(secret.count),
                    nonce,
                    recipient.bytes,
                    ephemeralMemory
                )
            }
        }
        return status == 0 ? sender.bytes + box : nil
    }

    /// The content of a box that was sealed to the key of `secret`.
    static func openBox(
        _ box: [UInt8],
        key: AgreementKey,
        secret: SecretBytes
    ) -> SecretBytes? {
        guard box.count >= boxOverhead else { return nil }
        var status: Int32 = -1
        let content = unsafe SecretBytes(byteCount: box.count - boxOverhead) { memory in
            unsafe secret.withMemory { secretMemory in
                status = unsafe crypto_box_seal_open(
                    memory,
                    box,
                    UInt64(box.count),
                    key.bytes,
                    secretMemory
                )
            }
        }
        return status == 0 ? content : nil
    }

    // MARK: Passphrases

    /// Argon2id with one lane: 32 bytes, or `nil` if there isn't as much memory.
    static func argon2id(
        _ passphrase: SecretBytes,
        salt: [UInt8],
        passes: UInt64,
        memory: Int
    ) -> SecretBytes? {
        precondition(salt.count == 16, "A salt has 16 bytes.")
        var status: Int32 = -1
        let key = unsafe SecretBytes(byteCount: keyByteCount) { keyMemory in
            unsafe passphrase.withMemory { memoryOfPassphrase in
                unsafe memoryOfPassphrase.withMemoryRebound(
                    to: CChar.self,
                    capacity: max(passphrase.count, 1)
                ) { text in
                    status = unsafe crypto_pwhash_argon2id(
                        keyMemory,
                        UInt64(keyByteCount),
                        text,
                        UInt64(passphrase.count),
                        salt,
                        passes,
                        memory,
                        crypto_pwhash_argon2id_ALG_ARGON2ID13
                    )
                }
            }
        }
        return status == 0 ? key : nil
    }

    private static func bytes32(_ bytes: [UInt8]) -> Bytes32 {
        guard let value = Bytes32(bytes) else { preconditionFailure("There are 32 bytes.") }
        return value
    }
}
