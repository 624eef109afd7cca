import Foundation
import SennitWire
import Testing

@testable import RelayStorage

/// Data that a newer relay wrote.
struct NewerFormatTests {
    private let directory = TestDirectory()
    private let log = FakeLog(1)

    /// Every file with its bytes.
    private func contents() throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        return try Dictionary(
            uniqueKeysWithValues: names.map { name in
                let url = URL(fileURLWithPath: directory.path + "/" + name)
                return (name, try Data(contentsOf: url))
            }
        )
    }

    private func write() throws {
        let storage = try SegmentStorage(directory: directory.path, options: .small)
        try storage.commit([
            .createSpace(log.genesis), .createLog(log.descriptor, space: log.space),
        ])
        for offset in 0..<40 as Range<UInt64> {
            try storage.commit([.append(log.batch(offset, offset + 1), log: log.id)])
        }
        try storage.close()
    }

    /// Raises the version in a file, as a newer relay would have written it.
    private func raise(_ name: String, at places: [Int]) throws {
        let url = URL(fileURLWithPath: directory.path + "/" + name)
        var data = try Data(contentsOf: url)
        for place in places { data[place] += 1 }
        try data.write(to: url)
    }

    private func expectRefusal(naming name: String) throws {
        // What a crash left half done isn't tidied up either.
        let stray = URL(fileURLWithPath: directory.path + "/0000000001.segment.new")
        try Data([1, 2, 3]).write(to: stray)
        let before = try contents()
        let error = StorageError.newerFormat(path: directory.path + "/" + name, version: 2)
        #expect(throws: error) { _ = try StorageOpening.open(directory.path) }
        #expect(error.description.contains("/\(name) has format 2, which a newer relay wrote"))
        #expect(error.description.contains("left untouched"))
        #expect(try contents() == before)
    }

    @Test func `a segment of a newer format is refused untouched`() throws {
        try write()
        let names = try contents().keys.filter { Segment.number($0) != nil }.sorted()
        // The last one has been filled ahead and has no header yet.
        let name = try #require(
            names.last { name in
                let data = try? Data(contentsOf: URL(fileURLWithPath: directory.path + "/" + name))
                return data?.first != 0
            }
        )
        try FileManager.default.removeItem(atPath: directory.path + "/" + Checkpoint.name)
        try raise(name, at: [8, SegmentHeader.pageByteCount + 8])
        try expectRefusal(naming: name)
    }

    @Test func `a checkpoint of a newer format is refused untouched`() throws {
        try write()
        try raise(Checkpoint.name, at: [8])
        try expectRefusal(naming: Checkpoint.name)
    }
}
