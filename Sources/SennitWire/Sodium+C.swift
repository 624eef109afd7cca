internal import CSodium

// The only file of this module that calls libsodium: BLAKE2b and the check of Ed25519 signatures.
// https://doc.libsodium.org/hashing/generic_hashing says of the output that "The minimum
// recommended output size is crypto_generichash_BYTES" (32); every hash here has that size.

/// BLAKE2b-256 with a personalisation for each use, so that no hash can stand for another.
public enum Hash {
    /// What a hash is for.
    public enum Purpose: String, Sendable, CaseIterable {
        case space = "sennit-space-1"
        case log = "sennit-log-1"
        case entry = "sennit-entry-1"
        case chainStart = "sennit-chain0-1"
        case chain = "sennit-chain-1"
        case epochKey = "sennit-epoch-1"
        case context = "sennit-context-1"
        case access = "sennit-access-1"
        case invite = "sennit-invite-1"
        case member = "sennit-member-1"
        case document = "sennit-doc-1"
        case nonce = "sennit-nonce-1"
        case derive = "sennit-derive-1"
        case token = "sennit-token-1"

        /// BLAKE2b's 16 bytes of personalisation: the raw value, padded with zeros.
        var personalisation: [UInt8] {
            let name = Array(rawValue.utf8)
            return name + [UInt8](repeating: 0, count: 16 - name.count)
        }
    }

    private static let noSalt = [UInt8](repeating: 0, count: 16)

    /// The hash of the parts put together, keyed with 0 to 64 bytes.
    /// - Complexity: O(bytes); about 1 ns a byte.
    public static func digest(
        _ purpose: Purpose,
        _ parts: [[UInt8]],
        key: [UInt8] = []
    ) -> Bytes32 {
        precondition(key.count <= 64, "A BLAKE2b key has at most 64 bytes.")
        let message = parts.count == 1 ? parts[0] : Array(parts.joined())
        return unsafe message.withUnsafeBytes { message in
            unsafe digest(message, key: key, personalisation: purpose.personalisation)
        }
    }

    private static let entryPersonalisation = Purpose.entry.personalisation
    private static let chainPersonalisation = Purpose.chain.personalisation

    /// The hash of the bytes of one entry, which lie somewhere in `bytes`.
    static func entry(_ bytes: [UInt8], _ range: Range<Int>) -> Bytes32 {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= bytes.count,
            "An entry lies within its bytes."
        )
        return unsafe bytes.withUnsafeBytes { bytes in
            unsafe digest(
                UnsafeRawBufferPointer(rebasing: bytes[range]),
                personalisation: entryPersonalisation
            )
        }
    }

    /// The hash of two values, one behind the other, as chains are made.
    static func chain(_ first: Bytes32, _ second: Bytes32) -> Bytes32 {
        let message = (first.inByteOrder, second.inByteOrder)
        return unsafe withUnsafeBytes(of: message) { message in
            unsafe digest(message, personalisation: chainPersonalisation)
        }
    }

    private static func digest(
        _ message: UnsafeRawBufferPointer,
        key: [UInt8] = [],
        personalisation: [UInt8]
    ) -> Bytes32 {
        var digest = Bytes32.zero
        unsafe withUnsafeMutablePointer(to: &digest) { digest in
            _ = unsafe crypto_generichash_blake2b_salt_personal(
                digest,
                Bytes32.byteCount,
                message.baseAddress,
                UInt64(message.count),
                key,
                key.count,
                noSalt,
                personalisation
            )
        }
        return digest.inByteOrder
    }
}

/// Checks of Ed25519 signatures. Making them is SennitSeal's.
public enum Signature {
    /// How many bytes a signature has.
    public static let byteCount = 64

    /// Whether `signature` is that of `key` over `message`.
    ///
    /// libsodium refuses small-order keys and non-canonical signatures.
    /// - Complexity: O(bytes); about 50 µs.
    public static func isValid(_ signature: [UInt8], of message: [UInt8], by key: DeviceKey) -> Bool
    {
        guard signature.count == byteCount else { return false }
        return unsafe crypto_sign_verify_detached(
            signature,
            message,
            UInt64(message.count),
            key.bytes
        ) == 0
    }
}

/// The C library under all this.
public enum Primitives {
    /// Lets libsodium choose the fastest code for this processor. Call it once at the start of a
    /// process; without it all results are the same, more slowly.
    ///
    /// Not for the pure modules: it opens the system's source of randomness.
    public static func prepare() { _ = sodium_init() }
}
