import Foundation
import GRDB

// Opening one of our SQLite files: lock first, look second, and only then touch anything.
//
//     lock              one process has the file, to the end of its life
//     application id    somebody else's file is left alone
//     version           a newer relay's file is left alone
//     journal           write-ahead, every commit synced; what a killed process left is brought in
//     quick check       O(size of the file)

/// A SQLite file that one process has at a time.
struct SQLiteFile {
    /// The file.
    let path: String
    /// Tells it from others, in SQLite's header.
    let applicationID: Int32
    /// What is read and written; a higher one is refused.
    let formatVersion: Int
    /// What makes the tables; `nil` if the file must be there.
    var schema: String?

    /// Opens the file, or makes it, for its owner alone.
    /// - Throws: `inUse`, `notRelayStorage`, `newerFormat`, `damagedFile`, `failed`. If the file is
    ///   refused, its contents were not touched.
    func open() throws(StorageError) -> DatabaseQueue {
        let isNew = !FileManager.default.fileExists(atPath: path)
        guard !isNew || schema != nil else { throw .notRelayStorage(path: path) }
        do {
            var configuration = Configuration()
            configuration.busyMode = .immediateError
            configuration.label = URL(fileURLWithPath: path).lastPathComponent
            configuration.prepareDatabase { db in try prepare(db, isNew: isNew) }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            if isNew {
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o600],
                    ofItemAtPath: path
                )
            }
            try queue.writeWithoutTransaction { db in try check(db) }
            return queue
        } catch {
            throw StorageError(error, path: path)
        }
    }

    private func prepare(_ db: Database, isNew: Bool) throws {
        try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        let id = try Int32.fetchOne(db, sql: "PRAGMA application_id")
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        // A crash while the file was made leaves it empty.
        let objects = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
        let isEmpty = isNew || (id == 0 && version == 0 && objects == 0)
        let made = isEmpty ? schema : nil
        guard made != nil || id == applicationID else {
            throw StorageError.notRelayStorage(path: path)
        }
        guard version <= formatVersion else {
            throw StorageError.newerFormat(path: path, version: version)
        }
        try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        guard let made else { return }
        try db.inTransaction {
            try db.execute(
                sql: """
                    PRAGMA application_id = \(applicationID);
                    PRAGMA user_version = \(formatVersion);
                    \(made)
                    """
            )
            return .commit
        }
    }

    private func check(_ db: Database) throws {
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
