import Testing

@testable import RelayCore

struct PeerAddressTests {
    @Test(arguments: [
        ("::ffff:192.0.2.1", "192.0.2.1"), ("[2001:db8::1]", "2001:db8:0:0:0:0:0:1"),
        ("fe80::1%eth0", "fe80::1"), ("2001:DB8::a", "2001:db8::A"), ("::", "0:0:0:0:0:0:0:0"),
        ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
    ])
    func `one address has several texts`(left: String, right: String) throws {
        let address = try #require(PeerAddress(left))
        #expect(address == PeerAddress(right))
    }

    @Test(arguments: [
        "192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8:1:2::", "2001:db8:0:0:0:0:0:1",
        "0:0:0:0::", "fe80:0:0:0:a:b:c:d",
    ])
    func `its description is read as the same address`(text: String) throws {
        let address = try #require(PeerAddress(text))
        #expect(address.description == text)
        #expect(PeerAddress(address.description) == address)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.04", "+1.2.3.4", "1.2.3.4:80", ":",
        ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::",
        "g::", "1.2.3.4::", "::1 ", "unknown", "_hidden",
    ])
    func `what is no address is none`(text: String) { #expect(PeerAddress(text) == nil) }

    @Test func `IPv6 counts by its network of 64 bits, IPv4 by address`() throws {
        let one = try #require(PeerAddress("2001:db8:1:2::1"))
        let neighbour = try #require(PeerAddress("2001:db8:1:2:ffff::9"))
        let other = try #require(PeerAddress("2001:db8:1:3::1"))
        #expect(one.counted == neighbour.counted)
        #expect(one.counted != other.counted)
        #expect(PeerAddress("192.0.2.1")?.counted != PeerAddress("192.0.2.2")?.counted)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"), ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("0.0.0.0/0", "1.2.3.4", "2001:db8::1"),
        ("2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"),
        ("::1", "::1", "127.0.0.1"), ("192.0.2.128/25", "192.0.2.200", "192.0.2.1"),
    ])
    func `a range has some addresses and not others`(
        range: String,
        inside: String,
        outside: String
    ) throws {
        let range = try #require(AddressRange(range))
        #expect(range.contains(try #require(PeerAddress(inside))))
        #expect(!range.contains(try #require(PeerAddress(outside))))
    }

    @Test(arguments: ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "::/129", "a/8", "1.2.3.4/+8"])
    func `what is no range is none`(text: String) { #expect(AddressRange(text) == nil) }

    @Test(
        arguments: [
            // Nobody is trusted: the header is the client's own invention.
            ("", "192.0.2.1", ["203.0.113.5"], "192.0.2.1"),
            ("127.0.0.1", "127.0.0.1", ["203.0.113.5"], "203.0.113.5"),
            // What the client wrote stands before what the proxy saw.
            ("127.0.0.1", "127.0.0.1", ["198.51.100.1, 203.0.113.5"], "203.0.113.5"),
            ("127.0.0.1", "127.0.0.1", ["198.51.100.1", "203.0.113.5"], "203.0.113.5"),
            // Two proxies.
            ("127.0.0.1 10.0.0.0/8", "127.0.0.1", ["203.0.113.5, 10.1.1.1"], "203.0.113.5"),
            ("127.0.0.1", "127.0.0.1", ["203.0.113.5, 10.1.1.1"], "10.1.1.1"),
            // Nonsense ends it at who is trusted.
            ("10.0.0.0/8", "10.0.0.1", ["203.0.113.5, unknown"], "10.0.0.1"),
            ("127.0.0.1", "127.0.0.1", [], nil), ("", "::1", [], nil),
            ("::1", "::1", ["2001:db8:1:2:3::4"], "2001:db8:1:2::"),
        ] as [(String, String, [String], String?)]
    )
    func `a trusted proxy says for whom it speaks`(
        trusted: String,
        peer: String,
        forwarded: [String],
        counted: String?
    ) throws {
        var policy = AddressPolicy()
        policy.trustedProxies = trusted.split(separator: " ").compactMap {
            AddressRange(String($0))
        }
        let peer = try #require(PeerAddress(peer))
        #expect(policy.counted(peer, forwarded: forwarded) == counted.flatMap { PeerAddress($0) })
    }
}
