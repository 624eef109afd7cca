import NIOCore
import NIOWebSocket
import Testing

@testable import Sennit

@Suite struct RelayAddressTests {
    @Test(arguments: [
        ("wss://relay.example.org", true, "relay.example.org", 443, "/", "relay.example.org"),
        ("ws://127.0.0.1:7070", false, "127.0.0.1", 7070, "/", "127.0.0.1:7070"),
        ("WSS://[2001:db8::1]:8443/team", true, "2001:db8::1", 8443, "/team", "[2001:db8::1]:8443"),
        ("ws://host:80/", false, "host", 80, "/", "host"),
    ])
    func `an address is read`(
        text: String,
        isSecure: Bool,
        host: String,
        port: Int,
        path: String,
        authority: String
    ) throws {
        let address = try RelayAddress(text)
        #expect(address.isSecure == isSecure)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.path == path)
        #expect(address.authority == authority)
    }

    @Test(arguments: [
        "", "relay.example.org", "http://x", "ws://", "ws://:80", "ws://host:0", "ws://host:70000",
        "ws://host:x", "ws://[::1", "ws://ho st", "ws://host/?a", "ws://user@host", "wss://hôst",
    ])
    func `this is no address, and the error says why`(text: String) {
        let error = #expect(throws: ConnectionError.self) { _ = try RelayAddress(text) }
        #expect(error?.kind == .invalidAddress)
        #expect(error?.message.contains("\"\(text)\"") == true)
    }

    @Test func `only names are named in a TLS handshake`() throws {
        #expect(try RelayAddress("wss://10.0.0.1").isNumeric)
        #expect(try RelayAddress("wss://[::1]").isNumeric)
        #expect(try !RelayAddress("wss://relay-10.example").isNumeric)
    }
}

@Suite struct MaskedFrameTests {
    @Test(arguments: [0, 1, 7, 8, 9, 125, 126, 65_535, 65_536, 100_003])
    func `a frame decodes to what was masked`(count: Int) {
        let payload = ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let frame = MaskedFrame.bytes(of: payload, opcode: .binary, key: 0x1234_5678)
        let bytes = Array(frame.readableBytesView)
        let form = count < 126 ? 0 : count < 65_536 ? 2 : 8
        #expect(bytes[0] == 0x82)
        #expect(bytes[1] == 0x80 | (form == 0 ? UInt8(count) : form == 2 ? 126 : 127))
        if form > 0 {
            #expect(bytes[2..<(2 + form)].reduce(0) { $0 << 8 | Int($1) } == count)
        }
        let key = Array(bytes[(2 + form)..<(6 + form)])
        #expect(key == [0x12, 0x34, 0x56, 0x78])
        // Byte by byte, as RFC 6455 says it.
        let plain = bytes[(6 + form)...].enumerated().map { $1 ^ key[$0 % 4] }
        #expect(plain == Array(payload.readableBytesView))
    }
}
