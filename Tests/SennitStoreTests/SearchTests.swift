import GRDB
import SennitWire
import Testing

@testable import SennitStore

struct SearchTests {
    @Test(arguments: [
        ("blind relay", "\"blind\" \"relay\""), ("\"blind relay\"", "\"blind relay\""),
        ("sync*", "\"sync*\" *"), ("\"two words\"*", "\"two words\" *"),
        ("open \"quote", "\"open\" \"quote\""), ("text:x", "\"text:x\""),
        ("a\"b\"c", "\"a\" \"b\" \"c\""), ("NOT (x)", "\"NOT\" \"(x)\""), ("a\0b", "\"ab\""),
    ])
    func `a query becomes quoted terms`(query: String, expression: String) {
        #expect(SearchQuery(query).expression == expression)
    }

    @Test(arguments: ["", "  \n", "\"", "\"\"", "***", "-- ()", "\0", "!\"§$%&/()=?"])
    func `a query without a letter or digit searches for nothing`(query: String) {
        #expect(SearchQuery(query).expression == nil)
    }

    @Test func `words, phrases and beginnings are found`() throws {
        let index = try sampleIndex()
        func paths(_ query: String) throws -> [String] {
            try index.search(query).map(\.path).sorted()
        }
        #expect(try paths("relay") == ["a.md", "b.md"])
        #expect(try paths("blind relay") == ["a.md", "b.md"])
        #expect(try paths("\"blind relay\"") == ["a.md"])
        #expect(try paths("rel*") == ["a.md", "b.md", "c.md"])
        #expect(try paths("rel") == [])
        #expect(try paths("NAIVE") == ["c.md"])
        #expect(try paths("b.md") == ["b.md"])
        #expect(try paths("relay NOT blind") == [])
        #expect(try paths("OR") == [])
        #expect(try paths("text : relay") == [])
        #expect(try index.search("relay", limit: 1).count == 1)
        #expect(try index.search("relay", limit: -1).isEmpty)
    }

    @Test func `a hit shows its words marked`() throws {
        let hit = try #require(try sampleIndex().search("\"blind relay\"").first)
        #expect(hit.snippet.filter(\.isMatch).map(\.text) == ["blind relay"])
        #expect(hit.snippet.map(\.text).joined() == "the blind relay stores")
    }

    @Test func `nothing that is typed is an error`() throws {
        let index = try sampleIndex()
        var random = Seeded(71)
        let pieces = [
            "\"", "*", "(", ")", ":", "^", "-", "+", "{", "}", ",", "AND", "OR", "NOT", "NEAR(",
            "a",
            "relay", " ", "\n", "\0", "\u{1}", "'", ";", "--", "ä", "🙂", "中", "\\", "?", "%", "_",
            "NEAR/2", "text:", "{path text}:", "\u{301}", "\u{200D}",
        ]
        for round in 0..<2000 {
            let count = Int.random(in: 0..<12, using: &random)
            let query = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }
            let text = query.joined()
            #expect(throws: Never.self, "round \(round): \(text)") { _ = try index.search(text) }
        }
        let long = String(repeating: "relay ", count: 10_000)
        #expect(try index.search(long).count == 2)
        #expect(try index.search(String(repeating: "(\"", count: 10_000)).isEmpty)
    }

    private func sampleIndex() throws -> Index {
        let index = try Index()
        let texts = [
            "a.md": "the blind relay stores", "b.md": "a relay is blind", "c.md": "naïve relays",
        ]
        let zeros = String(repeating: "0", count: 64)
        try index.queue.write { db in
            for (path, text) in texts {
                try db.execute(
                    sql: """
                        INSERT INTO documents (space, path, document, title, scalar_count, text)
                        VALUES (?, ?, ?, '', 0, ?)
                        """,
                    arguments: [zeros, path, zeros, text]
                )
            }
        }
        return index
    }
}
