import Foundation
import GRDB
import SennitSync
public import SennitWire

extension Journal {
    /// Bytes of the entries of a log before an offset, which a head over them signs.
    /// - Throws: `noSuchSpace`, `corrupt`, `io`, `closed`.
    /// - Complexity: O(entries before `end`), but reads none of their bytes.
    public func byteCount(
        of log: LogID,
        before end: Offset
    ) throws(StoreError) -> UInt64 {
        try queue.reading(path) { db in
            var sum: UInt64 = 0
            let sql = """
                SELECT coalesce(sum(length(bytes)), 0) FROM entries
                WHERE log = (SELECT number FROM identifiers WHERE id = ?) AND offset < ?
                """
            let arguments: StatementArguments = [Data(log.bytes), Int64(clamping: end.value)]
            try db.forEachRow(sql, arguments, path: path, place: .log(log)) { row in
                sum = try row.offset(0).value
            }
            return sum
        }
    }
}
