// What an operator decided: tokens, quotas, frozen spaces, the allow-list. One small SQLite file
// beside the segments.
//
//     tokens     id, name, hash, created, expires, revoked, stopped, bytes, spaces
//     spaces     space, token (→ tokens.id), frozen, bytes, logs, entry, share, touched, doomed
//     allowed    kind, key
//
// A space has a row only once there is something to say about it. A token is there as its hash
// (`RelayToken`): 256 random bits can't be guessed from it, so the file gives away no token, and a
// slow hash would protect nothing. It is looked for by going through all of them, each compared in
// constant time.
//
// The file is locked by the process that has it open; what changes goes through the running relay.

import Foundation
import GRDB
import SennitWire

/// The operator's decisions on disk. Every call blocks; calls from several threads take turns.
public final class ControlStore: Sendable {
    // A class: it stands for one open file.

    /// The file's name in the data directory.
    public static let fileName = "control.sqlite"

    /// Tells our files from others, in SQLite's header: "SnRc".
    private static let applicationID: Int32 = 0x536E_5263
    private static let formatVersion = 1

    /// The file.
    public let path: String
    let queue: DatabaseQueue

    /// Whether a directory has such a file.
    public static func isPresent(in directory: String) -> Bool {
        FileManager.default.fileExists(atPath: directory + "/" + fileName)
    }

    /// Opens the file in a directory, or makes it.
    /// - Throws: `inUse`, `notRelayStorage`, `newerFormat`, `damagedFile`, `failed`. If the file is
    ///   refused, its contents were not touched.
    public init(directory: String) throws(StorageError) {
        let path = directory + "/" + ControlStore.fileName
        self.path = path
        let file = SQLiteFile(
            path: path,
            applicationID: ControlStore.applicationID,
            formatVersion: ControlStore.formatVersion,
            schema: ControlStore.schema
        )
        queue = try file.open()
    }

    /// Lets go of the file.
    public func close() throws(StorageError) {
        do { try queue.close() } catch { throw StorageError(error, path: path) }
    }

    /// Writes a copy of the file, as it is at one moment, to a directory without one.
    /// - Throws: `unfit` if there is one; `failed`.
    public func backup(to directory: String) throws(StorageError) {
        let target = directory + "/" + ControlStore.fileName
        guard !FileManager.default.fileExists(atPath: target) else {
            throw .unfit(reason: "\(target) is there already")
        }
        try perform { db in
            try db.execute(sql: "VACUUM INTO ?", arguments: [target])
        }
        do throws(FileFailure) {
            let file = try POSIXFile(target, flags: O_RDWR)
            try file.synchronize()
        } catch {
            throw StorageError(error)
        }
    }

    func perform<Value>(_ body: (Database) throws -> Value) throws(StorageError) -> Value {
        do {
            return try queue.writeWithoutTransaction(body)
        } catch {
            throw StorageError(error, path: path)
        }
    }

    private static let schema =
        """
        CREATE TABLE tokens (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
            created INTEGER NOT NULL,
            expires INTEGER,
            revoked INTEGER,
            stopped INTEGER NOT NULL DEFAULT 0,
            bytes INTEGER,
            spaces INTEGER
        ) STRICT;
        CREATE TABLE spaces (
            space BLOB NOT NULL PRIMARY KEY CHECK (length(space) = 32),
            token INTEGER REFERENCES tokens (id),
            frozen INTEGER NOT NULL DEFAULT 0,
            bytes INTEGER,
            logs INTEGER,
            entry INTEGER,
            share REAL,
            touched INTEGER,
            doomed INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX spaces_by_token ON spaces (token) WHERE token IS NOT NULL;
        CREATE INDEX spaces_by_touch ON spaces (touched);
        CREATE TABLE allowed (
            kind INTEGER NOT NULL,
            key BLOB NOT NULL CHECK (length(key) = 32),
            PRIMARY KEY (kind, key)
        ) STRICT, WITHOUT ROWID;
        """
}
