import SennitSeal
import SennitWire
import Testing

@testable import SennitSeal

@Suite("InviteLink")
struct InviteLinkTests {
    private func link(relays: [String] = ["wss://relay.example/", "ws://[::1]:8080"]) throws
        -> InviteLink
    {
        var random = Seeded(seed: 21)
        return try InviteLink(
            space: random.name(),
            spaceNonce: random.bytes32(),
            seed: SecretBytes(random.bytes(16)),
            floorDigest: random.bytes(16),
            relays: relays
        )
    }

    @Test(arguments: [[], ["wss://relay.example/"], ["a", "b", "ü"]] as [[String]])
    func `reads what was written`(relays: [String]) throws {
        let link = try link(relays: relays)
        #expect(link.text.hasPrefix("sennit:1#"))
        let read = try InviteLink(text: link.text)
        #expect(read == link)
        #expect(read.text == link.text)
        #expect(read.identity.device == link.identity.device)
    }

    @Test func `what copying leaves around a link is dropped`() throws {
        let link = try link()
        #expect(try InviteLink(text: " \t\n\(link.text)\r\n ") == link)
    }

    @Test(arguments: [
        "", "hello", "https://example.org/#abc", "sennit:1", "sennit:#AQ", "sennit:x#AQ",
        "sennit:1#AQ!", "SENNIT:1#AQ",
    ])
    func `another text is not a link`(text: String) {
        let error = #expect(throws: SealError.self) { try InviteLink(text: text) }
        guard case .notALink(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func `a link of a newer version says so`() throws {
        let text = try link().text
        let fragment = text.dropFirst("sennit:1#".count)
        #expect(throws: SealError.newerLink(version: "2")) {
            try InviteLink(text: "sennit:2#\(fragment)")
        }
        var payload = try #require(Base64URL.decode(fragment))
        payload[0] = 3
        #expect(throws: SealError.newerLink(version: "3")) {
            try InviteLink(text: "sennit:1#" + Base64URL.encode(payload))
        }
    }

    @Test func `no character can be changed or left out`() throws {
        let text = Array(try link().text)
        for place in 9..<text.count {
            var changed = text
            changed[place] = changed[place] == "A" ? "B" : "A"
            #expect(throws: SealError.self, "character \(place)") {
                try InviteLink(text: String(changed))
            }
            var shorter = text
            shorter.remove(at: place)
            #expect(throws: SealError.self, "without character \(place)") {
                try InviteLink(text: String(shorter))
            }
            #expect(throws: SealError.damagedLink, "\(place) characters") {
                try InviteLink(text: String(text.prefix(place)))
            }
        }
    }

    @Test func `a link with a sound checksum but other fields is not a link`() throws {
        var payload: [UInt8] = [1, 1, 2, 3]
        payload += Hash.digest(.invite, [payload]).bytes.prefix(4)
        let error = #expect(throws: SealError.self) {
            try InviteLink(text: "sennit:1#" + Base64URL.encode(payload))
        }
        guard case .notALink = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `sixteen relays of 1024 bytes fit and no more`() throws {
        let address = String(repeating: "r", count: Limits.maximumRelayByteCount)
        let relays = [String](repeating: address, count: Limits.maximumRelayCount)
        let link = try link(relays: relays)
        #expect(try InviteLink(text: link.text).relays == relays)
        #expect(throws: SealError.self) { try self.link(relays: relays + ["r"]) }
        #expect(throws: SealError.self) { try self.link(relays: [address + "r"]) }
    }

    @Test(
        arguments: [
            ("", []), ("Zg", [0x66]), ("Zm8", [0x66, 0x6F]), ("Zm9v", [0x66, 0x6F, 0x6F]),
            ("-_8", [0xFB, 0xFF]),
        ] as [(String, [UInt8])]
    )
    func `base64url is that of RFC 4648`(text: String, bytes: [UInt8]) {
        #expect(Base64URL.encode(bytes) == text)
        #expect(Base64URL.decode(text) == bytes)
    }

    @Test(arguments: ["Z", "Zh", "Zm9", "Zg==", "Zm+v", "Zm 8", "Zm9vZ"])
    func `no second text stands for the same bytes`(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }
}
