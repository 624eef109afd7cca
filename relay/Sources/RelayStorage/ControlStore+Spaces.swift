public import Foundation
import GRDB
public import SennitWire

extension ControlStore {
    private static let columns = "token, frozen, bytes, logs, entry, share, touched, doomed"

    /// What is said about a space; `nil` if nothing is.
    public func terms(of space: SpaceID) throws(StorageError) -> SpaceTerms? {
        try perform { db in
            let statement = try db.cachedStatement(
                sql: "SELECT \(ControlStore.columns) FROM spaces WHERE space = ?"
            )
            return try Row.fetchOne(statement, arguments: [Data(space.bytes)])
                .map { SpaceTerms($0) }
        }
    }

    /// Says something about a space, instead of what was said before, be it stored here or not.
    public func setTerms(_ terms: SpaceTerms, of space: SpaceID) throws(StorageError) {
        try perform { db in
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO spaces
                        (space, token, frozen, bytes, logs, entry, share, touched, doomed)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    Data(space.bytes), terms.token, terms.isFrozen,
                    terms.quota.maximumByteCount.map { Int64(clamping: $0) },
                    terms.quota.maximumLogCount, terms.quota.maximumEntryByteCount,
                    terms.quota.maximumDeviceShare, terms.touched?.wholeSeconds,
                    terms.doomed?.wholeSeconds,
                ]
            )
        }
    }

    /// Forgets what was said about a space.
    public func removeTerms(of space: SpaceID) throws(StorageError) {
        try perform { db in
            let sql = "DELETE FROM spaces WHERE space = ?"
            try db.execute(sql: sql, arguments: [Data(space.bytes)])
        }
    }

    /// The spaces of a token, stored here or not.
    public func spaces(of token: Int64) throws(StorageError) -> [SpaceID] {
        try perform { db in
            let sql = "SELECT space FROM spaces WHERE token = ? ORDER BY space"
            return try Data.fetchAll(db, sql: sql, arguments: [token]).compactMap {
                Bytes32($0).map(SpaceID.init(value:))
            }
        }
    }

    /// Notes that devices were in these spaces, and that nothing is to be deleted of them.
    public func touch(_ spaces: some Collection<SpaceID>, at now: Date) throws(StorageError) {
        guard !spaces.isEmpty else { return }
        try perform { db in
            try db.inTransaction {
                let statement = try db.cachedStatement(
                    sql: """
                        INSERT INTO spaces (space, touched) VALUES (?1, ?2)
                        ON CONFLICT (space) DO UPDATE SET touched = ?2, doomed = NULL
                        """
                )
                for space in spaces {
                    try statement.execute(arguments: [Data(space.bytes), now.wholeSeconds])
                }
                return .commit
            }
        }
    }

    /// Spaces in which no device was since `date`, as far as somebody looked.
    public func spaces(untouchedSince date: Date) throws(StorageError) -> [SpaceID: SpaceTerms] {
        try perform { db in
            let sql = "SELECT space, \(ControlStore.columns) FROM spaces WHERE touched < ?"
            var found: [SpaceID: SpaceTerms] = [:]
            let rows = try Row.fetchCursor(db, sql: sql, arguments: [date.wholeSeconds])
            while let row = try rows.next() {
                guard let space = Bytes32(row["space"] as Data) else { continue }
                found[SpaceID(value: space)] = SpaceTerms(row)
            }
            return found
        }
    }

    // MARK: The allow-list

    /// Whether the allow-list names one of these.
    public func allows(_ names: [Allowed]) throws(StorageError) -> Bool {
        try perform { db in
            for name in names {
                let sql = "SELECT 1 FROM allowed WHERE kind = ? AND key = ?"
                if try Bool.fetchOne(db, sql: sql, arguments: [name.kind, name.key]) ?? false {
                    return true
                }
            }
            return false
        }
    }

    /// The allow-list, spaces first.
    public func allowed() throws(StorageError) -> [Allowed] {
        try perform { db in
            try Row.fetchAll(db, sql: "SELECT kind, key FROM allowed ORDER BY kind, key")
                .compactMap { row in
                    guard let key = Bytes32(row["key"] as Data) else { return nil }
                    return row["kind"] == Allowed.space(SpaceID(value: key)).kind
                        ? .space(SpaceID(value: key)) : .founder(DeviceKey(value: key))
                }
        }
    }

    /// Puts something on the allow-list or takes it off.
    public func setAllowed(_ name: Allowed, to isAllowed: Bool) throws(StorageError) {
        let sql =
            isAllowed
            ? "INSERT OR IGNORE INTO allowed (kind, key) VALUES (?, ?)"
            : "DELETE FROM allowed WHERE kind = ? AND key = ?"
        try perform { db in try db.execute(sql: sql, arguments: [name.kind, name.key]) }
    }
}

extension Allowed {
    fileprivate var kind: Int {
        switch self {
        case .space: 1
        case .founder: 2
        }
    }

    fileprivate var key: Data {
        switch self {
        case .space(let space): Data(space.bytes)
        case .founder(let device): Data(device.bytes)
        }
    }
}

extension SpaceTerms {
    fileprivate init(_ row: Row) {
        self.init()
        token = row["token"]
        isFrozen = row["frozen"]
        quota.maximumByteCount = (row["bytes"] as Int64?).map { UInt64(clamping: $0) }
        quota.maximumLogCount = row["logs"]
        quota.maximumEntryByteCount = row["entry"]
        quota.maximumDeviceShare = row["share"]
        touched = (row["touched"] as Int64?).map(Date.init(wholeSeconds:))
        doomed = (row["doomed"] as Int64?).map(Date.init(wholeSeconds:))
    }
}
