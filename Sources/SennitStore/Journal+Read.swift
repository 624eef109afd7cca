import Foundation
import GRDB
public import SennitSync
public import SennitWire

/// One line of the log of a space, as `sennit log` shows it.
public struct AppliedSummary: Hashable, Sendable {
    public let position: JournalPosition
    public let log: LogID
    public let offset: Offset
    public let type: EntryType
    public let outcome: Outcome
    /// Milliseconds since 1970, as the author says.
    public let authorTime: UInt64
    /// Bytes of the entry.
    public let byteCount: Int
    /// The documents it changed.
    public let documents: [DocumentID]
}

/// That a document changed, and the last change of it.
public struct DocumentChange: Hashable, Sendable {
    public let document: DocumentID
    /// Where the change was applied.
    public let position: JournalPosition
    /// The log whose device made it.
    public let author: LogID
    /// Milliseconds since 1970, as the author says.
    public let authorTime: UInt64
}

extension Journal {
    /// Entries of a log for an upload or an export, checked against their chain.
    ///
    /// - Parameters:
    ///   - log: A log of `space`.
    ///   - start: The first offset wanted. Past the end there is nothing.
    ///   - maximumCount: At most so many entries.
    ///   - maximumByteCount: At most so many bytes together, or one entry of any size.
    /// - Throws: `noSuchSpace`, `noSuchLog`; `corrupt` with the log and the offset; `io`, `closed`.
    /// - Complexity: O(bytes).
    public func entries(
        of log: LogID,
        in space: SpaceID,
        from start: Offset,
        maximumCount: Int = Limits.maximumBatchCount,
        maximumByteCount: Int = Limits.maximumBatchByteCount
    ) throws(StoreError) -> [StoredEntry] {
        try queue.reading(path) { db in
            let place = try self.place(of: log, in: space, db)
            guard start < place.end else { return [] }
            var chain = try self.chain(before: start, of: log, place, db)
            let rows = try Row.fetchCursor(
                try db.cachedStatement(
                    sql: """
                        SELECT offset, chain, bytes FROM entries WHERE log = ? AND offset >= ?
                        ORDER BY offset LIMIT ?
                        """
                ),
                arguments: [
                    place.number, Int64(bitPattern: start.value),
                    min(maximumCount, Int(clamping: place.end.value - start.value)),
                ]
            )
            var entries: [StoredEntry] = []
            var expected = start
            var byteCount = 0
            while let row = try rows.next() {
                let row = StoredRow(row, path: path, place: .entry(log, expected))
                guard try row.offset(0) == expected else { throw row.damage("it is missing") }
                let entry = StoredEntry(
                    log: log,
                    offset: expected,
                    bytes: try row.bytes(2),
                    chain: try row.identifier(1)
                )
                byteCount += entry.bytes.count
                guard entries.isEmpty || byteCount <= maximumByteCount else { break }
                try entry.verify(after: chain, path)
                chain = entry.chain
                expected = expected.next
                entries.append(entry)
            }
            guard !entries.isEmpty || maximumCount < 1 else {
                throw StoreError.corrupt(path: path, place: .entry(log, start), reason: "missing")
            }
            return entries
        }
    }

    /// How many entries of a space were applied.
    /// - Throws: `noSuchSpace`, `corrupt`, `io`, `closed`.
    public func position(of space: SpaceID) throws(StoreError) -> JournalPosition {
        try queue.reading(path) { db in try self.position(db, try self.existingSpace(db, space)) }
    }

    /// The applied entries at some positions, ascending.
    /// - Throws: `noSuchSpace`, `corrupt`, `io`, `closed`.
    /// - Complexity: O(entries), and one reading of all names.
    public func applied(
        in space: SpaceID,
        _ positions: Range<JournalPosition>
    ) throws(StoreError) -> [AppliedSummary] {
        try queue.reading(path) { db in
            let reader = try JournalReader(db, self, space)
            let arguments = positions.arguments(in: reader.number)
            var documents: [JournalPosition: [DocumentID]] = [:]
            let documentsSQL = """
                SELECT position, document FROM operations
                WHERE space = ? AND position >= ? AND position < ? ORDER BY position, ordinal
                """
            try reader.forEachRow(documentsSQL, arguments) { row in
                let position = JournalPosition(try row.offset(0).value)
                documents[position, default: []].append(try reader.name(try row.number(1)))
            }
            var summaries: [AppliedSummary] = []
            let sql = """
                SELECT \(AppliedRow.columns) FROM applied
                WHERE space = ? AND position >= ? AND position < ? ORDER BY position
                """
            let length = try db.cachedStatement(
                sql: "SELECT length(bytes) FROM entries WHERE log = ? AND offset = ?"
            )
            try reader.forEachRow(sql, arguments) { stored in
                let position = JournalPosition(try stored.offset(3).value)
                let stored = stored.at(.position(space, position))
                let row = try AppliedRow(stored)
                let place: StatementArguments = [row.log, Int64(bitPattern: row.offset.value)]
                guard let byteCount = try Int.fetchOne(length, arguments: place) else {
                    throw stored.damage("the entry is missing")
                }
                summaries.append(
                    AppliedSummary(
                        position: position,
                        log: try reader.name(row.log),
                        offset: row.offset,
                        type: row.type,
                        outcome: row.outcome,
                        authorTime: row.authorTime,
                        byteCount: byteCount,
                        documents: documents[position] ?? []
                    )
                )
            }
            return summaries
        }
    }

    /// The documents that entries at some positions changed, each with its last change there. This
    /// is what a view asks when it follows the journal from its checkpoint.
    /// - Throws: `noSuchSpace`, `corrupt`, `io`, `closed`.
    /// - Complexity: O(operations at these positions), and one reading of all names.
    public func changedDocuments(
        in space: SpaceID,
        _ positions: Range<JournalPosition>
    ) throws(StoreError) -> [DocumentChange] {
        let sql = """
            SELECT document, max(position) FROM operations
            WHERE space = ? AND position >= ? AND position < ? GROUP BY document
            """
        return try queue.reading(path) { db in
            let reader = try JournalReader(db, self, space)
            let arguments = positions.arguments(in: reader.number)
            return try reader.changes(sql, arguments)
        }
    }

    /// The last change of each of `documents` before a position; those that nobody changed are left
    /// out.
    /// - Throws: `noSuchSpace`, `corrupt`, `io`, `closed`.
    /// - Complexity: O(documents), and one reading of all names.
    public func lastChanges(
        of documents: some Sequence<DocumentID>,
        in space: SpaceID,
        before position: JournalPosition
    ) throws(StoreError) -> [DocumentChange] {
        let sql = """
            SELECT document, max(position) FROM operations
            WHERE space = ? AND document = ? AND position < ?
            """
        return try queue.reading(path) { db in
            let reader = try JournalReader(db, self, space)
            return try documents.flatMap { document in
                guard let number = reader.number(of: document) else { return [DocumentChange]() }
                let end = Int64(clamping: position.value)
                return try reader.changes(sql, [reader.number, number, end])
            }
        }
    }

    func position(_ db: Database, _ space: Int64) throws -> JournalPosition {
        var position = JournalPosition.zero
        let sql = "SELECT max(position) + 1 FROM applied WHERE space = ?"
        try db.forEachRow(sql, [space], path: path, place: .file) { row in
            if !row.isNull(0) { position = JournalPosition(try row.offset(0).value) }
        }
        return position
    }
}

extension Journal {
    /// Where a log is kept: its number, where its chain starts, and its end.
    private struct LogPlace {
        let number: Int64
        let chainStart: ChainHash
        let end: Offset
    }

    private func place(of log: LogID, in space: SpaceID, _ db: Database) throws -> LogPlace {
        var place: LogPlace?
        let sql = """
            SELECT log, device, incarnation, end FROM logs
            WHERE space = ? AND log = (SELECT number FROM identifiers WHERE id = ?)
            """
        let arguments: StatementArguments = [try existingSpace(db, space), Data(log.bytes)]
        try db.forEachRow(sql, arguments, path: path, place: .log(log)) { row in
            guard let incarnation = Incarnation(try row.bytes(2)) else {
                throw row.damage("the incarnation hasn't 16 bytes")
            }
            let device: DeviceKey = try row.identifier(1)
            place = LogPlace(
                number: try row.number(0),
                chainStart: LogDescriptor(device: device, incarnation: incarnation)
                    .chainStart(in: space),
                end: try row.offset(3)
            )
        }
        guard let place else { throw StoreError.noSuchLog(log) }
        return place
    }

    /// h[offset].
    private func chain(
        before offset: Offset,
        of log: LogID,
        _ place: LogPlace,
        _ db: Database
    ) throws -> ChainHash {
        guard offset > .zero else { return place.chainStart }
        let last = Offset(offset.value - 1)
        var chain: ChainHash?
        let sql = "SELECT chain FROM entries WHERE log = ? AND offset = ?"
        let arguments: StatementArguments = [place.number, Int64(bitPattern: last.value)]
        try db.forEachRow(sql, arguments, path: path, place: .entry(log, last)) { row in
            chain = try row.identifier(0)
        }
        guard let chain else {
            throw StoreError.corrupt(path: path, place: .entry(log, last), reason: "it is missing")
        }
        return chain
    }
}

extension StoredEntry {
    /// Fails unless the bytes are those that the chain says.
    func verify(after chainBefore: ChainHash, _ path: String) throws(StoreError) {
        guard chainBefore.extended(by: EntryHash(of: bytes)) == chain else {
            let reason = "its bytes don't have the hash that the chain says"
            throw .corrupt(path: path, place: .entry(log, offset), reason: reason)
        }
    }
}

extension JournalReader {
    /// Last changes from a query for documents and positions.
    fileprivate func changes(
        _ sql: String,
        _ arguments: StatementArguments
    ) throws -> [DocumentChange] {
        var places: [(document: DocumentID, number: Int64, position: JournalPosition)] = []
        try forEachRow(sql, arguments) { row in
            guard !row.isNull(0) else { return }
            let number = try row.number(0)
            let position = JournalPosition(try row.offset(1).value)
            places.append((try name(number), number, position))
        }
        let operationsSQL = """
            SELECT o.author, a.author_time FROM operations AS o JOIN applied AS a
                ON a.space = o.space AND a.position = o.position
            WHERE o.space = ? AND o.document = ? AND o.position = ? ORDER BY o.ordinal
            """
        return try places.map { place in
            var change: DocumentChange?
            let position = Int64(bitPattern: place.position.value)
            try forEachRow(operationsSQL, [number, place.number, position]) { row in
                change = DocumentChange(
                    document: place.document,
                    position: place.position,
                    author: try name(try row.number(0)),
                    authorTime: UInt64(bitPattern: try row.number(1))
                )
            }
            guard let change else {
                throw damage(.position(space, place.position), "the applied entry is missing")
            }
            return change
        }
    }
}

extension Range<JournalPosition> {
    fileprivate func arguments(in space: Int64) -> StatementArguments {
        [space, Int64(clamping: lowerBound.value), Int64(clamping: upperBound.value)]
    }
}
