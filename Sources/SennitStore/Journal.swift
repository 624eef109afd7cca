import Foundation
import GRDB
public import SennitSeal
import SennitWire
import Synchronization

// The truth of a profile: one SQLite file, one connection, one process.
//
// Two connections on one WAL file can lose a committed transaction in SQLite before 3.51.3 (the
// WAL-reset race). `locking_mode=EXCLUSIVE`, set before `journal_mode=WAL`, excludes a second
// connection by construction: "if the locking mode is EXCLUSIVE when first entering WAL, [...] no
// shared-memory is needed" (https://www.sqlite.org/wal.html, section 9). `synchronous=FULL` makes
// the return of a commit mean that it is on the disk. GRDB sets NORMAL itself when it is asked for
// a WAL, so both are set by hand here, and read back.

/// The journal of a profile. Every call blocks until SQLite is done; calls from several threads
/// take turns.
public final class Journal: Sendable {
    // A class: it stands for one open file.

    let queue: DatabaseQueue
    /// Where the file lies.
    public let path: String
    /// Numbers of identifiers that are committed. Rows are never removed, so it can't be wrong,
    /// only incomplete.
    let numbers = Mutex<[Bytes32: Int64]>([:])
    /// What the secrets are sealed with, if the profile has a passphrase.
    let profileKey = Mutex<SecretBytes?>(nil)

    /// Opens the journal at `path`, or makes it from `new`.
    ///
    /// The file is made under another name and gets its own when it is complete, so an empty or
    /// half-made journal is never taken for a new one.
    /// - Throws: `notOurs`, `newerVersion`, `corrupt`, `inUse`, `notPermitted`, `diskFull`, `io`,
    ///   `locked`, `wrongPassphrase`.
    init(
        path: String,
        new: NewProfile,
        passphrase: SecretBytes? = nil
    ) throws(StoreError) {
        self.path = path
        switch try DatabaseKind.journal.look(at: path) {
        case .ours: queue = try Journal.connect(path)
        case .nothing:
            try Journal.make(at: path, new)
            queue = try Journal.connect(path)
        }
        try unlock(passphrase)
        _ = try deviceSeed()
    }

    /// Lets go of the file. Later calls throw `closed`.
    /// - Throws: `io` if SQLite can't.
    public func close() throws(StoreError) {
        do {
            try queue.close()
        } catch {
            throw StoreError(error, path: path)
        }
    }

    private static func connect(_ path: String) throws(StoreError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .immediateError
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA journal_size_limit = \(StoreLimits.journalSizeLimit)")
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try DatabaseKind.journal.migrate(queue)
            try checkSettings(queue, path)
            return queue
        } catch {
            throw StoreError(error, path: path)
        }
    }

    private static func checkSettings(_ queue: DatabaseQueue, _ path: String) throws {
        let wanted = ["locking_mode": "exclusive", "journal_mode": "wal", "synchronous": "2"]
        try queue.inDatabase { db in
            for (name, value) in wanted {
                let found = try DatabaseValue.fetchOne(db, sql: "PRAGMA \(name)")
                let text = found.flatMap { String.fromDatabaseValue($0) ?? "\($0)" }
                guard text == value else {
                    throw StoreError.io(path: path, reason: "\(name) could not be set to \(value)")
                }
            }
        }
    }

    private static func make(at path: String, _ new: NewProfile) throws(StoreError) {
        let draft = path + ".new"
        for suffix in ["", "-wal", "-shm", "-journal"] { try FileSystem.remove(draft + suffix) }
        try OpenFile.creating(draft).synchronise()
        let queue = try connect(draft)
        do {
            try queue.write { db in try ProfileRow(new).insert(db) }
            try queue.inDatabase { _ = try $0.checkpoint(.truncate) }
            try queue.close()
        } catch {
            throw StoreError(error, path: path)
        }
        try OpenFile.reading(draft).synchronise()
        try FileSystem.move(draft, to: path)
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try OpenFile.reading(directory.isEmpty ? "/" : directory).synchronise()
    }
}

extension Journal {
    /// The 32 bytes from which all keys of this device derive.
    /// - Throws: `corrupt`, `io`, `closed`.
    public func deviceSeed() throws(StoreError) -> SecretBytes {
        if let seed = try sealedDeviceSeed() { return seed }
        return SecretBytes(guarding: try profileRow().deviceSeed)
    }

    /// Whom the profile belongs to.
    public func person() throws(StoreError) -> PersonRecord { try profileRow().person }

    /// Renames or replaces the person.
    public func setPerson(_ person: PersonRecord) throws(StoreError) {
        let row = ProfileRow(deviceSeed: try profileRow().deviceSeed, person: person)
        try queue.writing(path) { db in try row.update(db) }
    }

    /// A setting that some part of Sennit kept under `key`; `nil` if there is none.
    public func setting(_ key: String) throws(StoreError) -> [UInt8]? {
        try queue.reading(path) { db in
            var value: [UInt8]?
            let sql = "SELECT value FROM settings WHERE key = ?"
            try db.forEachRow(sql, [key], path: path, place: .file) { value = try $0.bytes(0) }
            return value
        }
    }

    /// Keeps `value` under `key`; `nil` removes it.
    public func setSetting(_ key: String, to value: [UInt8]?) throws(StoreError) {
        try queue.writing(path) { db in
            guard let value else {
                return try db.execute(sql: "DELETE FROM settings WHERE key = ?", arguments: [key])
            }
            try db.execute(
                sql: "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)",
                arguments: [key, Data(value)]
            )
        }
    }

    /// Replaces the seed in the device's row.
    func rewriteSeed(_ seed: [UInt8], _ db: Database) throws {
        try ProfileRow(deviceSeed: seed, person: try readProfile(db).person).update(db)
    }

    private func profileRow() throws(StoreError) -> ProfileRow {
        try queue.reading(path) { db in try self.readProfile(db) }
    }

    fileprivate func readProfile(_ db: Database) throws -> ProfileRow {
        var found: ProfileRow?
        let sql = "SELECT device_seed, person, person_name, checksum FROM profile"
        try db.forEachRow(sql, path: path, place: .file) { found = try ProfileRow($0) }
        guard let found else {
            throw StoreError.corrupt(path: path, place: .file, reason: "the device is missing")
        }
        return found
    }

    /// Fails unless the device's row can be read.
    func verifyProfile(_ db: Database) throws { _ = try readProfile(db) }
}

/// The one row of the table `profile`.
private struct ProfileRow {
    let deviceSeed: [UInt8]
    let person: PersonRecord

    init(deviceSeed: [UInt8], person: PersonRecord) {
        self.deviceSeed = deviceSeed
        self.person = PersonRecord(id: person.id, name: person.name.untilNUL)
    }

    init(_ new: NewProfile) { self.init(deviceSeed: new.deviceSeed, person: new.person) }

    init(_ row: StoredRow) throws(StoreError) {
        deviceSeed = try row.bytes(0)
        guard let id = Bytes32(try row.bytes(1)) else { throw row.damage("no person") }
        person = PersonRecord(id: id, name: try row.text(2))
        guard deviceSeed.count == 32 else { throw row.damage("the device seed hasn't 32 bytes") }
        try row.check(checksum)
    }

    private var checksum: Int64 {
        RowChecksum.of(bytes: deviceSeed, person.id.bytes, Array(person.name.utf8))
    }

    private var arguments: StatementArguments {
        [Data(deviceSeed), Data(person.id.bytes), person.name, checksum]
    }

    func insert(_ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO profile (only, device_seed, person, person_name, checksum)
                VALUES (1, ?, ?, ?, ?)
                """,
            arguments: arguments
        )
    }

    func update(_ db: Database) throws {
        try db.execute(
            sql: "UPDATE profile SET device_seed = ?, person = ?, person_name = ?, checksum = ?",
            arguments: arguments
        )
    }
}
