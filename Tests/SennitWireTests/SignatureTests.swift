import SennitWire
import Testing

@Suite("Signature")
struct SignatureTests {
    @Test func `gives the verdicts of Wycheproof`() throws {
        struct File: Decodable {
            struct Group: Decodable {
                struct Key: Decodable { let pk: String }
                struct Case: Decodable {
                    let tcId: Int
                    let msg: String
                    let sig: String
                    let result: String
                }
                let publicKey: Key
                let tests: [Case]
            }
            let testGroups: [Group]
        }
        let file = try PublicVectors.decode(File.self, "wycheproof-ed25519.json.gz")
        var counts = [true: 0, false: 0]
        for group in file.testGroups {
            let key = try #require(DeviceKey(hex: group.publicKey.pk))
            for test in group.tests {
                let signature = try #require(Hex.decode(test.sig))
                let message = try #require(Hex.decode(test.msg))
                let isValid = Signature.isValid(signature, of: message, by: key)
                #expect(isValid == (test.result == "valid"), "tcId \(test.tcId)")
                counts[isValid, default: 0] += 1
            }
        }
        #expect(counts == [true: 88, false: 63])
    }

    /// The file has no verdicts; those of libsodium are pinned: the same on every device, or two
    /// devices would see two histories.
    @Test func `gives one verdict on every odd point`() throws {
        struct Case: Decodable {
            let number: Int
            let key: String
            let sig: String
            let msg: String
        }
        let tests = try PublicVectors.decode([Case].self, "cctv-ed25519.json.gz")
        var accepted: [Int] = []
        for test in tests {
            let key = try #require(DeviceKey(hex: test.key))
            let signature = try #require(Hex.decode(test.sig))
            if Signature.isValid(signature, of: Array(test.msg.utf8), by: key) {
                accepted.append(test.number)
            }
        }
        #expect(tests.count == 914)
        #expect(accepted == (try PublicVectors.numbers("cctv-ed25519-accepted.txt")))
    }
}
