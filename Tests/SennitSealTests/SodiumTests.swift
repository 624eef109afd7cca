import CSodium
import SennitWire
import Testing

@testable import SennitSeal

@Suite("Sodium")
struct SodiumTests {
    @Test func `gives the verdicts of Wycheproof on XChaCha20-Poly1305`() throws {
        struct File: Decodable {
            struct Group: Decodable {
                struct Case: Decodable {
                    let tcId: Int
                    let key: String
                    let iv: String
                    let aad: String
                    let msg: String
                    let ct: String
                    let tag: String
                    let result: String
                }
                let ivSize: Int
                let tests: [Case]
            }
            let testGroups: [Group]
        }
        let file = try PublicVectors.decode(File.self, "wycheproof-xchacha20_poly1305.json.gz")
        var counts = [true: 0, false: 0]
        for group in file.testGroups where group.ivSize == 192 {
            for test in group.tests {
                let key = SecretBytes(try #require(Hex.decode(test.key)))
                let nonce = try #require(Hex.decode(test.iv))
                let data = try #require(Hex.decode(test.aad))
                let sealed = try #require(Hex.decode(test.ct + test.tag))
                let text = try #require(Hex.decode(test.msg))
                let opened = Sodium.open(sealed, nonce: nonce, associatedData: data, key: key)
                let isValid = test.result == "valid"
                #expect(opened == (isValid ? text : nil), "tcId \(test.tcId)")
                let resealed = Sodium.seal(text, nonce: nonce, associatedData: data, key: key)
                #expect((resealed == sealed) == isValid, "tcId \(test.tcId)")
                counts[isValid, default: 0] += 1
            }
        }
        #expect(counts[true, default: 0] > 200)
        #expect(counts[false, default: 0] > 40)
    }

    @Test func `signs as RFC 8032 says`() throws {
        // RFC 8032 section 7.1, TEST 3.
        let seed = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"
        let keys = Sodium.signingKeys(seed: SecretBytes(try #require(Hex.decode(seed))))
        #expect(
            keys.key.hex == "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
        )
        let signature = Sodium.sign([0xAF, 0x82], secret: keys.secret)
        #expect(
            Hex.encode(signature)
                == "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        )
    }

    @Test func `libsodium opens our boxes and we open libsodium's`() throws {
        var fixture = Fixture()
        let secret = fixture.random.bytes(32)
        let key = Sodium.agreementKey(secret: SecretBytes(secret))
        let box = try fixture.epoch.sealed(to: key, ephemeral: fixture.random.bytes32())
        var opened = [UInt8](repeating: 0, count: 32)
        let status = unsafe crypto_box_seal_open(
            &opened,
            box,
            UInt64(box.count),
            key.bytes,
            secret
        )
        #expect(status == 0)
        #expect(opened == fixture.epoch.secret.bytes)

        var theirs = [UInt8](repeating: 0, count: EpochKey.boxByteCount)
        unsafe crypto_box_seal(&theirs, opened, UInt64(opened.count), key.bytes)
        let ours = Sodium.openBox(theirs, key: key, secret: SecretBytes(secret))
        #expect(ours == fixture.epoch.secret)
    }

    @Test func `nothing is sealed to a key of small order`() {
        var fixture = Fixture()
        // The points of order 1, 2, 4 and 8 on Curve25519.
        let keys = [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        ]
        for key in keys.compactMap({ AgreementKey(hex: $0) }) {
            #expect(!Sodium.isUsable(key))
            #expect(throws: SealError.unusableKey(key)) {
                try fixture.epoch.sealed(to: key, ephemeral: fixture.random.bytes32())
            }
        }
        #expect(Sodium.isUsable(fixture.founder.agreement))
    }

    @Test func `a secret prints nothing`() {
        let secret = SecretBytes([1, 2, 3])
        #expect("\(secret)" == "<secret>")
        #expect(String(reflecting: secret) == "<secret>")
        var dump = ""
        Swift.dump(secret, to: &dump)
        #expect(!dump.contains("2"))
        var text = ""
        Swift.dump(Fixture().epoch, to: &text)
        #expect(text.contains("<secret>"))
        #expect(secret == SecretBytes([1, 2, 3]))
        #expect(secret != SecretBytes([1, 2, 4]))
        #expect(secret != SecretBytes([1, 2]))
    }
}
