public import SennitWire

// What keeps a profile's secrets under a passphrase. It never leaves the device; the store has it.
//
//     vault  = header | sealed[48] | check[32] | checksum[8]
//     header = version:u8(1) | passes:u32 | memory:u32 | salt[16] | nonce[24]        memory in KiB
//     root   = Argon2id(passphrase, salt, passes, memory), one lane, 32 bytes
//     sealed = XChaCha20-Poly1305(H(derive, "vault key", key: root), nonce,
//              "sennit/vault/1\n" | header, the profile key[32])
//     check  = H(derive, "vault check" | header, key: root)
//
// The passphrase is asked of `check` before anything is opened, so that a wrong one is told from
// damage: what is damaged by accident fails the checksum first. The parameters are bounded from
// both sides before any work is done: whoever can write the file can make neither a weak key nor an
// endless one of them. They are bound to what they seal by `check` and by the associated data.
//
// Left out: a secret beside the passphrase, in a token or a chip.

/// A profile key under a passphrase.
public struct Vault: Hashable, Sendable {
    /// What trying one passphrase costs.
    public struct Cost: Hashable, Sendable {
        /// Passes over the memory.
        public let passes: UInt32
        /// KiB of memory.
        public let memory: UInt32

        /// The second recommendation of RFC 9106, section 4, is the least that is accepted: 3
        /// passes over 64 MiB.
        public static let minimum = Cost(uncheckedPasses: 3, memory: 1 << 16)
        /// The most that is accepted: some seconds on a small machine, and memory that it has.
        public static let maximum = Cost(uncheckedPasses: 16, memory: 1 << 20)

        /// A cost within the limits; `nil` for any other.
        public init?(passes: UInt32, memory: UInt32) {
            guard (Cost.minimum.passes...Cost.maximum.passes).contains(passes),
                (Cost.minimum.memory...Cost.maximum.memory).contains(memory)
            else { return nil }
            self.init(uncheckedPasses: passes, memory: memory)
        }

        private init(uncheckedPasses passes: UInt32, memory: UInt32) {
            self.passes = passes
            self.memory = memory
        }
    }

    /// Why a vault isn't opened.
    public enum Fault: Error, Hashable, Sendable {
        /// It isn't one of this version, or not what was written.
        case damaged
        /// Its cost is out of bounds, so somebody else wrote it.
        case impossibleCost
        /// Another passphrase than this one.
        case wrongPassphrase
        /// There is not as much memory as the cost says.
        case outOfMemory
    }

    /// The bytes of a profile key.
    public static let keyByteCount = 32
    /// How many bytes a vault has.
    public static let byteCount = headerByteCount + sealedByteCount + 32 + 8

    private static let headerByteCount = 1 + 4 + 4 + 16 + 24
    private static let sealedByteCount = keyByteCount + Sodium.tagByteCount
    private static let version: UInt8 = 1

    /// What trying one passphrase costs.
    public let cost: Cost
    /// The vault as it is kept.
    public let bytes: [UInt8]

    /// Seals a profile key.
    /// - Parameter random: 32 fresh random bytes, for salt and nonce.
    /// - Throws: `outOfMemory`.
    public init(
        sealing key: SecretBytes,
        under passphrase: SecretBytes,
        cost: Cost,
        random: Bytes32
    ) throws(Fault) {
        precondition(key.count == Vault.keyByteCount, "A profile key has 32 bytes.")
        let fresh = SecretBytes(random.bytes)
        let salt = Sodium.hash(.derive, [Array("vault salt".utf8)], key: fresh).bytes.prefix(16)
        let nonce = Sodium.hash(.derive, [Array("vault nonce".utf8)], key: fresh).bytes.prefix(24)
        var header = ByteWriter(capacity: Vault.byteCount)
        header.write(Vault.version)
        header.write(cost.passes)
        header.write(cost.memory)
        header.write(salt)
        header.write(nonce)
        let root = try Vault.root(of: passphrase, Array(salt), cost)
        var writer = header
        writer.write(
            Sodium.seal(
                key.bytes,
                nonce: Array(nonce),
                associatedData: Vault.associatedData(header.bytes),
                key: Sodium.derive("vault key", key: root)
            )
        )
        writer.write(Vault.check(header.bytes, root))
        writer.write(Vault.checksum(writer.bytes))
        bytes = writer.bytes
        self.cost = cost
    }

    /// Reads exactly one vault.
    /// - Throws: `damaged`, `impossibleCost`.
    public init(decoding bytes: [UInt8]) throws(Fault) {
        guard bytes.count == Vault.byteCount, bytes[0] == Vault.version,
            Array(bytes.suffix(8)) == Vault.checksum(Array(bytes.dropLast(8)))
        else { throw .damaged }
        var reader = ByteReader(bytes)
        guard (try? reader.readByte()) != nil, let passes = try? reader.readUInt32(),
            let memory = try? reader.readUInt32()
        else { throw .damaged }
        guard let cost = Cost(passes: passes, memory: memory) else { throw .impossibleCost }
        self.cost = cost
        self.bytes = bytes
    }

    /// The profile key.
    /// - Throws: `wrongPassphrase`, `damaged`, `outOfMemory`.
    /// - Complexity: what the cost says.
    public func open(with passphrase: SecretBytes) throws(Fault) -> SecretBytes {
        let header = Array(bytes.prefix(Vault.headerByteCount))
        let root = try Vault.root(of: passphrase, Array(header[9..<25]), cost)
        let end = Vault.headerByteCount + Vault.sealedByteCount
        let check = SecretBytes(bytes[end..<(end + 32)])
        guard check == SecretBytes(Vault.check(header, root).bytes) else { throw .wrongPassphrase }
        let key = Sodium.open(
            Array(bytes[Vault.headerByteCount..<end]),
            nonce: Array(header[25...]),
            associatedData: Vault.associatedData(header),
            key: Sodium.derive("vault key", key: root)
        )
        guard let key else { throw .damaged }
        return SecretBytes(guarding: key)
    }

    private static func root(
        of passphrase: SecretBytes,
        _ salt: [UInt8],
        _ cost: Cost
    ) throws(Fault) -> SecretBytes {
        let root = Sodium.argon2id(
            passphrase,
            salt: salt,
            passes: UInt64(cost.passes),
            memory: Int(cost.memory) << 10
        )
        guard let root else { throw .outOfMemory }
        return root
    }

    private static func associatedData(_ header: [UInt8]) -> [UInt8] {
        Array("sennit/vault/1\n".utf8) + header
    }

    private static func check(_ header: [UInt8], _ root: SecretBytes) -> Bytes32 {
        Sodium.hash(.derive, [Array("vault check".utf8), header], key: root)
    }

    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        Array(Hash.digest(.derive, [Array("vault checksum".utf8), bytes]).bytes.prefix(8))
    }
}

/// A secret of a profile under its profile key, in the store.
public enum SealedSecret {
    /// How many bytes are kept of a secret with `count`.
    public static func byteCount(of count: Int) -> Int {
        Entry.nonceByteCount + count + Sodium.tagByteCount
    }

    /// Seals a secret. `place` says what it is, so that none takes the place of another.
    /// - Parameter random: 32 fresh random bytes.
    public static func seal(
        _ secret: SecretBytes,
        as place: [UInt8],
        under key: SecretBytes,
        random: Bytes32
    ) -> [UInt8] {
        let nonce = Array(
            Sodium.hash(.derive, [random.bytes, place], key: key).bytes.prefix(24)
        )
        return nonce
            + Sodium.seal(secret.bytes, nonce: nonce, associatedData: place, key: sealKey(key))
    }

    /// The secret; `nil` if the bytes aren't what was sealed there.
    public static func open(
        _ bytes: [UInt8],
        as place: [UInt8],
        under key: SecretBytes
    ) -> SecretBytes? {
        guard bytes.count > Entry.nonceByteCount + Sodium.tagByteCount else { return nil }
        return Sodium.open(
            Array(bytes.dropFirst(Entry.nonceByteCount)),
            nonce: Array(bytes.prefix(Entry.nonceByteCount)),
            associatedData: place,
            key: sealKey(key)
        ).map { SecretBytes(guarding: $0) }
    }

    private static func sealKey(_ key: SecretBytes) -> SecretBytes {
        Sodium.derive("profile secret", key: key)
    }
}
