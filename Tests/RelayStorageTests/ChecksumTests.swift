import CChecksum
import SennitWire
import Testing

@testable import RelayStorage

struct ChecksumTests {
    @Test func `the checksum is CRC-32C`() {
        // RFC 3720, appendix B.4.
        let ascending = (0..<32).map { UInt8($0) }
        #expect(Checksum.crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(Checksum.crc32c([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(Checksum.crc32c(ascending) == 0x46DD_794E)
        #expect(Checksum.crc32c(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test func `with and without the instruction it is the same, whole and in parts`() {
        var random = SeededGenerator(seed: 4)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let whole = Checksum.crc32c(bytes)
            let portable = unsafe bytes.withUnsafeBytes { buffer in
                unsafe sennit_crc32c_portable(0, buffer.baseAddress, buffer.count)
            }
            #expect(whole == portable)
            let middle = count / 3
            let first = Checksum.crc32c(bytes, 0..<middle)
            #expect(Checksum.crc32c(bytes, middle..<count, from: first) == whole)
        }
    }

    @Test func `a name's words and bytes are those of SennitWire`() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<50 {
            let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
            guard let name = Bytes32(bytes) else { return }
            var written: [UInt8] = []
            written.append(name)
            #expect(written == bytes)
            let (word0, word1) = [UInt8].words(of: name)
            #expect(word0.bigEndian == bytes.field(at: 0, as: UInt64.self))
            #expect(word1.bigEndian == bytes.field(at: 8, as: UInt64.self))
        }
    }

    @Test func `a head is encoded as SennitWire does`() throws {
        let head = FakeLog(3).head(77)
        var writer = ByteWriter()
        head.write(to: &writer)
        var bytes: [UInt8] = []
        Frame.append(head, to: &bytes)
        #expect(bytes == writer.bytes)
    }
}
