import Foundation
import GRDB
public import SennitWire

/// A document as the index has it.
public struct IndexedDocument: Hashable, Sendable {
    public let space: SpaceID
    public let path: String
    public let document: DocumentID
    /// The first line with something on it.
    public let title: String
    /// Unicode scalars of the text.
    public let scalarCount: Int
    /// The person who changed it last; `nil` if nobody has written in it.
    public let author: String?
    /// When, as that person's device says: milliseconds since 1970.
    public let modified: UInt64?
}

/// A space as the index has it.
public struct IndexedSpace: Hashable, Sendable {
    public let id: SpaceID
    public let name: String
}

/// A document that a search found.
public struct SearchHit: Hashable, Sendable {
    /// A piece of the text around the hit.
    public struct Part: Hashable, Sendable {
        public let text: String
        /// Whether this is what was searched for.
        public let isMatch: Bool
    }

    public let space: SpaceID
    public let path: String
    public let document: DocumentID
    /// The best place in the document, in parts, with `…` where it is cut.
    public let snippet: [Part]
}

extension Index {
    /// The spaces that the index follows, by name.
    /// - Throws: `corrupt`, `io`, `closed`.
    public func spaces() throws(StoreError) -> [IndexedSpace] {
        var spaces: [IndexedSpace] = []
        try forEachRow("SELECT space, name FROM spaces ORDER BY name, space") { row in
            spaces.append(IndexedSpace(id: try row.hex(0), name: try row.text(1)))
        }
        return spaces
    }

    /// The documents of one space, or of all, by path.
    /// - Throws: `corrupt`, `io`, `closed`.
    public func documents(in space: SpaceID? = nil) throws(StoreError) -> [IndexedDocument] {
        var documents: [IndexedDocument] = []
        let sql = """
            SELECT d.space, CAST(d.path AS BLOB), d.document, d.title, d.scalar_count, a.name,
                d.modified
            FROM documents AS d LEFT JOIN authors AS a ON a.space = d.space AND a.log = d.author
            WHERE ?1 IS NULL OR d.space = ?1 ORDER BY d.path, d.space
            """
        try forEachRow(sql, [space?.hex]) { row in
            documents.append(
                IndexedDocument(
                    space: try row.hex(0),
                    path: String(decoding: try row.bytes(1), as: UTF8.self),
                    document: try row.hex(2),
                    title: try row.text(3),
                    scalarCount: Int(clamping: try row.count(4)),
                    author: row.isNull(5) ? nil : try row.text(5),
                    modified: row.isNull(6) ? nil : UInt64(bitPattern: try row.number(6))
                )
            )
        }
        return documents
    }

    /// The whole text at a path; `nil` if there is no such document.
    /// - Throws: `corrupt`, `io`, `closed`.
    public func text(at path: String, in space: SpaceID) throws(StoreError) -> String? {
        var text: String?
        let sql = """
            SELECT CAST(text AS BLOB) FROM documents WHERE space = ? AND path = CAST(? AS TEXT)
            """
        try forEachRow(sql, [space.hex, Data(path.utf8)]) { row in
            text = String(decoding: try row.bytes(0), as: UTF8.self)
        }
        return text
    }

    /// The documents that have all words and phrases of `query`, the best first.
    ///
    /// - Parameters:
    ///   - query: What a person typed, taken as `SearchQuery` says. Nothing in it is an error.
    ///   - limit: At most so many hits, and at most `StoreLimits.searchHitCount`.
    /// - Throws: `corrupt`, `io`, `closed`.
    public func search(
        _ query: String,
        in space: SpaceID? = nil,
        limit: Int = 50
    ) throws(StoreError) -> [SearchHit] {
        guard let expression = SearchQuery(query).expression else { return [] }
        var hits: [SearchHit] = []
        let sql = """
            SELECT d.space, CAST(d.path AS BLOB), d.document,
                CAST(snippet(search, -1, char(2), char(3), '…', \(StoreLimits.snippetWordCount))
                    AS BLOB)
            FROM search JOIN documents AS d ON d.number = search.rowid
            WHERE search MATCH ?1 AND (?2 IS NULL OR d.space = ?2)
            ORDER BY bm25(search, 4.0, 1.0), d.path LIMIT ?3
            """
        let count = max(0, min(limit, StoreLimits.searchHitCount))
        try forEachRow(sql, [expression, space?.hex, count]) { row in
            hits.append(
                SearchHit(
                    space: try row.hex(0),
                    path: String(decoding: try row.bytes(1), as: UTF8.self),
                    document: try row.hex(2),
                    snippet: SearchHit.parts(of: try row.bytes(3))
                )
            )
        }
        return hits
    }

    private func forEachRow(
        _ sql: String,
        _ arguments: StatementArguments = StatementArguments(),
        _ body: (StoredRow) throws -> Void
    ) throws(StoreError) {
        try queue.reading(path) { db in
            try db.forEachRow(sql, arguments, path: path, place: .file, body)
        }
    }
}

extension SearchHit {
    // What encloses a match in the bytes that FTS5 returns. A text may have these characters too;
    // then a part is marked that needn't be, and nothing worse.
    private static let matchStart: UInt8 = 2
    private static let matchEnd: UInt8 = 3

    /// Splits at the marks and drops empty parts.
    static func parts(of bytes: [UInt8]) -> [Part] {
        var parts: [Part] = []
        var isMatch = false
        var start = bytes.startIndex
        func end(at index: Int) {
            guard start < index else { return }
            let text = String(decoding: bytes[start..<index], as: UTF8.self)
            parts.append(Part(text: text, isMatch: isMatch))
        }
        for (index, byte) in bytes.enumerated() where byte == matchStart || byte == matchEnd {
            end(at: index)
            isMatch = byte == matchStart
            start = index + 1
        }
        end(at: bytes.count)
        return parts
    }
}
