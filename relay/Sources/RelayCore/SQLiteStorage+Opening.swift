import Foundation
import GRDB
import SennitWire

// Opening: lock first, look second, write last.

extension SQLiteStorage {
    /// Tells our files from others, in SQLite's header: "SnRy".
    static let applicationID: Int32 = 0x536E_5279

    private static let formatVersion = 1

    /// Pages of the write-ahead log, of 4096 bytes, at which it is copied into the file.
    private static let checkpointPageCount = 4000

    private static let schema = """
        CREATE TABLE relay (name BLOB NOT NULL);
        CREATE TABLE space (
            id INTEGER PRIMARY KEY, space BLOB NOT NULL UNIQUE,
            genesis BLOB NOT NULL, access BLOB);
        CREATE TABLE admission (
            space BLOB NOT NULL, device BLOB NOT NULL, invite BLOB NOT NULL,
            PRIMARY KEY (space, device)) WITHOUT ROWID;
        CREATE TABLE log (
            id INTEGER PRIMARY KEY, log BLOB NOT NULL UNIQUE, space BLOB NOT NULL,
            device BLOB NOT NULL, incarnation BLOB NOT NULL);
        CREATE INDEX logOfSpace ON log (space, log);
        CREATE TABLE batch (
            id INTEGER PRIMARY KEY, log INTEGER NOT NULL, first INTEGER NOT NULL,
            end INTEGER NOT NULL, entries BLOB NOT NULL, head BLOB NOT NULL);
        CREATE UNIQUE INDEX batchOfLog ON batch (log, end);
        """

    /// Makes directory and file, with narrow permissions, if there are none.
    ///
    /// The file is made complete under another name. So an empty file is never taken for a new one:
    /// it is one that lost its contents.
    static func prepareFile(_ path: String, in directory: String) throws(RelayError) {
        let files = FileManager.default
        if !files.fileExists(atPath: directory) {
            do {
                try files.createDirectory(
                    atPath: directory,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
            } catch {
                throw .directory(path: directory, reason: "it can't be made")
            }
        }
        if files.fileExists(atPath: path) { return }
        let newPath = path + ".new"
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard files.createFile(atPath: newPath, contents: nil, attributes: attributes) else {
            throw .directory(path: directory, reason: "no file can be made in it")
        }
        do {
            let queue = try DatabaseQueue(path: newPath)
            try queue.writeWithoutTransaction { db in try create(db) }
            try queue.close()
            try files.moveItem(atPath: newPath, toPath: path)
            try FileHandle(forReadingFrom: URL(fileURLWithPath: directory)).synchronize()
        } catch {
            throw RelayError(error, path: newPath)
        }
    }

    /// Takes the lock, then sees whether the file is ours, then sets the journal.
    static func prepare(_ db: Database, path: String) throws {
        try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        let id = try Int32.fetchOne(db, sql: "PRAGMA application_id")
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard id == applicationID else {
            throw RelayError.notRelayStorage(path: path)
        }
        guard version <= formatVersion else {
            throw RelayError.newerFormat(path: path, version: version)
        }
        try db.execute(
            sql: """
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA wal_autocheckpoint = \(checkpointPageCount);
                PRAGMA journal_size_limit = \(checkpointPageCount * 4096);
                PRAGMA cache_size = -32768;
                """
        )
    }

    /// Checks the file.
    /// - Returns: the relay's name.
    static func setUp(_ db: Database, path: String, maximumPageCount: Int?) throws -> Bytes32 {
        let journal = try String.fetchOne(db, sql: "PRAGMA journal_mode")
        let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous")
        let locking = try String.fetchOne(db, sql: "PRAGMA locking_mode")
        guard journal == "wal", synchronous == 2, locking == "exclusive" else {
            throw RelayError.storage(path: path, reason: "SQLite doesn't keep its journal safely")
        }
        let findings = try String.fetchAll(db, sql: "PRAGMA quick_check(1)")
        guard findings == ["ok"] else {
            throw RelayError.damagedFile(path: path, reason: findings.first ?? "no answer")
        }
        if let maximumPageCount {
            try db.execute(sql: "PRAGMA max_page_count = \(maximumPageCount)")
        }
        let names = try Data.fetchAll(db, sql: "SELECT name FROM relay")
        guard names.count == 1, let name = Bytes32(names[0]) else {
            throw RelayError.damagedFile(path: path, reason: "the relay's name is missing")
        }
        return name
    }

    private static func create(_ db: Database) throws {
        var random = SystemRandomNumberGenerator()
        let name = (0..<Bytes32.byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
        try db.inTransaction(.immediate) {
            try db.execute(sql: schema)
            try db.execute(
                sql: "INSERT INTO relay (name) VALUES (?)",
                arguments: [Data(name)]
            )
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(formatVersion)")
            return .commit
        }
    }
}

extension RelayError {
    /// What an error of SQLite or of ours means for the file at `path`.
    init(_ error: any Error, path: String) {
        if let error = error as? RelayError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self = .storage(path: path, reason: "\(error)")
            return
        }
        let reason = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .inUse(path: path)
        case .SQLITE_NOTADB: self = .notRelayStorage(path: path)
        case .SQLITE_CORRUPT: self = .damagedFile(path: path, reason: reason)
        default: self = .storage(path: path, reason: reason)
        }
    }
}
