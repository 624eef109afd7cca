import GRDB
import SennitWire

extension Index {
    /// Fails with `corrupt` if the full-text table isn't what the rows give.
    func checkSearch() throws(StoreError) {
        try queue.writing(path) { db in
            try db.execute(sql: "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        }
    }

    /// Where the rows of `space` differ from those of another index, or `nil`. Numbers of rows are
    /// left out: they depend on the order of writing.
    /// - Complexity: O(texts of the space).
    func firstDifference(
        from other: Index,
        of space: SpaceID
    ) throws(StoreError) -> String? {
        let queries = [
            "checkpoint": "SELECT name, position FROM spaces WHERE space = ?",
            "authors": "SELECT log, name FROM authors WHERE space = ? ORDER BY log",
            "documents": """
            SELECT CAST(path AS BLOB), document, title, scalar_count, author, modified,
                CAST(text AS BLOB)
            FROM documents WHERE space = ? ORDER BY path
            """,
        ]
        for (name, sql) in queries.sorted(by: { $0.key < $1.key }) {
            let difference = try queue.reading(path) { db in
                try other.queue.reading(other.path) { otherDB -> String? in
                    let rows = try Row.fetchCursor(db, sql: sql, arguments: [space.hex])
                    let others = try Row.fetchCursor(otherDB, sql: sql, arguments: [space.hex])
                    var rowIndex = 0
                    while true {
                        let row = try rows.next()
                        let other = try others.next()
                        if row == nil, other == nil { return nil }
                        guard row == other else {
                            return "its \(name) differ from a rebuild's at row \(rowIndex)"
                        }
                        rowIndex += 1
                    }
                }
            }
            if let difference { return difference }
        }
        return nil
    }
}
