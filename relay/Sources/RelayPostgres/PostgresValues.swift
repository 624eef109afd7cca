#if PostgreSQL
// What goes to the server and what comes back, in PostgreSQL's binary form: numbers are
// big-endian; an array is
//
//     dimensions 4 (1)  has nulls 4 (0)  element type 4  count 4  lower bound 4 (1)
//     then for each element: length 4, bytes

/// A statement that a connection plans once.
struct PostgresStatement: Hashable, Sendable {
    let name: String
    let text: String
}

/// A statement with its values.
struct PostgresCall: Sendable {
    let statement: PostgresStatement
    var parameters: [PostgresParameter] = []
}

/// A value for a statement.
enum PostgresParameter: Sendable {
    case bytes([UInt8])
    case integer(Int64)
    case text(String)
    case byteStrings([[UInt8]])
    case integers([Int64])

    private static let byteStringType: Int32 = 17
    private static let integerType: Int32 = 20

    func append(to bytes: inout [UInt8]) {
        switch self {
        case .bytes(let value): bytes += value
        case .integer(let value): bytes.append(bigEndian: value)
        case .text(let value): bytes += value.utf8
        case .byteStrings(let values):
            bytes.appendArrayHeader(of: Self.byteStringType, count: values.count)
            bytes.reserveCapacity(bytes.count + values.reduce(0) { $0 + $1.count + 4 })
            for value in values {
                bytes.append(bigEndian: Int32(clamping: value.count))
                bytes += value
            }
        case .integers(let values):
            bytes.appendArrayHeader(of: Self.integerType, count: values.count)
            for value in values {
                bytes.append(bigEndian: 8 as Int32)
                bytes.append(bigEndian: value)
            }
        }
    }
}

/// What a statement gave.
struct PostgresRows: Sendable {
    var count = 0
    var width = 0
    /// Row by row.
    var values: [[UInt8]?] = []
    /// The command and how many rows it was about, as "UPDATE 3".
    var command = ""

    /// The bytes at a place; `nil` for NULL, and where there is nothing.
    func bytes(_ row: Int, _ column: Int) -> [UInt8]? {
        guard row < count, column < width else { return nil }
        return values[row * width + column]
    }

    /// The number of 4 or 8 bytes at a place; `nil` if there is none.
    func integer(_ row: Int, _ column: Int) -> Int64? {
        guard let bytes = bytes(row, column) else { return nil }
        switch bytes.count {
        case 8: return Int64(bitPattern: bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
        case 4:
            return Int64(Int32(bitPattern: bytes.reduce(0 as UInt32) { $0 << 8 | UInt32($1) }))
        default: return nil
        }
    }

    /// The text at a place.
    func text(_ row: Int, _ column: Int) -> String? {
        bytes(row, column).map { String(decoding: $0, as: UTF8.self) }
    }

    /// How many rows the command changed.
    var changedCount: Int {
        command.split(separator: " ").last.flatMap { Int($0) } ?? 0
    }
}

extension [UInt8] {
    mutating func append<Value: FixedWidthInteger>(bigEndian value: Value) {
        for shift in stride(from: Value.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> Value(shift)))
        }
    }

    fileprivate mutating func appendArrayHeader(of type: Int32, count: Int) {
        for field in [1, 0, type, Int32(clamping: count), 1] { append(bigEndian: field) }
    }
}
#endif
