import Foundation
import GRDB
public import SennitSync
public import SennitWire

// How a view keeps up: it asks the journal which documents changed since its checkpoint, asks the
// replica for their texts, and writes rows and the new checkpoint in one transaction. Whether that
// happens after each entry or once a year, the rows come out the same; dropping them and starting
// from zero gives them again. Only what the directory names is in the index.

/// What a view asks of the replica whose documents it shows.
public struct DocumentSource {
    /// A document and where the directory has it.
    public struct Place: Hashable, Sendable {
        public var path: String
        public var document: DocumentID

        public init(path: String, document: DocumentID) {
            self.path = path
            self.document = document
        }
    }

    /// The texts hold all entries before this position, and the journal has committed them.
    public var position: JournalPosition
    /// All documents of the directory. No two paths have the same bytes.
    public var places: () -> [Place]
    /// The text of a document.
    public var text: (DocumentID) -> String
    /// The name of the person whose device writes a log.
    public var person: (LogID) -> String

    public init(
        position: JournalPosition,
        places: @escaping () -> [Place],
        text: @escaping (DocumentID) -> String,
        person: @escaping (LogID) -> String
    ) {
        self.position = position
        self.places = places
        self.text = text
        self.person = person
    }
}

extension Index {
    /// Brings the rows of `space` up to the position of `source`. A damaged index is put aside and
    /// made again from the journal, which `state` then tells.
    /// - Throws: what reading the journal throws; `diskFull`, `io`, `closed`.
    /// - Complexity: O(texts that changed); if the directory changed, O(documents) besides.
    public func follow(
        _ journal: Journal,
        _ space: SpaceID,
        _ source: DocumentSource
    ) throws(StoreError) {
        try update(journal, space, source, isRebuild: false)
    }

    /// Drops the rows of `space` and derives them again, in one transaction.
    /// - Throws: what `follow` throws.
    /// - Complexity: O(texts of the space).
    public func rebuild(
        _ journal: Journal,
        _ space: SpaceID,
        _ source: DocumentSource
    ) throws(StoreError) {
        try update(journal, space, source, isRebuild: true)
    }

    /// Drops the rows of `space`; the next `follow` derives them again from the beginning.
    /// - Throws: `diskFull`, `io`, `closed`.
    public func forget(_ space: SpaceID) throws(StoreError) {
        try queue.writing(path) { db in try IndexWriter(db, path, space).clear() }
    }

    /// How far the index has followed a space.
    /// - Throws: `corrupt`, `io`, `closed`.
    public func checkpoint(of space: SpaceID) throws(StoreError) -> JournalPosition {
        try queue.reading(path) { db in try IndexWriter(db, path, space).checkpoint() }
    }

    private func update(
        _ journal: Journal,
        _ space: SpaceID,
        _ source: DocumentSource,
        isRebuild: Bool
    ) throws(StoreError) {
        do {
            try write(journal, space, source, isRebuild: isRebuild)
        } catch let error {
            // Damage of the journal goes on to the caller; damage of this file is repaired once.
            guard case .corrupt(path, _, _) = error, !isReadOnly else { throw error }
            try replace(because: error)
            try write(journal, space, source, isRebuild: true)
        }
    }

    private func write(
        _ journal: Journal,
        _ space: SpaceID,
        _ source: DocumentSource,
        isRebuild: Bool
    ) throws(StoreError) {
        let name = try journal.space(space).name
        try queue.writing(path) { db in
            let writer = IndexWriter(db, path, space)
            var start = try writer.checkpoint()
            if isRebuild || start > source.position {
                try writer.clear()
                start = .zero
            }
            let changes = try journal.changedDocuments(in: space, start..<source.position)
            if start == .zero || changes.contains(where: { $0.document == .directory }) {
                try writer.writeAll(changes, source) { documents in
                    try journal.lastChanges(of: documents, in: space, before: source.position)
                }
            } else {
                try writer.write(changes, source)
            }
            try writer.writeAuthors(source.person)
            try writer.writeCheckpoint(source.position, name: name)
        }
    }
}

/// Writes the rows of one space within one transaction.
struct IndexWriter {
    private let db: Database
    private let path: String
    private let space: SpaceID

    init(_ db: Database, _ path: String, _ space: SpaceID) {
        self.db = db
        self.path = path
        self.space = space
    }

    func checkpoint() throws -> JournalPosition {
        var position = JournalPosition.zero
        try forEachRow("SELECT position FROM spaces WHERE space = ?", [space.hex]) { row in
            position = JournalPosition(try row.offset(0).value)
        }
        return position
    }

    func clear() throws {
        for table in ["documents", "authors", "spaces"] {
            try db.execute(sql: "DELETE FROM \(table) WHERE space = ?", arguments: [space.hex])
        }
    }

    /// Writes documents that changed, at the paths they have.
    func write(_ changes: [DocumentChange], _ source: DocumentSource) throws {
        let update = try db.cachedStatement(
            sql: """
                UPDATE documents SET title = ?, scalar_count = ?, author = ?, modified = ?,
                    text = CAST(? AS TEXT)
                WHERE space = ? AND document = ?
                """
        )
        for change in changes where change.document != .directory {
            let text = source.text(change.document)
            try update.execute(
                arguments: columns(of: text, change) + [space.hex, change.document.hex]
            )
        }
    }

    /// Makes the paths those of the directory, and writes what changed or is new there.
    func writeAll(
        _ changes: [DocumentChange],
        _ source: DocumentSource,
        lastChanges: ([DocumentID]) throws -> [DocumentChange]
    ) throws {
        var gone: [[UInt8]: String] = [:]
        let sql = "SELECT CAST(path AS BLOB), document FROM documents WHERE space = ?"
        try forEachRow(sql, [space.hex]) { row in gone[try row.bytes(0)] = try row.text(1) }
        var changed = Set(changes.map(\.document))
        let fresh = source.places().filter { place in
            let bytes = Array(place.path.utf8)
            let isKept = gone.removeValue(forKey: bytes) == place.document.hex
            return !isKept || changed.contains(place.document)
        }
        for path in gone.keys { try delete(path) }
        let others = Set(fresh.map(\.document)).subtracting(changed)
        var last = Dictionary(changes.map { ($0.document, $0) }) { $1 }
        for change in try lastChanges(Array(others)) { last[change.document] = change }
        changed.formUnion(others)
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO documents (title, scalar_count, author, modified, text, space, document,
                    path)
                VALUES (?, ?, ?, ?, CAST(? AS TEXT), ?, ?, CAST(? AS TEXT))
                """
        )
        for place in fresh {
            let path = Array(place.path.utf8)
            try delete(path)
            let text = source.text(place.document)
            try insert.execute(
                arguments: columns(of: text, last[place.document])
                    + [space.hex, place.document.hex, Data(path)]
            )
        }
    }

    /// Names the authors of all rows as they are called now.
    func writeAuthors(_ person: (LogID) -> String) throws {
        var authors: [String: String?] = [:]
        let sql = """
            SELECT DISTINCT d.author, a.name FROM documents AS d
                LEFT JOIN authors AS a ON a.space = d.space AND a.log = d.author
            WHERE d.space = ? AND d.author IS NOT NULL
            """
        try forEachRow(sql, [space.hex]) { row in
            authors[try row.text(0)] = row.isNull(1) ? .some(nil) : try row.text(1)
        }
        try db.execute(
            sql: """
                DELETE FROM authors WHERE space = ?1
                    AND log NOT IN (SELECT author FROM documents WHERE space = ?1
                        AND author IS NOT NULL)
                """,
            arguments: [space.hex]
        )
        for (hex, name) in authors {
            guard let log = LogID(hex: hex) else { continue }
            let current = person(log).untilNUL
            guard current != name else { continue }
            try db.execute(
                sql: "INSERT OR REPLACE INTO authors (space, log, name) VALUES (?, ?, ?)",
                arguments: [space.hex, hex, current]
            )
        }
    }

    func writeCheckpoint(_ position: JournalPosition, name: String) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO spaces (space, name, position) VALUES (?, ?, ?)",
            arguments: [space.hex, name, Int64(bitPattern: position.value)]
        )
    }

    private func delete(_ path: [UInt8]) throws {
        try db.cachedStatement(
            sql: "DELETE FROM documents WHERE space = ? AND path = CAST(? AS TEXT)"
        ).execute(arguments: [space.hex, Data(path)])
    }

    /// Title, scalar count, author, time and text. Texts go in as bytes: as a C string, one would
    /// end at its first NUL.
    private func columns(of text: String, _ change: DocumentChange?) -> StatementArguments {
        [
            Index.title(of: text), text.unicodeScalars.count, change?.author.hex,
            change.map { Int64(bitPattern: $0.authorTime) }, Data(text.utf8),
        ]
    }

    private func forEachRow(
        _ sql: String,
        _ arguments: StatementArguments,
        _ body: (StoredRow) throws -> Void
    ) throws {
        try db.forEachRow(sql, arguments, path: path, place: .file, body)
    }
}

extension Index {
    /// The first line with something on it, shortened.
    static func title(of text: String) -> String {
        let scalars = text.unicodeScalars
        var line = String.UnicodeScalarView()
        for scalar in scalars {
            if scalar.properties.isWhitespace || scalar == "\0" {
                if line.isEmpty { continue }
                if scalar == "\n" || scalar == "\r" { break }
            }
            line.append(scalar)
            if line.count == StoreLimits.titleScalarCount { break }
        }
        while line.last?.properties.isWhitespace == true { line.removeLast() }
        return String(line).untilNUL
    }
}
