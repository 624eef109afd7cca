import Foundation
import GRDB
import SennitSeal
import SennitSync
import SennitWire
import Synchronization

/// Writes changes of replicas within one transaction. A statement is prepared once for the
/// connection and looked up once for a change.
struct JournalWriter {
    /// Numbers of identifiers, those of this transaction included.
    private(set) var numbers: [Bytes32: Int64]
    private let journal: Journal

    init(_ journal: Journal) {
        self.journal = journal
        numbers = journal.numbers.withLock { $0 }
    }

    /// Writes all of `change`.
    mutating func write(_ change: ReplicaChange, to space: Int64, _ db: Database) throws {
        if change.isRebuild {
            for table in ["applied", "operations", "documents", "chunks"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE space = ?", arguments: [space])
            }
        }
        if let dropped = change.dropped { try drop(dropped, from: space, db) }
        try write(change.entries, db)
        try write(change.applied, to: space, db)
        for (log, record) in change.logs { try write(record, of: log, to: space, db) }
        for key in change.epochs {
            try db.cachedStatement(
                sql: "INSERT OR IGNORE INTO epochs (space, id, secret) VALUES (?, ?, ?)"
            ).execute(arguments: [space, Data(key.id.bytes), Data(journal.kept(key))])
        }
        if let end = change.sealedBelow {
            try db.cachedStatement(sql: "DELETE FROM pending WHERE space = ? AND sequence < ?")
                .execute(arguments: [space, Int64(bitPattern: end)])
        }
        for pending in change.pending where pending.sequence >= change.sealedBelow ?? 0 {
            try write(pending, to: space, db)
        }
    }

    /// The number that stands for an identifier in this file.
    mutating func number(of id: some Identifier, _ db: Database) throws -> Int64 {
        if let number = numbers[id.value] { return number }
        let data = Data(id.bytes)
        let select = try db.cachedStatement(sql: "SELECT number FROM identifiers WHERE id = ?")
        let number: Int64
        if let found = try Int64.fetchOne(select, arguments: [data]) {
            number = found
        } else {
            try db.cachedStatement(sql: "INSERT INTO identifiers (id, checksum) VALUES (?, ?)")
                .execute(arguments: [data, RowChecksum.of(bytes: id.bytes)])
            number = db.lastInsertedRowID
        }
        numbers[id.value] = number
        return number
    }

    /// Removes the end of a log; its record is written anew if any of it is left.
    private mutating func drop(
        _ dropped: Position,
        from space: Int64,
        _ db: Database
    ) throws {
        let log = try number(of: dropped.log, db)
        try db.execute(
            sql: "DELETE FROM entries WHERE log = ? AND offset >= ?",
            arguments: [log, Int64(bitPattern: dropped.offset.value)]
        )
        try db.execute(
            sql: "DELETE FROM logs WHERE space = ? AND log = ?",
            arguments: [space, log]
        )
    }

    private mutating func write(_ entries: [StoredEntry], _ db: Database) throws {
        guard !entries.isEmpty else { return }
        let insert = try db.cachedStatement(
            sql: "INSERT INTO entries (log, offset, chain, bytes) VALUES (?, ?, ?, ?)"
        )
        for entry in entries {
            try insert.execute(arguments: [
                try number(of: entry.log, db), Int64(bitPattern: entry.offset.value),
                Data(entry.chain.bytes), Data(entry.bytes),
            ])
        }
    }

    private mutating func write(
        _ applied: [AppliedEntry],
        to space: Int64,
        _ db: Database
    ) throws {
        guard !applied.isEmpty else { return }
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO applied (\(AppliedRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        let insertOperations = try db.cachedStatement(
            sql: "INSERT INTO operations (\(OperationsRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        for entry in applied {
            let log = try number(of: entry.log, db)
            try insert.execute(arguments: AppliedRow(entry, log: log, space: space).arguments)
            for (ordinal, operations) in entry.operations.enumerated() {
                let row = OperationsRow(
                    space: space,
                    document: try number(of: operations.document, db),
                    position: entry.position,
                    ordinal: ordinal,
                    author: try number(of: operations.author, db),
                    bytes: operations.bytes
                )
                try insertOperations.execute(arguments: row.arguments)
            }
        }
    }

    private mutating func write(
        _ record: LogRecord,
        of log: LogID,
        to space: Int64,
        _ db: Database
    ) throws {
        let logNumber = try number(of: log, db)
        let row = try LogRow(record, log: logNumber, space: space) { try number(of: $0, db) }
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO logs (\(LogRow.columns))
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: row.arguments)
    }

    private mutating func write(
        _ pending: PendingOperations,
        to space: Int64,
        _ db: Database
    ) throws {
        let row = PendingRow(
            space: space,
            sequence: pending.sequence,
            document: try number(of: pending.operations.document, db),
            author: try number(of: pending.operations.author, db),
            bytes: pending.operations.bytes,
            life: pending.life
        )
        try db.cachedStatement(
            sql: "INSERT INTO pending (\(PendingRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: row.arguments)
    }
}
