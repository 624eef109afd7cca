import Foundation
import GRDB
public import SennitSync
public import SennitWire

extension Journal {
    /// Adds a space and the first change of its replica, in one transaction.
    /// - Throws: `spaceExists`, and what `commit` throws.
    public func createSpace(
        _ record: SpaceRecord,
        _ change: ReplicaChange
    ) throws(StoreError) {
        try createSpace(record, [change])
    }

    /// Adds a space and the first changes of its replica, in one transaction.
    /// - Throws: `spaceExists`, and what `commit` throws.
    public func createSpace(
        _ record: SpaceRecord,
        _ changes: [ReplicaChange]
    ) throws(StoreError) {
        try transact { db, writer throws in
            guard try self.spaceNumber(db, record.id) == nil else {
                throw StoreError.spaceExists(record.id)
            }
            try SpaceRow(record).insert(db)
            let space = try self.existingSpace(db, record.id)
            try self.write(changes, to: space, &writer, db)
        }
    }

    /// The spaces of the profile in the order in which they were added.
    /// - Throws: `corrupt`, `io`, `closed`.
    public func spaces() throws(StoreError) -> [SpaceRecord] {
        try queue.reading(path) { db in try self.readSpaces(db) }
    }

    /// One space.
    /// - Throws: `noSuchSpace`, `corrupt`, `io`, `closed`.
    public func space(_ id: SpaceID) throws(StoreError) -> SpaceRecord {
        guard let record = try spaces().first(where: { $0.id == id }) else {
            throw .noSuchSpace(id)
        }
        return record
    }

    /// Changes what is kept of a space beside its logs: name, relays, access list, invite, and the
    /// log that this device writes. `changes` are committed in the same transaction.
    /// - Throws: `noSuchSpace`, and what `commit` throws.
    public func updateSpace(
        _ id: SpaceID,
        changes: [ReplicaChange] = [],
        _ update: (inout SpaceRecord) -> Void
    ) throws(StoreError) {
        try transact { db, writer throws in
            let space = try self.existingSpace(db, id)
            guard var record = try self.readSpaces(db).first(where: { $0.id == id }) else {
                throw StoreError.noSuchSpace(id)
            }
            update(&record)
            precondition(record.id == id, "A space keeps its id.")
            try SpaceRow(record).update(db, number: space)
            try self.write(changes, to: space, &writer, db)
        }
    }

    /// Writes changes of a space, and the log that this device writes if that is another one.
    func write(
        _ changes: [ReplicaChange],
        to space: Int64,
        _ writer: inout JournalWriter,
        _ db: Database
    ) throws {
        for change in changes {
            try writer.write(change, to: space, db)
            guard let own = change.own else { continue }
            let id = try Data.fetchOne(
                db,
                sql: "SELECT id FROM spaces WHERE number = ?",
                arguments: [space]
            )
            guard var record = try readSpaces(db).first(where: { Data($0.id.bytes) == id }) else {
                continue
            }
            record.own = own
            try SpaceRow(record).update(db, number: space)
        }
    }

    func spaceNumber(_ db: Database, _ id: SpaceID) throws -> Int64? {
        let statement = try db.cachedStatement(sql: "SELECT number FROM spaces WHERE id = ?")
        return try Int64.fetchOne(statement, arguments: [Data(id.bytes)])
    }

    func existingSpace(_ db: Database, _ id: SpaceID) throws -> Int64 {
        guard let number = try spaceNumber(db, id) else { throw StoreError.noSuchSpace(id) }
        return number
    }

    func readSpaces(_ db: Database) throws -> [SpaceRecord] {
        var relays: [Int64: [String]] = [:]
        let relaysSQL = "SELECT space, url FROM relays ORDER BY space, ordinal"
        try db.forEachRow(relaysSQL, path: path, place: .file) { row in
            relays[try row.number(0), default: []].append(try row.text(1))
        }
        var records: [SpaceRecord] = []
        let sql = """
            SELECT number, id, nonce, name, device, incarnation, invite_seed, access, created,
                checksum
            FROM spaces ORDER BY number
            """
        try db.forEachRow(sql, path: path, place: .file) { row in
            let relays = relays[try row.number(0)] ?? []
            records.append(try SpaceRow(row, relays: relays).record)
        }
        return records
    }
}

/// The row of one space with its relays.
private struct SpaceRow {
    let record: SpaceRecord

    init(_ record: SpaceRecord) {
        self.record = record.storable
    }

    init(_ row: StoredRow, relays: [String]) throws(StoreError) {
        let id: SpaceID = try row.identifier(1)
        let row = row.at(.space(id))
        guard let nonce = Bytes32(try row.bytes(2)),
            let incarnation = Incarnation(try row.bytes(5))
        else { throw row.damage("a name has the wrong length") }
        record = SpaceRecord(
            id: id,
            name: try row.text(3),
            nonce: nonce,
            own: LogDescriptor(device: try row.identifier(4), incarnation: incarnation),
            relays: relays,
            inviteSeed: try row.optionalBytes(6),
            access: try row.optionalBytes(7),
            created: UInt64(bitPattern: try row.number(8))
        )
        try row.check(checksum)
    }

    private var checksum: Int64 {
        RowChecksum.of(
            Int64(bitPattern: record.created),
            bytes: record.id.bytes,
            record.nonce.bytes,
            Array(record.name.utf8),
            record.own.device.bytes,
            record.own.incarnation.bytes,
            record.inviteSeed ?? [],
            record.access ?? [],
            Array(record.relays.joined(separator: "\n").utf8)
        )
    }

    private var arguments: StatementArguments {
        [
            Data(record.id.bytes), Data(record.nonce.bytes), record.name,
            Data(record.own.device.bytes), Data(record.own.incarnation.bytes),
            record.inviteSeed.map { Data($0) }, record.access.map { Data($0) },
            Int64(bitPattern: record.created), checksum,
        ]
    }

    func insert(_ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO spaces (id, nonce, name, device, incarnation, invite_seed, access,
                    created, checksum)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: arguments
        )
        try insertRelays(db, number: db.lastInsertedRowID)
    }

    func update(_ db: Database, number: Int64) throws {
        try db.execute(
            sql: """
                UPDATE spaces SET id = ?, nonce = ?, name = ?, device = ?, incarnation = ?,
                    invite_seed = ?, access = ?, created = ?, checksum = ?
                WHERE number = ?
                """,
            arguments: arguments + [number]
        )
        try db.execute(sql: "DELETE FROM relays WHERE space = ?", arguments: [number])
        try insertRelays(db, number: number)
    }

    private func insertRelays(_ db: Database, number: Int64) throws {
        for (ordinal, url) in record.relays.enumerated() {
            try db.execute(
                sql: "INSERT INTO relays (space, ordinal, url) VALUES (?, ?, ?)",
                arguments: [number, ordinal, url]
            )
        }
    }
}

extension SpaceRecord {
    /// The record as SQLite can keep it: a text ends at its first NUL there.
    fileprivate var storable: SpaceRecord {
        var record = self
        record.name = name.untilNUL
        record.relays = relays.map(\.untilNUL)
        return record
    }
}

extension String {
    /// The text before its first NUL, where SQLite ends it too.
    var untilNUL: String {
        String(unicodeScalars.prefix { $0 != "\0" })
    }
}
