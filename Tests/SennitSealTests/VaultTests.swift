import SennitWire
import Testing

@testable import SennitSeal

/// The numbers are those of docs/SECURITY.md.
@Suite struct VaultTests {
    private static let key = SecretBytes(Array(64..<96))
    private static let passphrase = SecretBytes(Array("correct horse battery".utf8))
    // Made in Python from the description, with the Argon2id and the AEAD of libsodium.
    private static let known = """
        010300000000000100d8b2d7130e81831b592825c2c72e73b3488ef5786a263c0eaad48c2c0bf6f67ba502ede5
        27d94e6dc3db6e58285071a2c73331b107d3be7e39be80663e4ca7f628ac86d2d6f37fb5e9e27de6593418dde7
        d13b115aa53b313e889cf4cd29ace5261c07d462ff57f0f232cc765bd7e08cce7d398512810cf426b1a462f0ea
        2ea7
        """
        .filter { !$0.isWhitespace }

    private static func vault() throws -> Vault {
        let random = try #require(Bytes32(Array(0..<32)))
        return try Vault(sealing: key, under: passphrase, cost: .minimum, random: random)
    }

    @Test func `a vault has these bytes, and gives the key back`() throws {
        let vault = try VaultTests.vault()
        #expect(vault.bytes.map { hex($0) }.joined() == VaultTests.known)
        let read = try Vault(decoding: vault.bytes)
        #expect(try read.open(with: VaultTests.passphrase) == VaultTests.key)
    }

    @Test func `attack 48: a wrong passphrase is told from a damaged vault`() throws {
        let vault = try VaultTests.vault()
        for text in ["correct horse batter", "Correct horse battery", "", "correct horse battery "]
        {
            #expect(throws: Vault.Fault.wrongPassphrase) {
                try vault.open(with: SecretBytes(Array(text.utf8)))
            }
        }
        for index in vault.bytes.indices {
            var bytes = vault.bytes
            bytes[index] ^= 1
            #expect(throws: Vault.Fault.damaged) { try Vault(decoding: bytes) }
        }
        #expect(throws: Vault.Fault.damaged) { try Vault(decoding: Array(vault.bytes.dropLast())) }
        #expect(throws: Vault.Fault.damaged) { try Vault(decoding: vault.bytes + [0]) }
        #expect(throws: Vault.Fault.damaged) { try Vault(decoding: []) }
    }

    @Test func `attack 48: altered parameters are refused before any work, or open nothing`()
        throws
    {
        let vault = try VaultTests.vault()
        // The passes, then the memory; whoever can write the file can mend its checksum.
        for (at, value) in [(1, 2), (1, 0), (1, 17), (5, 65_535), (5, 0), (5, (1 << 20) + 1)]
            as [(Int, UInt32)]
        {
            let altered = mended(vault.bytes, at: at, to: value)
            #expect(throws: Vault.Fault.impossibleCost) { try Vault(decoding: altered) }
        }
        let stronger = try Vault(decoding: mended(vault.bytes, at: 1, to: 4))
        #expect(throws: Vault.Fault.wrongPassphrase) {
            try stronger.open(with: VaultTests.passphrase)
        }
        var salted = vault.bytes
        salted[9] ^= 1
        let other = try Vault(decoding: mended(salted, at: 1, to: 3))
        #expect(throws: Vault.Fault.wrongPassphrase) { try other.open(with: VaultTests.passphrase) }
    }

    @Test func `costs have limits on both sides`() {
        #expect(Vault.Cost(passes: 3, memory: 65_536) == .minimum)
        #expect(Vault.Cost(passes: 16, memory: 1 << 20) == .maximum)
        #expect(Vault.Cost(passes: 2, memory: 1 << 20) == nil)
        #expect(Vault.Cost(passes: 3, memory: 65_535) == nil)
        #expect(Vault.Cost(passes: .max, memory: .max) == nil)
    }

    @Test func `a sealed secret opens in its own place, under its own key, whole`() throws {
        let random = try #require(Bytes32(Array(0..<32)))
        let secret = SecretBytes(Array(1...32))
        let sealed = SealedSecret.seal(secret, as: [1], under: VaultTests.key, random: random)
        #expect(sealed.count == SealedSecret.byteCount(of: 32))
        #expect(SealedSecret.open(sealed, as: [1], under: VaultTests.key) == secret)
        #expect(SealedSecret.open(sealed, as: [2], under: VaultTests.key) == nil)
        #expect(SealedSecret.open(sealed, as: [1], under: secret) == nil)
        for index in sealed.indices {
            var bytes = sealed
            bytes[index] ^= 0x80
            #expect(SealedSecret.open(bytes, as: [1], under: VaultTests.key) == nil)
        }
        #expect(SealedSecret.open([], as: [1], under: VaultTests.key) == nil)
    }

    private func mended(_ bytes: [UInt8], at index: Int, to value: UInt32) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(bytes[..<index])
        writer.write(value)
        writer.write(bytes[(index + 4)..<(bytes.count - 8)])
        let message = [Array("vault checksum".utf8), writer.bytes]
        return writer.bytes + Hash.digest(.derive, message).bytes.prefix(8)
    }

    private func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16)
        return byte < 16 ? "0" + text : text
    }
}
