import GRDB
import SennitWire

// What both files share: looking at one before SQLite does, opening it, migrating it, and turning
// SQLite's errors into ours.
//
// The first 100 bytes of a database tell all that decides whether it may be touched
// (https://www.sqlite.org/fileformat.html, section 1.3): 16 bytes "SQLite format 3\0", the user
// version at offset 60 and the application id at offset 68, both big-endian. They are read without
// SQLite, because opening a file of a newer version could already change it.

/// A kind of database file: what marks it and how it came to its shape.
struct DatabaseKind {
    /// Marks the file as ours, and of this kind.
    let applicationID: Int
    /// The SQL that leads from each version of the schema to the next. The version is their count.
    let steps: [String]

    /// The version of the schema that this code reads and writes.
    var version: Int { steps.count }

    /// What the start of a file says about it.
    enum Look: Hashable {
        case nothing
        case ours(version: Int)
    }

    /// Looks at a file and changes nothing.
    /// - Throws: `notOurs`, `newerVersion`, `corrupt` for a beginning that is cut off, and what the
    ///   system throws.
    func look(at path: String) throws(StoreError) -> Look {
        switch try FileKind(of: path) {
        case .nothing: return .nothing
        case .directory, .other: throw .notOurs(path: path)
        case .file: break
        }
        let header = try OpenFile.reading(path).read(100)
        let magic = Array("SQLite format 3\0".utf8)
        guard header.starts(with: magic) || magic.starts(with: header) else {
            throw .notOurs(path: path)
        }
        guard header.count == 100 else {
            throw .corrupt(path: path, place: .file, reason: "it is cut off in its first 100 bytes")
        }
        guard number(in: header, at: 68) == applicationID else { throw .notOurs(path: path) }
        let found = number(in: header, at: 60)
        guard found <= version else {
            throw .newerVersion(path: path, found: found, known: version)
        }
        guard found > 0 else {
            throw .corrupt(path: path, place: .file, reason: "it has no version")
        }
        return .ours(version: found)
    }

    private func number(in header: [UInt8], at byteOffset: Int) -> Int {
        header[byteOffset..<(byteOffset + 4)].reduce(0) { $0 << 8 | Int($1) }
    }

    /// Brings the schema to this version, one transaction for each step: after an interruption the
    /// file has the version before or after a step, never half of one.
    func migrate(_ queue: DatabaseQueue) throws {
        let found = try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
        guard found < version else { return }
        for (index, step) in steps.enumerated().dropFirst(found) {
            try queue.write { db in
                try db.execute(sql: step)
                try db.execute(sql: "PRAGMA application_id = \(applicationID)")
                try db.execute(sql: "PRAGMA user_version = \(index + 1)")
            }
        }
        // Then the version stands in the file itself and not only in its write-ahead log.
        try queue.inDatabase { _ = try $0.checkpoint(.truncate) }
    }
}

extension StoreError {
    /// What SQLite or GRDB threw, as one of ours.
    init(_ error: any Error, path: String) {
        if let error = error as? StoreError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self = .io(path: path, reason: String(describing: error))
            return
        }
        // The message is SQLite's own. The SQL and its arguments are left out: they hold content.
        let reason = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        self =
            switch error.resultCode {
            case .SQLITE_FULL: .diskFull(path: path)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_MISMATCH, .SQLITE_ERROR:
                .corrupt(path: path, place: .file, reason: reason)
            case .SQLITE_BUSY, .SQLITE_LOCKED: .inUse(path: path, process: nil, command: nil)
            case .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH, .SQLITE_CANTOPEN:
                .notPermitted(path: path)
            case .SQLITE_CONSTRAINT, .SQLITE_TOOBIG: .contradiction(path: path, reason: reason)
            case .SQLITE_MISUSE: .closed(path: path)
            default: .io(path: path, reason: reason)
            }
    }
}

extension DatabaseQueue {
    /// Runs `body` in one transaction, which is on disk when this returns, or undone when it
    /// throws.
    func writing<Value>(
        _ path: String,
        _ body: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        do {
            return try write(body)
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// Runs `body`, which sees one state of the file throughout.
    func reading<Value>(
        _ path: String,
        _ body: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        do {
            return try read(body)
        } catch {
            throw StoreError(error, path: path)
        }
    }
}
