import GRDB
public import SennitSync
public import SennitWire

/// What one applied entry did to one document.
public struct DocumentMoment: Hashable, Sendable {
    /// Where the entry was applied.
    public let position: JournalPosition
    /// Milliseconds since 1970, as the author says.
    public let authorTime: UInt64
    /// What it did.
    public let operations: StoredOperations
}

extension Journal {
    /// All that applied entries did to a document, ascending by position.
    /// - Throws: `noSuchSpace`, `corrupt`, `io`, `closed`.
    /// - Complexity: O(bytes of the document's operations).
    public func moments(
        of document: DocumentID,
        in space: SpaceID
    ) throws(StoreError) -> [DocumentMoment] {
        try queue.reading(path) { db in
            let reader = try JournalReader(db, self, space)
            guard let number = reader.number(of: document) else { return [] }
            var times: [JournalPosition: UInt64] = [:]
            let timesSQL = """
                SELECT DISTINCT a.position, a.author_time FROM applied AS a JOIN operations AS o
                    ON a.space = o.space AND a.position = o.position
                WHERE o.space = ? AND o.document = ?
                """
            try reader.forEachRow(timesSQL, [reader.number, number]) { row in
                let position = JournalPosition(try row.offset(0).value)
                times[position] = UInt64(bitPattern: try row.number(1))
            }
            return try reader.operations(on: document).map { position, operations in
                DocumentMoment(
                    position: position,
                    authorTime: times[position] ?? 0,
                    operations: operations
                )
            }
        }
    }
}
