#if PostgreSQL
import RelayStorage
import SennitWire

// What a walk over the logs doesn't see: whether the tables agree with each other. PostgreSQL
// itself sees whether its pages and indexes are whole (data checksums, pg_amcheck).
//
//     spaces    on the database that their ids name
//     logs      ends, bytes and heads of a row agree
//     batches   each is of a log, before its end, or waits for the janitor
//
// Each question is one statement, so it sees one moment, and other relays may go on.

extension PostgresStatement {
    /// log, how many at most → log, end, bytes, head, start, its bytes, its head
    fileprivate static let logRows = PostgresStatement(
        name: "log_rows",
        text: """
            SELECT log, end_offset, byte_count, head, start_offset, start_byte_count, start_head
            FROM logs WHERE log > $1::bytea ORDER BY log LIMIT $2::bigint
            """
    )

    /// how many at most → log, where it ends
    fileprivate static let overfullLogs = PostgresStatement(
        name: "overfull_logs",
        text: """
            SELECT l.log, l.end_offset FROM logs l WHERE EXISTS (
                SELECT 1 FROM batches b
                WHERE b.number = l.number AND b.end_offset > l.end_offset
            ) LIMIT $1::bigint
            """
    )

    /// → how many batches are of no log
    fileprivate static let strayBatches = PostgresStatement(
        name: "stray_batches",
        text: """
            SELECT count(*) FROM batches b
            WHERE NOT EXISTS (SELECT 1 FROM logs l WHERE l.number = b.number)
                AND NOT EXISTS (
                    SELECT 1 FROM discarded d
                    WHERE d.number = b.number AND b.end_offset <= d.below
                )
            """
    )
}

extension PostgresShard {
    private static let pageCount = 4096
    private static let maximumDamageCount: Int64 = 1000
    /// All batches are looked at, however many there are.
    private static let verifyingTimeout = Duration.seconds(3600)

    /// What is wrong between the rows.
    func rowDamages() throws(StorageError) -> [StorageError] {
        var damages: [StorageError] = []
        for space in try spaces() where !options.isHere(space) {
            damages.append(
                .damagedSpace(space: space, reason: "it lies on \(location), which isn't its place")
            )
        }
        var last = [UInt8]()
        while true {
            let rows = try verifying(.logRows, .bytes(last), .integer(Int64(Self.pageCount)))
            for row in 0..<rows.count {
                if let damage = try damage(rows, row) { damages.append(damage) }
            }
            guard rows.count == Self.pageCount, let next = rows.bytes(rows.count - 1, 0) else {
                break
            }
            last = next
        }
        let overfull = try verifying(.overfullLogs, .integer(Self.maximumDamageCount))
        for row in 0..<overfull.count {
            damages.append(
                .damagedLog(
                    log: try name(overfull, row, 0),
                    offset: Offset(UInt64(clamping: overfull.integer(row, 1) ?? 0)),
                    reason: "there are batches past its end"
                )
            )
        }
        let strays = try verifying(.strayBatches).integer(0, 0) ?? 0
        if strays > 0 {
            damages.append(
                .damagedFile(path: location, reason: "it has batches of no log: \(strays)")
            )
        }
        return damages
    }

    private func damage(
        _ rows: PostgresRows,
        _ row: Int
    ) throws(StorageError) -> StorageError? {
        let log: LogID = try name(rows, row, 0)
        let (end, start) = (rows.integer(row, 1) ?? -1, rows.integer(row, 4) ?? -1)
        let offset = Offset(UInt64(clamping: end))
        guard agree(rows, row, 1, of: log), agree(rows, row, 4, of: log), start <= end else {
            let reason = "its row doesn't agree with the heads in it"
            return .damagedLog(log: log, offset: offset, reason: reason)
        }
        return nil
    }

    /// Whether the offset, the bytes and the head that stand from `column` on say the same.
    private func agree(
        _ rows: PostgresRows,
        _ row: Int,
        _ column: Int,
        of log: LogID
    ) -> Bool {
        let (end, byteCount) = (rows.integer(row, column), rows.integer(row, column + 1))
        guard let bytes = rows.bytes(row, column + 2) else { return end == 0 && byteCount == 0 }
        guard let head = try? Head(row: bytes, of: log, at: nil) else { return false }
        return end.map(UInt64.init(clamping:)) == head.end.value
            && byteCount.map(UInt64.init(clamping:)) == head.byteCount
    }

    private func verifying(
        _ statement: PostgresStatement,
        _ parameters: PostgresParameter...
    ) throws(StorageError) -> PostgresRows {
        try read { connection throws(PostgresFailure) in
            try connection.run(statement, parameters, until: .after(Self.verifyingTimeout))
        }
    }
}
#endif
