import SennitWire
import Testing

@testable import SennitDocument

/// Frames of zstd, columns that are packed with it, and the checksum over them.
@Suite struct ZstdTests {
    private func read(_ frame: [UInt8], byteCount: Int) -> [UInt8]? {
        var output = [UInt8](repeating: 0xEE, count: byteCount + 2)
        let isRead = Zstd.Reader().read(frame, 0..<frame.count, into: &output, 1..<(byteCount + 1))
        #expect(output.first == 0xEE && output.last == 0xEE)
        return isRead ? Array(output[1...byteCount]) : nil
    }

    @Test func `a frame gives what it was made of`() {
        var random = Seeded(seed: 1)
        for count in [1, 2, 31, 500, 70_000, 300_000] {
            let bytes = (0..<count).map { _ in UInt8(random.below(3) * random.below(90)) }
            for level in [1, 9, 19] as [Int32] {
                #expect(read(Zstd.compress(bytes, level: level), byteCount: count) == bytes)
            }
        }
    }

    @Test func `a frame of another size is refused`() {
        let frame = Zstd.compress(Array(repeating: 5, count: 1000), level: 3)
        #expect(read(frame, byteCount: 999) == nil)
        #expect(read(frame, byteCount: 1001) == nil)
        #expect(read(frame + [0], byteCount: 1000) == nil)
        #expect(read(frame + frame, byteCount: 1000) == nil)
        #expect(read(Array(frame.dropLast()), byteCount: 1000) == nil)
        #expect(read([], byteCount: 1) == nil)
        #expect(read([1, 2, 3, 4], byteCount: 4) == nil)
    }

    @Test func `a frame that keeps its size to itself is refused`() {
        // The one raw block of "a", first with and then without its size in the header.
        let known: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x20, 0x01, 0x09, 0, 0, 0x61]
        let unknown: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x00, 0x09, 0, 0, 0x61]
        #expect(read(known, byteCount: 1) == [0x61])
        #expect(read(unknown, byteCount: 1) == nil)
    }

    // MARK: Columns

    /// A file with one packed column that says how long it is.
    private func file(_ frame: [UInt8], byteCount: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(UInt8(1))
        writer.write(UInt64(0))
        writer.write([1, 1, 3] as [UInt8])
        writer.writeVarint(byteCount)
        writer.writeBlob(frame)
        return HistoryFixture.sealed(writer.bytes)
    }

    private func columns(_ file: [UInt8]) throws(WireError) -> ColumnSet {
        let cursor = try ColumnSet.start(of: file, version: 1)
        return try ColumnSet(file, from: cursor, knownIDs: 0...9)
    }

    @Test func `a bomb is refused before it is unpacked`() throws {
        let bomb = Zstd.compress(Array(repeating: 0, count: 1 << 24), level: 19)
        #expect(bomb.count < 2000)
        let small = file(Zstd.compress(Array(repeating: 0, count: 5000), level: 3), byteCount: 5000)
        #expect(try columns(small).bytes.count == 5000)
        for byteCount in [1 << 24, 1 << 30, (1 << 30) + 1, 1 << 62, .max] as [UInt64] {
            let error = #expect(throws: WireError.self) {
                try columns(file(bomb, byteCount: byteCount))
            }
            switch error {
            case .overLimit(_, _, byteOffset: 11), .truncated: break
            default: Issue.record("\(byteCount): \(String(describing: error))")
            }
        }
        // It says little, and would give more.
        #expect(throws: WireError.self) { try columns(file(bomb, byteCount: 5000)) }
    }

    @Test func `what shrinks more than a reader believes is padded`() throws {
        for count in [1 << 15, 1 << 20, 3_000_001] {
            let zeros = ColumnSet.NewColumn(id: 3, bytes: Array(repeating: 0, count: count))
            let file = ColumnSet.file(version: 1, head: [], columns: [zeros], level: 19)
            #expect(file.count < count / 500 + 100)
            let set = try columns(file)
            #expect(set.range(of: 3).count == count)
        }
    }

    @Test func `small columns share a frame, and packing never costs more than a few bytes`() throws
    {
        var random = Seeded(seed: 2)
        for _ in 0..<50 {
            let new = (1...9).map { id in
                let count =
                    random.below(4) == 0 ? 0 : random.below(random.below(2) == 0 ? 20 : 2000)
                let limit = random.below(2) == 0 ? 3 : 256
                let bytes = (0..<count).map { _ in UInt8(random.below(limit)) }
                return ColumnSet.NewColumn(id: id, isNeeded: random.below(2) == 0, bytes: bytes)
            }
            let total = new.reduce(0) { $0 + $1.bytes.count }
            for level in [nil, 3] as [Int32?] {
                let file = ColumnSet.file(version: 1, head: [], columns: new, level: level)
                #expect(file.count < total + 9 + 9 * 6)
                let set = try columns(file)
                for column in new {
                    #expect(Array(set.bytes[set.range(of: column.id)]) == column.bytes)
                }
            }
        }
    }

    @Test func `columns that no writer writes are refused`() throws {
        let bodies: [(String, [UInt8])] = [
            ("no column", [0, 0]), ("an empty column", [0, 1, 3, 0]),
            ("a column twice", [0, 2, 3, 1, 3, 1, 7, 7]), ("too short", [0, 1, 3, 2, 7]),
            ("too many", [0, 65]), ("a method", [2, 1, 3, 1, 7]), ("no length", [0, 1, 3]),
            ("needed and unknown", [0, 1, 21, 1, 7]), ("an empty frame", [1, 1, 3, 1, 0]),
        ]
        for (what, body) in bodies {
            let file = HistoryFixture.sealed([1, 0, 0, 0, 0, 0, 0, 0, 0] + body)
            #expect(throws: WireError.self, "\(what)") { try columns(file) }
        }
        let fine = HistoryFixture.sealed([1, 0, 0, 0, 0, 0, 0, 0, 0] + [0, 1, 20, 1, 7])
        #expect(try columns(fine).columns.count == 1)
    }

    // MARK: The checksum

    @Test func `the checksum is XXH64`() {
        let known: [(String, UInt64)] = [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B),
            ("abc", 0x44BC_2CF5_AD77_0999), ("message digest", 0x066E_D728_FCEE_B3BE),
        ]
        for (text, hash) in known { #expect(Checksum.of(Array(text.utf8), from: 0) == hash) }
        // Every length around the steps of 4, 8 and 32 bytes, folded into one number by
        // the reference implementation's Python wrapper.
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 256) }
        var sum: UInt64 = 0
        for count in 0...300 {
            sum = sum &* 31 &+ Checksum.of([9, 9] + bytes.prefix(count), from: 2)
        }
        #expect(sum == 0x341F_23BC_5BB1_E45D)
    }
}
