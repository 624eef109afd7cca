import SennitWire
import Testing

struct RelayTokenTests {
    private let token = RelayToken(secret: Hash.digest(.derive, [[1]]))

    @Test func `the text of a token reads back as the token`() {
        #expect(token.text.hasPrefix("sennit-token-"))
        #expect(RelayToken(text: token.text) == token)
        #expect(RelayToken(text: token.text.uppercased()) == nil)
    }

    @Test func `every mistyped digit is noticed`() {
        let digits = Array(token.text)
        for index in "sennit-token-".count..<digits.count {
            var mistyped = digits
            mistyped[index] = mistyped[index] == "0" ? "1" : "0"
            #expect(RelayToken(text: String(mistyped)) == nil)
        }
    }

    @Test(arguments: ["", "sennit-token-", "sennit-token-00", "sennit:", "sennit-token-é"])
    func `what is no token is none`(text: String) { #expect(RelayToken(text: text) == nil) }

    @Test func `a token that is printed or dumped shows nothing of its secret`() {
        let genesis = Genesis(
            nonce: .zero,
            founder: DeviceKey(value: .zero),
            founderAgreement: AgreementKey(value: .zero)
        )
        var dumped = ""
        dump(RelayFrame.found(genesis, token: token), to: &dumped)
        let printed = "\(token) \(String(reflecting: token)) \(dumped)"
        #expect(!printed.contains(Hex.encode(token.secret.bytes)))
        #expect(!printed.contains("\(token.secret)"))
        #expect(printed.contains("a relay token"))
    }

    @Test func `equality in constant time is equality`() {
        #expect(token.hash.equalsInConstantTime(token.hash))
        for index in 0..<Bytes32.byteCount {
            var bytes = token.hash.bytes
            bytes[index] ^= 0x80
            #expect(Bytes32(bytes).map(token.hash.equalsInConstantTime) == false)
        }
    }
}
