import SennitWire
import Testing

@testable import Sennit
@testable import SennitDocument

@Suite struct DirectoryTests {
    private func id(_ byte: UInt8) throws -> DocumentID {
        try #require(DocumentID([UInt8](repeating: byte, count: 32)))
    }

    /// A key whose values were set by events 0, 1, 2 … of one log, in this order.
    private func key(_ path: String, _ values: [[UInt8]]) -> Document.Entry {
        Document.Entry(
            key: .init(path),
            values: values.enumerated().map { number, bytes in
                Document.Value(
                    bytes: bytes,
                    event: EventID(log: LogID(value: .zero), number: UInt64(number))
                )
            }
        )
    }

    private func listing(_ map: [Document.Entry]) -> [String] {
        Directory(map).entries.map { "\($0.path) \($0.id.bytes[0])" }
    }

    @Test func `documents are listed by path`() throws {
        let map = [key("b", [try id(2).bytes]), key("a/x", [try id(1).bytes])]
        #expect(listing(map) == ["a/x 1", "b 2"])
    }

    @Test func `of two with one path the smaller event has it and both are listed`() throws {
        let map = [key("plan", [try id(9).bytes, try id(3).bytes, try id(5).bytes])]
        #expect(listing(map) == ["plan 9", "plan~2 3", "plan~3 5"])
        #expect(Directory(map)["plan~2"]?.conflictsAt == "plan")
        #expect(Directory(map)["plan"]?.isConflictName == false)
    }

    @Test func `a stand-in name that somebody uses is passed over`() throws {
        let map = [
            key("plan", [try id(1).bytes, try id(2).bytes]), key("plan~2", [try id(3).bytes]),
        ]
        #expect(listing(map) == ["plan 1", "plan~2 3", "plan~3 2"])
    }

    @Test func `two people who move one document to one path are no conflict`() throws {
        #expect(listing([key("plan", [try id(1).bytes, try id(1).bytes])]) == ["plan 1"])
    }

    @Test func `what is no path or no document is passed over`() throws {
        let map = [
            key("../etc/passwd", [try id(1).bytes]), key("a\nb", [try id(1).bytes]),
            key("short", [[1, 2, 3]]), key("good", [[1], try id(4).bytes]),
        ]
        #expect(listing(map) == ["good 4"])
    }

    @Test func `settling a conflict leaves the others where they are listed`() throws {
        let directory = Directory([
            key("plan", [try id(1).bytes, try id(2).bytes, try id(3).bytes])
        ])
        let second = try #require(directory["plan~2"])
        #expect(
            directory.settling(second) == [
                .set(path: "plan", to: try id(1)), .set(path: "plan~3", to: try id(3)),
            ]
        )
        let first = try #require(directory["plan"])
        #expect(
            directory.settling(first) == [
                .set(path: "plan", to: try id(2)), .set(path: "plan~3", to: try id(3)),
            ]
        )
        let alone = Directory([key("x", [try id(1).bytes])])
        #expect(alone.settling(try #require(alone["x"])) == [.remove(path: "x")])
    }

    @Test(arguments: [
        "", "/a", "a/", "a//b", ".", "a/../b", "a/.", "a\nb", "a\r", "a\u{0}b", "a\u{2028}b",
        String(repeating: "x", count: 513),
    ])
    func `this is no path`(path: String) {
        #expect(DocumentPath.fault(of: path) != nil)
    }

    @Test(arguments: ["a", "a/b.md", "...", "naïve plan", String(repeating: "x", count: 512)])
    func `this is a path`(path: String) {
        #expect(DocumentPath.fault(of: path) == nil)
    }
}
