import SennitWire
import Testing

@Suite("ByteReader and ByteWriter")
struct ByteReaderTests {
    @Test(
        arguments: [
            (0, [0]), (1, [1]), (127, [0x7F]), (128, [0x80, 1]), (300, [0xAC, 2]),
            (UInt64.max, [UInt8](repeating: 0xFF, count: 9) + [1]),
        ] as [(UInt64, [UInt8])]
    )
    func `a varint has one form`(value: UInt64, bytes: [UInt8]) throws {
        #expect(written { $0.writeVarint(value) } == bytes)
        var reader = ByteReader(bytes)
        #expect(try reader.readVarint() == value)
        #expect(reader.isAtEnd)
    }

    @Test(
        arguments: [
            ([0x80, 0], WireError.varintNotCanonical(byteOffset: 0)),
            ([0xFF, 0x80, 0], .varintNotCanonical(byteOffset: 0)),
            ([UInt8](repeating: 0xFF, count: 9) + [2], .varintTooLarge(byteOffset: 0)),
            ([UInt8](repeating: 0xFF, count: 9) + [0x81, 0], .varintTooLarge(byteOffset: 0)),
            ([UInt8](repeating: 0x80, count: 9) + [0], .varintNotCanonical(byteOffset: 0)),
            ([0x80], .truncated(byteOffset: 1)),
        ] as [([UInt8], WireError)]
    )
    func `another form of a varint is refused`(bytes: [UInt8], error: WireError) {
        var reader = ByteReader(bytes)
        #expect(throws: error) { try reader.readVarint() }
    }

    @Test func `numbers of fixed width are little-endian`() throws {
        let bytes = written { writer in
            writer.write(0x0102 as UInt16)
            writer.write(0x0304_0506 as UInt32)
            writer.write(0x0708_090A_0B0C_0D0E as UInt64)
        }
        #expect(bytes == [2, 1, 6, 5, 4, 3, 14, 13, 12, 11, 10, 9, 8, 7])
        var reader = ByteReader(bytes)
        #expect(try reader.readUInt16() == 0x0102)
        #expect(try reader.readUInt32() == 0x0304_0506)
        #expect(try reader.readUInt64() == 0x0708_090A_0B0C_0D0E)
    }

    @Test func `text must be UTF-8`() {
        var reader = ByteReader([2, 0xC3, 0x28])
        #expect(throws: WireError.notUTF8(byteOffset: 0)) { try reader.readText(limit: 10) }
    }

    @Test func `identifiers order by their bytes`() {
        var random = Seeded(seed: 4)
        for _ in 0..<500 {
            let left = random.name(LogID.self)
            var bytes = left.bytes
            bytes[random.below(32)] = UInt8(random.below(256))
            guard let right = LogID(bytes) else { continue }
            #expect((left < right) == left.bytes.lexicographicallyPrecedes(right.bytes))
            #expect((left == right) == (left.bytes == right.bytes))
            #expect(LogID(hex: left.hex) == left)
        }
    }
}
