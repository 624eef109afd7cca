import Foundation
import GRDB
public import SennitDocument
public import SennitSync
public import SennitWire

// Documents as they are: a head each, and the chunks of its history. A document that is written
// again gets one more chunk; when there are many, they become one, so that reading the history is
// never reading thousands of rows. All of it is derived from the operations of applied entries, and
// losing it loses nothing.

extension Journal {
    /// Keeps states of documents, so that the next start replays only what was applied after
    /// `position`.
    ///
    /// - Parameters:
    ///   - states: Each holds the operations before `position` and no others, and begins where a
    ///     stored chunk of the document ends; chunks behind that are replaced.
    ///   - position: At most what is committed.
    /// - Throws: what `commit` throws; `contradiction` for a position that is not reached yet, and
    ///   for a state that doesn't follow on from what is stored.
    /// - Complexity: O(bytes of the states).
    public func storeDocuments(
        _ states: [DocumentID: DocumentState],
        at position: JournalPosition,
        in space: SpaceID
    ) throws(StoreError) {
        try transact { db, writer throws in
            let number = try self.existingSpace(db, space)
            guard try position <= self.position(db, number) else {
                let reason = "position \(position) is not reached yet"
                throw StoreError.contradiction(path: self.path, reason: reason)
            }
            for (document, state) in states {
                let row = DocumentRow(
                    space: number,
                    document: try writer.number(of: document, db),
                    position: position,
                    head: state.head
                )
                try self.write(state, row, db)
            }
        }
    }

    private func write(_ state: DocumentState, _ row: DocumentRow, _ db: Database) throws {
        let place: StatementArguments = [row.space, row.document]
        // What was written of these events before is not known to have been written.
        try db.cachedStatement(
            sql: "DELETE FROM chunks WHERE space = ? AND document = ? AND first_event >= ?"
        ).execute(arguments: [row.space, row.document, Int64(state.firstEvent)])
        let end = try db.cachedStatement(
            sql: "SELECT max(end_event) FROM chunks WHERE space = ? AND document = ?"
        )
        guard try Int.fetchOne(end, arguments: place) ?? 0 == state.firstEvent else {
            let reason = "a document goes on at event \(state.firstEvent), its chunks don't"
            throw StoreError.contradiction(path: path, reason: reason)
        }
        try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO documents (\(DocumentRow.columns)) VALUES (?, ?, ?, ?, ?)"
        ).execute(arguments: row.arguments)
        guard !state.chunk.isEmpty else { return }
        try insert(
            ChunkRow(
                space: row.space,
                document: row.document,
                events: state.firstEvent..<state.eventCount,
                bytes: state.chunk
            ),
            db
        )
    }

    private func insert(_ row: ChunkRow, _ db: Database) throws {
        try db.cachedStatement(
            sql: "INSERT INTO chunks (\(ChunkRow.columns)) VALUES (?, ?, ?, ?, ?, ?)"
        ).execute(arguments: row.arguments)
    }

    /// The chunks of a document's history, from the first event on.
    /// - Throws: `noSuchSpace`; `corrupt` for rows that aren't as they were written or don't follow
    ///   on from each other; `io`, `closed`.
    /// - Complexity: O(bytes of the history), and one reading of all names.
    public func history(
        of document: DocumentID,
        in space: SpaceID
    ) throws(StoreError) -> [[UInt8]] {
        try queue.reading(path) { db in
            try JournalReader(db, self, space).chunks(of: document).map(\.bytes)
        }
    }

    /// The operations of all applied entries on a document, ascending by position: what its history
    /// is made from again if the chunks are damaged.
    /// - Throws: `noSuchSpace`, `corrupt`, `io`, `closed`.
    public func operations(
        on document: DocumentID,
        in space: SpaceID
    ) throws(StoreError) -> [StoredOperations] {
        try queue.reading(path) { db in
            try JournalReader(db, self, space).operations(on: document).map(\.operations)
        }
    }

    /// Gives a document of a record its history, or, where that is damaged, all of its operations
    /// instead of its state, which is made from them.
    /// - Throws: `noSuchSpace`, `corrupt`, `io`, `closed`.
    public func addHistory(
        of document: DocumentID,
        to record: inout ReplicaRecord
    ) throws(StoreError) {
        do {
            let chunks = try history(of: document, in: record.space)
            try record.documents[document]?.attach(history: chunks)
        } catch {
            record.documents[document] = nil
            record.operations.removeAll { $0.document == document }
            record.operations += try operations(on: document, in: record.space)
        }
    }

    /// Makes one chunk of the many that a document has, if it has many.
    ///
    /// Reading and packing go on while others commit. Chunks that are added meanwhile stay.
    /// - Returns: whether there were many.
    /// - Throws: `noSuchSpace`, `corrupt`, `diskFull`, `io`, `closed`.
    /// - Complexity: O(bytes of the history), if there are many.
    @discardableResult
    public func joinChunks(of document: DocumentID, in space: SpaceID) throws(StoreError) -> Bool {
        let rows = try queue.reading(path) { db -> [ChunkRow] in
            let reader = try JournalReader(db, self, space)
            guard try reader.chunkCount(of: document) > StoreLimits.chunkCount else { return [] }
            return try reader.chunks(of: document)
        }
        guard let first = rows.first, let last = rows.last, rows.count > 1 else { return false }
        let bytes: [UInt8]
        do {
            bytes = try Document.joined(rows.map(\.bytes))
        } catch {
            let place = StoreError.Place.document(space, document)
            throw .corrupt(path: path, place: place, reason: "its history doesn't decode: \(error)")
        }
        let joined = ChunkRow(
            space: first.space,
            document: first.document,
            events: first.events.lowerBound..<last.events.upperBound,
            bytes: bytes
        )
        return try queue.writing(path) { db in
            let chunks = try JournalReader(db, self, space).chunks(of: document)
            // A document that was made anew in between has other ones.
            guard chunks.map(\.events).starts(with: rows.map(\.events)),
                zip(chunks, rows).allSatisfy({ $0.bytes == $1.bytes })
            else { return false }
            try db.execute(
                sql: "DELETE FROM chunks WHERE space = ? AND document = ? AND end_event <= ?",
                arguments: [joined.space, joined.document, joined.events.upperBound]
            )
            try self.insert(joined, db)
            return true
        }
    }
}

extension JournalReader {
    /// The chunks of a document, in order and without gaps.
    func chunks(of document: DocumentID) throws -> [ChunkRow] {
        guard let documentNumber = number(of: document) else { return [] }
        var chunks: [ChunkRow] = []
        let sql = """
            SELECT \(ChunkRow.columns) FROM chunks WHERE space = ? AND document = ?
            ORDER BY first_event
            """
        try forEachRow(sql, [number, documentNumber]) { row in
            let row = row.at(.document(space, document))
            let chunk = try ChunkRow(row)
            guard chunk.events.lowerBound == chunks.last?.events.upperBound ?? 0 else {
                throw row.damage("its history has a gap before event \(chunk.events.lowerBound)")
            }
            chunks.append(chunk)
        }
        return chunks
    }

    fileprivate func chunkCount(of document: DocumentID) throws -> Int {
        guard let documentNumber = number(of: document) else { return 0 }
        return try Int.fetchOne(
            db,
            sql: "SELECT count(*) FROM chunks WHERE space = ? AND document = ?",
            arguments: [number, documentNumber]
        ) ?? 0
    }

    /// The operations of applied entries on a document, ascending by position.
    func operations(
        on document: DocumentID
    ) throws -> [(position: JournalPosition, operations: StoredOperations)] {
        guard let documentNumber = number(of: document) else { return [] }
        var operations: [(position: JournalPosition, operations: StoredOperations)] = []
        let sql = """
            SELECT \(OperationsRow.columns) FROM operations WHERE space = ? AND document = ?
            ORDER BY position, ordinal
            """
        try forEachRow(sql, [number, documentNumber]) { row in
            let row = try OperationsRow(row.at(.document(space, document)))
            let stored = StoredOperations(
                document: document,
                author: try name(row.author),
                bytes: row.bytes
            )
            operations.append((row.position, stored))
        }
        return operations
    }
}
