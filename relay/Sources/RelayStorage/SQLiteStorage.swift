// The old form of a relay's storage: one SQLite file.
//
//     relay      name                                      one row
//     space      space, genesis, access
//     admission  space, device, invite
//     log        id, log, space, device, incarnation
//     batch      log (→ log.id), first, end, entries, head
//
// A batch is one row: its entries, each with a varint length before it, and the bytes of its head.
// The end of a log is that of its last batch, so no second place could say otherwise.
//
// The relay kept its data so before it had segments. This reads such a file, once, to bring it over
// (StorageMigration.swift). It takes the same exclusive lock as the relay that wrote it, and brings
// the write-ahead log of one that was killed into the file, so nothing committed is missed.

import Foundation
import GRDB
public import SennitWire

/// A relay's storage in one SQLite file, for reading. Confined to one thread at a time.
public final class SQLiteStorage: StorageReading {
    /// The random name that the relay got when its storage was made.
    public let relayName: Bytes32
    /// The file.
    public let path: String

    private let queue: DatabaseQueue

    /// Tells our files from others, in SQLite's header: "SnRy".
    static let applicationID: Int32 = 0x536E_5279
    private static let formatVersion = 1

    /// The file's name in the data directory.
    public static let fileName = "relay.sqlite"

    /// Whether a directory has such a file.
    public static func isPresent(in directory: String) -> Bool {
        FileManager.default.fileExists(atPath: directory + "/" + fileName)
    }

    /// Opens the file in `directory`.
    /// - Throws: `inUse`, `notRelayStorage`, `newerFormat`, `damagedFile`, `failed`.
    ///   If the file is refused, its contents were not touched.
    /// - Complexity: O(size of the file), for SQLite's quick check.
    public init(directory: String) throws(StorageError) {
        path = directory + "/" + SQLiteStorage.fileName
        let file = SQLiteFile(
            path: path,
            applicationID: SQLiteStorage.applicationID,
            formatVersion: SQLiteStorage.formatVersion
        )
        queue = try file.open()
        let names: [Data]
        do {
            names = try queue.writeWithoutTransaction { db in
                try Data.fetchAll(db, sql: "SELECT name FROM relay")
            }
        } catch {
            throw StorageError(error, path: path)
        }
        guard names.count == 1, let name = Bytes32(names[0]) else {
            throw .damagedFile(path: path, reason: "the relay's name is missing")
        }
        relayName = name
    }

    /// Lets go of the file.
    public func close() throws(StorageError) {
        do { try queue.close() } catch { throw StorageError(error, path: path) }
    }

    /// Every space, in ascending order.
    public func spaces() throws(StorageError) -> [SpaceID] {
        try perform { db in
            let statement = try db.cachedStatement(sql: "SELECT space FROM space ORDER BY space")
            return try Data.fetchAll(statement).map { try self.identifier($0) }
        }
    }

    /// How many spaces there are.
    public func spaceCount() throws(StorageError) -> Int {
        try perform { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM space") ?? 0 }
    }

    /// A space's record; `nil` if the relay doesn't know the space.
    public func space(_ space: SpaceID) throws(StorageError) -> SpaceRecord? {
        try perform { db in
            let statement = try db.cachedStatement(
                sql: "SELECT genesis, access FROM space WHERE space = ?"
            )
            guard let row = try Row.fetchOne(statement, arguments: [space.data]) else { return nil }
            var record = try self.spaceRecord(row, of: space)
            let admissions = try db.cachedStatement(
                sql: "SELECT device, invite FROM admission WHERE space = ?"
            )
            for row in try Row.fetchAll(admissions, arguments: [space.data]) {
                let device: DeviceKey = try self.identifier(row[0])
                record.admissions[device] = try self.identifier(row[1]) as DeviceKey
            }
            return record
        }
    }

    /// Every log of a space with its last head, in ascending order of log id.
    public func logs(of space: SpaceID) throws(StorageError) -> [LogRecord] {
        try perform { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT device, incarnation,
                        (SELECT head FROM batch WHERE batch.log = log.id ORDER BY end DESC LIMIT 1)
                    FROM log WHERE space = ? ORDER BY log
                    """
            )
            return try Row.fetchAll(statement, arguments: [space.data]).map { row in
                try self.logRecord(row, of: space)
            }
        }
    }

    /// How many logs a space has.
    public func logCount(of space: SpaceID) throws(StorageError) -> Int {
        try perform { db in
            let statement = try db.cachedStatement(
                sql: "SELECT count(*) FROM log WHERE space = ?"
            )
            return try Int.fetchOne(statement, arguments: [space.data]) ?? 0
        }
    }

    /// One log with its last head.
    public func log(_ log: LogID) throws(StorageError) -> LogRecord? {
        try perform { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT device, incarnation,
                        (SELECT head FROM batch WHERE batch.log = log.id ORDER BY end DESC LIMIT 1),
                        space
                    FROM log WHERE log = ?
                    """
            )
            guard let row = try Row.fetchOne(statement, arguments: [log.data]) else { return nil }
            let record = try self.logRecord(row, of: try self.identifier(row[3]))
            guard record.descriptor.logID(in: record.space) == log else {
                throw StorageError.damagedLog(
                    log: log,
                    offset: .zero,
                    reason: "its author isn't the one it is named for"
                )
            }
            return record
        }
    }

    /// The stored head that ends at `end`.
    public func head(of log: LogID, endingAt end: Offset) throws(StorageError) -> Head? {
        try perform { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT head FROM batch
                    WHERE log = (SELECT id FROM log WHERE log = ?) AND end = ?
                    """
            )
            let data = try Data.fetchOne(statement, arguments: [log.data, Int64(end.value)])
            return try data.map { try Head(row: Array($0), of: log, at: end) }
        }
    }

    /// The batches that hold `from` and what follows, within bounds.
    public func batches(
        of log: LogID,
        from: Offset,
        maximumCount: Int,
        maximumByteCount: Int
    ) throws(StorageError) -> [Batch] {
        try perform { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT first, end, entries, head FROM batch
                    WHERE log = (SELECT id FROM log WHERE log = ?) AND end > ? ORDER BY end
                    """
            )
            let rows = try Row.fetchCursor(
                statement,
                arguments: [log.data, Int64(from.value)]
            )
            var found = BoundedBatches(from, maximumCount, maximumByteCount)
            while !found.isFull, let row = try rows.next() {
                found.add(try self.batch(row, of: log))
            }
            return found.batches
        }
    }

    private func perform<Value>(
        _ body: (Database) throws -> Value
    ) throws(StorageError) -> Value {
        do {
            return try queue.writeWithoutTransaction(body)
        } catch {
            throw StorageError(error, path: path)
        }
    }
}
