import GRDB
import SennitDocument
public import SennitSync
public import SennitWire

extension Journal {
    /// Gives back all that a replica of `space` needs to stand up again.
    ///
    /// What is handed out is verified: no gaps, chains that agree with the head, entries that agree
    /// with their chain, checksums. The rest is for `check`.
    /// - Throws: `noSuchSpace`; `corrupt` with the place; `io`, `closed`.
    /// - Complexity: O(entries of the space + bytes of its documents), about 1 µs for an entry.
    public func restore(_ space: SpaceID) throws(StoreError) -> ReplicaRecord {
        let spaceRecord = try self.space(space)
        return try queue.reading(path) { db in
            let reader = try JournalReader(db, self, space)
            var record = ReplicaRecord(
                space: space,
                spaceNonce: spaceRecord.nonce,
                own: spaceRecord.own
            )
            let logs = try reader.logs()
            for (log, row) in logs {
                record.logs[log] = RestoredLog(
                    record: row.record,
                    chains: try reader.chains(of: log, row),
                    eventEnds: try reader.eventEnds(of: log, row)
                )
            }
            for log in logs.keys.sorted() {
                guard let row = logs[log], let restored = record.logs[log] else { continue }
                record.waiting += try reader.waiting(of: log, row, restored)
            }
            record.controls = try reader.controls(record.logs)
            record.epochs = try reader.epochs()
            record.documents = try reader.decodedDocuments()
            record.operations = try reader.operationsSinceStates()
            record.pending = try reader.pending()
            record.position = try reader.position()
            return record
        }
    }
}

extension JournalReader {
    /// The entries of a log that aren't applied.
    fileprivate func waiting(
        of log: LogID,
        _ row: LogRow,
        _ restored: RestoredLog
    ) throws -> [StoredEntry] {
        var waiting: [StoredEntry] = []
        let sql = """
            SELECT offset, chain, bytes FROM entries WHERE log = ? AND offset >= ? ORDER BY offset
            """
        let applied = Int64(bitPattern: row.record.applied.value)
        try forEachRow(sql, [row.log, applied]) { entry in
            waiting.append(try verifiedEntry(entry, log, restored))
        }
        return waiting
    }

    /// Control records in the order in which they were applied.
    fileprivate func controls(
        _ logs: [LogID: RestoredLog]
    ) throws -> [(entry: StoredEntry, applied: AppliedEntry)] {
        var rows: [AppliedRow] = []
        let sql = """
            SELECT \(AppliedRow.columns) FROM applied
            WHERE space = ? AND control_body IS NOT NULL ORDER BY position
            """
        try forEachRow(sql, [number]) { row in
            let position = JournalPosition(try row.offset(3).value)
            rows.append(try AppliedRow(row.at(.position(space, position))))
        }
        var controls: [(entry: StoredEntry, applied: AppliedEntry)] = []
        for row in rows {
            let log: LogID = try name(row.log)
            guard let restored = logs[log] else { throw damage(.log(log), "it is missing") }
            let sql = "SELECT offset, chain, bytes FROM entries WHERE log = ? AND offset = ?"
            try forEachRow(sql, [row.log, Int64(bitPattern: row.offset.value)]) { entry in
                let entry = try verifiedEntry(entry, log, restored)
                let applied = AppliedEntry(
                    position: row.position,
                    log: log,
                    offset: row.offset,
                    type: row.type,
                    outcome: row.outcome,
                    authorTime: row.authorTime,
                    operations: try operations(at: row.position),
                    controlBody: row.controlBody,
                    eventEnd: row.eventEnd
                )
                controls.append((entry, applied))
            }
            guard controls.last?.applied.position == row.position else {
                throw damage(.entry(log, row.offset), "the entry is missing")
            }
        }
        return controls
    }

    /// An entry in columns offset, chain and bytes, checked against the chain.
    private func verifiedEntry(
        _ row: StoredRow,
        _ log: LogID,
        _ restored: RestoredLog
    ) throws(StoreError) -> StoredEntry {
        let offset = try row.offset(0)
        let row = row.at(.entry(log, offset))
        let entry = StoredEntry(
            log: log,
            offset: offset,
            bytes: try row.bytes(2),
            chain: try row.identifier(1)
        )
        let before =
            offset == .zero
            ? restored.record.descriptor.chainStart(in: space)
            : restored.chains[Int(offset.value) - 1]
        try entry.verify(after: before, path)
        return entry
    }

    /// The operations of one applied entry.
    private func operations(at position: JournalPosition) throws -> [StoredOperations] {
        var operations: [StoredOperations] = []
        let sql = """
            SELECT \(OperationsRow.columns) FROM operations WHERE space = ? AND position = ?
            ORDER BY ordinal
            """
        try forEachRow(sql, [number, Int64(bitPattern: position.value)]) { row in
            let row = try OperationsRow(row.at(.position(space, position)))
            operations.append(
                StoredOperations(
                    document: try name(row.document),
                    author: try name(row.author),
                    bytes: row.bytes
                )
            )
        }
        return operations
    }

    fileprivate func decodedDocuments() throws -> [DocumentID: Document] {
        var documents: [DocumentID: Document] = [:]
        for (id, row) in try self.documents() {
            do {
                // Its checksum was right, and only this device writes here.
                documents[id] = try Document(head: row.head)
            } catch {
                throw damage(.document(space, id), "its head doesn't decode: \(error)")
            }
        }
        return documents
    }

    /// Operations that are in no stored state, ascending by position.
    fileprivate func operationsSinceStates() throws -> [StoredOperations] {
        var found: [(position: JournalPosition, ordinal: Int, operations: StoredOperations)] = []
        try forEachOperations(sinceStates: true) { operations, row in
            found.append((row.position, row.ordinal, operations))
        }
        found.sort { ($0.position, $0.ordinal) < ($1.position, $1.ordinal) }
        return found.map(\.operations)
    }
}
