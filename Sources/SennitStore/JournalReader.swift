import GRDB
import SennitDocument
import SennitSeal
import SennitSync
import SennitWire

/// Reads one space within one transaction, and verifies what it hands out.
struct JournalReader {
    let db: Database
    let path: String
    let space: SpaceID
    /// The number of the space in this file.
    let number: Int64
    private let journal: Journal
    private let names: [Int64: Bytes32]
    private let numbers: [Bytes32: Int64]

    /// - Throws: `noSuchSpace`, `corrupt`.
    init(_ db: Database, _ journal: Journal, _ space: SpaceID) throws {
        self.db = db
        self.journal = journal
        path = journal.path
        self.space = space
        number = try journal.existingSpace(db, space)
        var names: [Int64: Bytes32] = [:]
        var numbers: [Bytes32: Int64] = [:]
        let sql = "SELECT number, id, checksum FROM identifiers"
        try db.forEachRow(sql, path: path, place: .file) { row in
            let bytes = try row.bytes(1)
            guard let id = Bytes32(bytes) else { throw row.damage("a name hasn't 32 bytes") }
            try row.check(RowChecksum.of(bytes: bytes))
            names[try row.number(0)] = id
            numbers[id] = try row.number(0)
        }
        self.names = names
        self.numbers = numbers
    }

    /// The identifier that `number` stands for.
    func name<Name: Identifier>(_ number: Int64) throws(StoreError) -> Name {
        guard let value = names[number] else {
            throw damage(.space(space), "the name with number \(number) is missing")
        }
        return Name(value: value)
    }

    /// The number that stands for `id`, if this file has it.
    func number(of id: some Identifier) -> Int64? { numbers[id.value] }

    /// The records of all logs of the space.
    func logs() throws -> [LogID: LogRow] {
        var logs: [LogID: LogRow] = [:]
        try forEachLog { row in
            let (log, record) = try self.log(row)
            logs[log] = record
        }
        return logs
    }

    /// The records of logs that can be read; the others are findings.
    func logs(_ report: inout CheckReport) throws -> [LogID: LogRow] {
        var logs: [LogID: LogRow] = [:]
        try forEachLog { row in
            try report.collect(.row) { _ in
                let (log, record) = try self.log(row)
                logs[log] = record
            }
        }
        return logs
    }

    private func forEachLog(_ body: (StoredRow) throws -> Void) throws {
        let sql = "SELECT \(LogRow.columns) FROM logs WHERE space = ? ORDER BY log"
        try forEachRow(sql, [number], body)
    }

    private func log(_ row: StoredRow) throws(StoreError) -> (LogID, LogRow) {
        let log: LogID = try name(try row.number(1))
        let row = row.at(.log(log))
        let record = try LogRow(row) { number throws(StoreError) in
            try name(Int64(bitPattern: number))
        }
        guard record.record.descriptor.logID(in: space) == log else {
            throw row.damage("its device and incarnation belong to another log")
        }
        return (log, record)
    }

    /// The chain after each stored entry, checked for gaps and against the head.
    func chains(of log: LogID, _ row: LogRow) throws -> [ChainHash] {
        var chains: [ChainHash] = []
        let sql = "SELECT offset, chain FROM entries WHERE log = ? ORDER BY offset"
        try forEachRow(sql, [row.log]) { entry in
            let expected = Offset(UInt64(chains.count))
            guard try entry.offset(0) == expected else {
                throw damage(.entry(log, expected), "the entry is missing")
            }
            chains.append(try entry.at(.entry(log, expected)).identifier(1))
        }
        let end = Offset(UInt64(chains.count))
        guard end == row.record.end else {
            throw damage(.log(log), "it has \(end) entries and should have \(row.record.end)")
        }
        if let head = row.record.head {
            guard head.end <= end else {
                throw damage(.log(log), "its head ends at \(head.end), its entries at \(end)")
            }
            guard head.end == .zero || chains[Int(head.end.value) - 1] == head.chain else {
                throw damage(.entry(log, head.end), "the chain there isn't the one of the head")
            }
        }
        return chains
    }

    /// `AppliedEntry.eventEnd` of each applied entry.
    func eventEnds(of log: LogID, _ row: LogRow) throws -> [UInt64] {
        var ends: [UInt64] = []
        let sql = "SELECT offset, event_end FROM applied WHERE log = ? ORDER BY offset"
        try forEachRow(sql, [row.log]) { applied in
            let expected = Offset(UInt64(ends.count))
            let end = try applied.offset(1).value
            guard try applied.offset(0) == expected, end >= ends.last ?? 0 else {
                throw damage(.entry(log, expected), "it is missing among the applied entries")
            }
            ends.append(end)
        }
        guard UInt64(ends.count) == row.record.applied.value else {
            let reason = "\(ends.count) entries are applied, not \(row.record.applied)"
            throw damage(.log(log), reason)
        }
        return ends
    }

    /// The keys of the space's epochs in the order in which they were learned.
    func epochs() throws -> [EpochKey] {
        var epochs: [EpochKey] = []
        let sql = "SELECT id, secret FROM epochs WHERE space = ? ORDER BY number"
        try forEachRow(sql, [number]) { row in
            let id: EpochKeyID = try row.identifier(0)
            guard let secret = journal.epochSecret(try row.bytes(1), id: id.bytes) else {
                throw row.damage("the secret of an epoch doesn't open, or has the wrong length")
            }
            let key = EpochKey(secret: secret, space: space)
            guard id == key.id else {
                throw row.damage("the secret of an epoch isn't the one of its id")
            }
            epochs.append(key)
        }
        return epochs
    }

    /// The stored states of documents.
    func documents() throws -> [(id: DocumentID, row: DocumentRow)] {
        var documents: [(id: DocumentID, row: DocumentRow)] = []
        try forEachDocument { row in documents.append(try document(row)) }
        return documents
    }

    /// The stored states that can be read; the others are findings.
    func documents(
        _ report: inout CheckReport
    ) throws -> [(id: DocumentID, row: DocumentRow)] {
        var documents: [(id: DocumentID, row: DocumentRow)] = []
        try forEachDocument { row in
            try report.collect(.document) { _ in documents.append(try document(row)) }
        }
        return documents
    }

    private func forEachDocument(_ body: (StoredRow) throws -> Void) throws {
        let sql = "SELECT \(DocumentRow.columns) FROM documents WHERE space = ? ORDER BY document"
        try forEachRow(sql, [number], body)
    }

    private func document(
        _ row: StoredRow
    ) throws(StoreError) -> (id: DocumentID, row: DocumentRow) {
        let id: DocumentID = try name(try row.number(1))
        return (id, try DocumentRow(row.at(.document(space, id))))
    }

    /// Calls `body` with operations of applied entries, ascending by document, position and place
    /// in the entry: all of them, or those that a stored state lacks.
    func forEachOperations(
        sinceStates: Bool,
        _ body: (StoredOperations, OperationsRow) throws -> Void
    ) throws {
        let sql = """
            SELECT \(OperationsRow.columns) FROM operations AS o
            WHERE o.space = ?1 AND (?2 = 0 OR o.position >= coalesce(
                (SELECT d.position FROM documents AS d
                    WHERE d.space = ?1 AND d.document = o.document), 0))
            ORDER BY o.space, o.document, o.position, o.ordinal
            """
        try forEachRow(sql, [number, sinceStates]) { row in
            let document: DocumentID = try name(try row.number(1))
            let operations = try OperationsRow(row.at(.document(space, document)))
            try body(
                StoredOperations(
                    document: document,
                    author: try name(operations.author),
                    bytes: operations.bytes
                ),
                operations
            )
        }
    }

    /// Operations that no entry carries yet, ascending by sequence.
    func pending() throws -> [PendingOperations] {
        var pending: [PendingOperations] = []
        let sql = "SELECT \(PendingRow.columns) FROM pending WHERE space = ? ORDER BY sequence"
        try forEachRow(sql, [number]) { row in
            let row = try PendingRow(row.at(.pending(space, sequence: try row.count(1))))
            let operations = StoredOperations(
                document: try name(row.document),
                author: try name(row.author),
                bytes: row.bytes
            )
            pending.append(
                PendingOperations(
                    sequence: row.sequence,
                    operations: operations,
                    life: row.life
                )
            )
        }
        return pending
    }

    /// How many entries of the space were applied.
    func position() throws -> JournalPosition {
        var position = JournalPosition.zero
        try forEachRow("SELECT max(position) + 1 FROM applied WHERE space = ?", [number]) { row in
            if !row.isNull(0) { position = JournalPosition(try row.offset(0).value) }
        }
        return position
    }

    func forEachRow(
        _ sql: String,
        _ arguments: StatementArguments,
        _ body: (StoredRow) throws -> Void
    ) throws {
        try db.forEachRow(sql, arguments, path: path, place: .space(space), body)
    }

    func damage(_ place: StoreError.Place, _ reason: String) -> StoreError {
        .corrupt(path: path, place: place, reason: reason)
    }
}
