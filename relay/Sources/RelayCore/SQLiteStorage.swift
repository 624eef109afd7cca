// A relay's storage in one SQLite file.
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
// Durability. The file is opened by one connection that holds it exclusively before the write-ahead
// log is turned on, so no shared-memory index exists and the races of several connections don't
// either. `synchronous=FULL` is read back: with NORMAL, commits are lost in a power cut.
// https://sqlite.org/wal.html#use_of_wal_without_shared_memory says "if the locking mode is
// EXCLUSIVE prior to the first WAL-mode database access, [...] SQLite never attempts to call any of
// the shared-memory methods and hence no shared-memory wal-index is ever created."
//
// A commit whose fsync fails is undone by SQLite and its frames are written again by the next one.

import Foundation
import GRDB
public import SennitWire

/// A relay's storage in one SQLite file. Confined to one thread at a time.
public final class SQLiteStorage: RelayStorage {
    /// The random name that the relay got when its storage was made.
    public let relayName: Bytes32
    /// The file.
    public let path: String

    private let queue: DatabaseQueue

    /// The file's name in the data directory.
    public static let fileName = "relay.sqlite"

    /// Opens the storage in `directory`, or makes it.
    /// - Parameters:
    ///   - directory: made with mode 0700 if it doesn't exist.
    ///   - maximumPageCount: the file's size at most, in pages of 4096 bytes; `nil` for no limit.
    /// - Throws: `directory`, `inUse`, `notRelayStorage`, `newerFormat`, `damagedFile`, `storage`.
    ///   If the file is refused, its contents were not touched.
    /// - Complexity: O(size of the file), for SQLite's quick check.
    public init(directory: String, maximumPageCount: Int? = nil) throws(RelayError) {
        path = directory + "/" + SQLiteStorage.fileName
        try SQLiteStorage.prepareFile(path, in: directory)
        do {
            let path = path
            var configuration = Configuration()
            configuration.busyMode = .immediateError
            configuration.label = "relay"
            configuration.prepareDatabase { db in
                try SQLiteStorage.prepare(db, path: path)
            }
            queue = try DatabaseQueue(path: path, configuration: configuration)
            relayName = try queue.writeWithoutTransaction { db in
                try SQLiteStorage.setUp(db, path: path, maximumPageCount: maximumPageCount)
            }
        } catch {
            throw RelayError(error, path: path)
        }
    }

    /// Lets go of the file.
    public func close() throws(RelayError) {
        do { try queue.close() } catch { throw RelayError(error, path: path) }
    }

    /// Every space, in ascending order.
    public func spaces() throws(RelayError) -> [SpaceID] {
        try perform { db in
            let statement = try db.cachedStatement(sql: "SELECT space FROM space ORDER BY space")
            return try Data.fetchAll(statement).map { try self.identifier($0) }
        }
    }

    /// How many spaces there are.
    public func spaceCount() throws(RelayError) -> Int {
        try perform { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM space") ?? 0 }
    }

    /// A space's record; `nil` if the relay doesn't know the space.
    public func space(_ space: SpaceID) throws(RelayError) -> SpaceRecord? {
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
    public func logs(of space: SpaceID) throws(RelayError) -> [LogRecord] {
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
    public func logCount(of space: SpaceID) throws(RelayError) -> Int {
        try perform { db in
            let statement = try db.cachedStatement(
                sql: "SELECT count(*) FROM log WHERE space = ?"
            )
            return try Int.fetchOne(statement, arguments: [space.data]) ?? 0
        }
    }

    /// One log with its last head.
    public func log(_ log: LogID) throws(RelayError) -> LogRecord? {
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
                throw RelayError.damagedLog(
                    log: log,
                    offset: .zero,
                    reason: "its author isn't the one it is named for"
                )
            }
            return record
        }
    }

    /// The stored head that ends at `end`.
    public func head(of log: LogID, endingAt end: Offset) throws(RelayError) -> Head? {
        try perform { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT head FROM batch
                    WHERE log = (SELECT id FROM log WHERE log = ?) AND end = ?
                    """
            )
            let data = try Data.fetchOne(statement, arguments: [log.data, Int64(end.value)])
            return try data.map { try self.head($0, of: log, at: end) }
        }
    }

    /// The batches that hold `from` and what follows, within bounds.
    public func batches(
        of log: LogID,
        from: Offset,
        maximumCount: Int,
        maximumByteCount: Int
    ) throws(RelayError) -> [Batch] {
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
            var batches: [Batch] = []
            var count = 0
            var byteCount = 0
            while let row = try rows.next() {
                let batch = try self.batch(row, of: log)
                let skipped = Int(max(from.value, batch.first.value) - batch.first.value)
                count += batch.entries.count - skipped
                byteCount += batch.entries.dropFirst(skipped).reduce(0) { $0 + $1.count }
                let fits = count <= maximumCount && byteCount <= maximumByteCount
                guard batches.isEmpty || fits else { break }
                batches.append(batch)
                guard fits else { break }
            }
            return batches
        }
    }

    /// Makes all changes durable, or none.
    public func commit(_ changes: [StorageChange]) throws(RelayError) {
        try perform { db in
            try db.inTransaction(.immediate) {
                for change in changes { try self.apply(change, to: db) }
                return .commit
            }
        }
    }

    private func perform<Value>(
        _ body: (Database) throws -> Value
    ) throws(RelayError) -> Value {
        do {
            return try queue.writeWithoutTransaction(body)
        } catch {
            throw RelayError(error, path: path)
        }
    }
}
