public import Foundation
import GRDB
public import SennitWire

extension ControlStore {
    private static let columns = """
        id, name, created, expires, revoked, stopped, bytes, spaces
        """

    /// Every token, in the order in which they were made.
    public func tokens() throws(StorageError) -> [TokenRecord] {
        try perform { db in
            try Row.fetchAll(db, sql: "SELECT \(ControlStore.columns) FROM tokens ORDER BY id")
                .map { try TokenRecord($0) }
        }
    }

    /// The token that hashes to `hash`, be it good or not.
    ///
    /// All are looked at, whichever it is.
    public func token(hash: Bytes32) throws(StorageError) -> TokenRecord? {
        try perform { db in
            var found: TokenRecord?
            let rows = try Row.fetchCursor(
                db,
                sql: "SELECT \(ControlStore.columns), hash FROM tokens"
            )
            while let row = try rows.next() {
                let known = Bytes32(row["hash"] as Data) ?? .zero
                let record = try TokenRecord(row)
                if known.equalsInConstantTime(hash) { found = record }
            }
            return found
        }
    }

    /// Keeps a new token's hash.
    /// - Throws: `unfit` if there is a token of that name.
    public func addToken(
        name: String,
        hash: Bytes32,
        created: Date,
        expires: Date?,
        quota: TokenQuota
    ) throws(StorageError) -> TokenRecord {
        try requireNoToken(name)
        return try perform { db in
            try db.execute(
                sql: """
                    INSERT INTO tokens (name, hash, created, expires, bytes, spaces)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    name, Data(hash.bytes), created.wholeSeconds, expires?.wholeSeconds,
                    quota.maximumByteCount.map { Int64(clamping: $0) }, quota.maximumSpaceCount,
                ]
            )
            let sql = "SELECT \(ControlStore.columns) FROM tokens WHERE id = ?"
            guard let row = try Row.fetchOne(db, sql: sql, arguments: [db.lastInsertedRowID]) else {
                throw StorageError.failed(path: self.path, reason: "what was written is gone")
            }
            return try TokenRecord(row)
        }
    }

    /// Keeps what may change of a token, and another hash if there is one.
    public func updateToken(_ token: TokenRecord, hash: Bytes32? = nil) throws(StorageError) {
        try perform { db in
            try db.execute(
                sql: """
                    UPDATE tokens SET expires = ?, revoked = ?, stopped = ?, bytes = ?, spaces = ?,
                        hash = coalesce(?, hash)
                    WHERE id = ?
                    """,
                arguments: [
                    token.expires?.wholeSeconds, token.revoked?.wholeSeconds,
                    token.isServingStopped,
                    token.quota.maximumByteCount.map { Int64(clamping: $0) },
                    token.quota.maximumSpaceCount, hash.map { Data($0.bytes) }, token.id,
                ]
            )
        }
    }

    private func requireNoToken(_ name: String) throws(StorageError) {
        guard try tokens().allSatisfy({ $0.name != name }) else {
            throw .unfit(reason: "there is a token \(name) already")
        }
    }
}

extension TokenRecord {
    init(_ row: Row) throws {
        id = row["id"]
        name = row["name"]
        created = Date(wholeSeconds: row["created"])
        expires = (row["expires"] as Int64?).map(Date.init(wholeSeconds:))
        revoked = (row["revoked"] as Int64?).map(Date.init(wholeSeconds:))
        isServingStopped = row["stopped"]
        quota = TokenQuota(
            maximumByteCount: (row["bytes"] as Int64?).map { UInt64(clamping: $0) },
            maximumSpaceCount: row["spaces"]
        )
    }
}

extension Date {
    /// Seconds since 1970, as the control file has times.
    init(wholeSeconds: Int64) { self.init(timeIntervalSince1970: TimeInterval(wholeSeconds)) }

    var wholeSeconds: Int64 { Int64(timeIntervalSince1970) }
}
