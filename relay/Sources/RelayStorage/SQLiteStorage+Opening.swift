import Foundation
import GRDB
import SennitWire

// Opening: lock first, look second.

extension SQLiteStorage {
    /// Tells our files from others, in SQLite's header: "SnRy".
    static let applicationID: Int32 = 0x536E_5279

    private static let formatVersion = 1

    /// Takes the lock, then sees whether the file is ours, then sets the journal.
    static func prepare(_ db: Database, path: String) throws {
        try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        let id = try Int32.fetchOne(db, sql: "PRAGMA application_id")
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard id == applicationID else {
            throw StorageError.notRelayStorage(path: path)
        }
        guard version <= formatVersion else {
            throw StorageError.newerFormat(path: path, version: version)
        }
        try db.execute(
            sql: """
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA cache_size = -32768;
                """
        )
    }

    /// Checks the file.
    /// - Returns: the relay's name.
    static func setUp(_ db: Database, path: String) throws -> Bytes32 {
        let journal = try String.fetchOne(db, sql: "PRAGMA journal_mode")
        let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous")
        let locking = try String.fetchOne(db, sql: "PRAGMA locking_mode")
        guard journal == "wal", synchronous == 2, locking == "exclusive" else {
            throw StorageError.failed(path: path, reason: "SQLite doesn't keep its journal safely")
        }
        let findings = try String.fetchAll(db, sql: "PRAGMA quick_check(1)")
        guard findings == ["ok"] else {
            throw StorageError.damagedFile(path: path, reason: findings.first ?? "no answer")
        }
        let names = try Data.fetchAll(db, sql: "SELECT name FROM relay")
        guard names.count == 1, let name = Bytes32(names[0]) else {
            throw StorageError.damagedFile(path: path, reason: "the relay's name is missing")
        }
        return name
    }
}

extension StorageError {
    /// What an error of SQLite or of ours means for the file at `path`.
    init(_ error: any Error, path: String) {
        if let error = error as? StorageError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self = .failed(path: path, reason: "\(error)")
            return
        }
        let reason = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .inUse(path: path)
        case .SQLITE_NOTADB: self = .notRelayStorage(path: path)
        case .SQLITE_CORRUPT: self = .damagedFile(path: path, reason: reason)
        default: self = .failed(path: path, reason: reason)
        }
    }
}
