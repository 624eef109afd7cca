import Foundation
import GRDB
import SennitWire

/// One row as the file gave it back, read without trust: a column of another type, a number out of
/// range or bytes of another length is an error with a place, never a trap.
struct StoredRow {
    private let row: Row
    private let path: String
    /// Where the row lies, for the error.
    let place: StoreError.Place

    init(_ row: Row, path: String, place: StoreError.Place) {
        self.row = row
        self.path = path
        self.place = place
    }

    /// The same row with a better name for its place.
    func at(_ place: StoreError.Place) -> StoredRow {
        StoredRow(row, path: path, place: place)
    }

    /// A number.
    func number(_ column: Int) throws(StoreError) -> Int64 {
        guard case .int64(let value) = storage(column) else { throw damage("no number", column) }
        return value
    }

    /// A number that is not negative.
    func count(_ column: Int) throws(StoreError) -> UInt64 {
        guard let value = UInt64(exactly: try number(column)) else {
            throw damage("a negative number", column)
        }
        return value
    }

    /// A number up to `Limits.maximumOffset`.
    func offset(_ column: Int) throws(StoreError) -> Offset {
        let value = try count(column)
        guard value <= Limits.maximumOffset else { throw damage("a number over 2^53", column) }
        return Offset(value)
    }

    /// Bytes.
    func bytes(_ column: Int) throws(StoreError) -> [UInt8] {
        guard let bytes = try optionalBytes(column) else { throw damage("nothing", column) }
        return bytes
    }

    /// Bytes, or `nil` where the column has nothing.
    func optionalBytes(_ column: Int) throws(StoreError) -> [UInt8]? {
        switch storage(column) {
        case .null: return nil
        case .blob(let data): return [UInt8](data)
        default: throw damage("no bytes", column)
        }
    }

    /// Whether the column has nothing.
    func isNull(_ column: Int) -> Bool { storage(column) == .null }

    /// A text.
    func text(_ column: Int) throws(StoreError) -> String {
        guard case .string(let text) = storage(column) else { throw damage("no text", column) }
        return text
    }

    /// A name of 32 bytes.
    func identifier<Name: Identifier>(_ column: Int) throws(StoreError) -> Name {
        guard let name = Name(try bytes(column)) else {
            throw damage("a name that hasn't 32 bytes", column)
        }
        return name
    }

    /// A name in hexadecimal digits.
    func hex<Name: Identifier>(_ column: Int) throws(StoreError) -> Name {
        guard let name = Name(hex: try text(column)) else {
            throw damage("no name of 64 digits", column)
        }
        return name
    }

    /// Fails unless the last column holds the checksum `sum` of the others.
    func check(_ sum: Int64) throws(StoreError) {
        guard try number(row.count - 1) == sum else {
            throw .corrupt(path: path, place: place, reason: "its checksum is wrong")
        }
    }

    /// The error that this row deserves.
    func damage(_ reason: String) -> StoreError {
        .corrupt(path: path, place: place, reason: reason)
    }

    private func damage(_ reason: String, _ column: Int) -> StoreError {
        damage("column \(column) holds \(reason)")
    }

    private func storage(_ column: Int) -> DatabaseValue.Storage {
        (row[column] as DatabaseValue).storage
    }
}

extension Database {
    /// Calls `body` with each row of a query, in order.
    func forEachRow(
        _ sql: String,
        _ arguments: StatementArguments = StatementArguments(),
        path: String,
        place: StoreError.Place,
        _ body: (StoredRow) throws -> Void
    ) throws {
        let rows = try Row.fetchCursor(try cachedStatement(sql: sql), arguments: arguments)
        while let row = try rows.next() {
            try body(StoredRow(row, path: path, place: place))
        }
    }
}
