import Foundation
import GRDB
import SennitSync
import SennitWire

/// The record of one log. Logs within its table and context are written as this file's numbers:
///
///     log_table = (number:varint)*           in the order of naming
///     context   = (number:varint end:varint)*  ascending by log
///     head      = SPEC.md section 4, 177 bytes
struct LogRow {
    static let columns = """
        space, log, device, incarnation, end, applied, byte_count, next_event, log_table, context,
        head, checksum
        """

    let space: Int64
    let log: Int64
    let record: LogRecord
    private let table: [UInt8]
    private let context: [UInt8]

    /// `number` gives the number of a log.
    init(
        _ record: LogRecord,
        log: Int64,
        space: Int64,
        number: (LogID) throws -> Int64
    ) throws {
        self.space = space
        self.log = log
        self.record = record
        var table = ByteWriter()
        for name in record.table.names { table.writeVarint(UInt64(bitPattern: try number(name))) }
        self.table = table.bytes
        var context = ByteWriter()
        for (log, end) in record.context.sorted {
            context.writeVarint(UInt64(bitPattern: try number(log)))
            context.writeVarint(end.value)
        }
        self.context = context.bytes
    }

    /// `name` gives the log of a number.
    init(_ row: StoredRow, name: (UInt64) throws(StoreError) -> LogID) throws(StoreError) {
        space = try row.number(0)
        log = try row.number(1)
        guard let incarnation = Incarnation(try row.bytes(3)) else {
            throw row.damage("the incarnation hasn't 16 bytes")
        }
        table = try row.bytes(8)
        context = try row.bytes(9)
        record = LogRecord(
            descriptor: LogDescriptor(device: try row.identifier(2), incarnation: incarnation),
            end: try row.offset(4),
            applied: try row.offset(5),
            byteCount: try row.count(6),
            nextEvent: try row.offset(7).value,
            table: try LogRow.table(table, row, name),
            context: try LogRow.context(context, row, name),
            head: try LogRow.head(try row.optionalBytes(10), row)
        )
        try row.check(checksum)
        guard record.applied <= record.end else {
            throw row.damage("more entries are applied than stored")
        }
    }

    private static func table(
        _ bytes: [UInt8],
        _ row: StoredRow,
        _ name: (UInt64) throws(StoreError) -> LogID
    ) throws(StoreError) -> LogTable {
        var names: [LogID] = []
        try decode(bytes, row) { reader throws(WireError) in
            try reader.readVarint()
        } each: {
            number throws(StoreError) in
            names.append(try name(number))
        }
        guard names.count <= Limits.maximumLogCount, Set(names).count == names.count else {
            throw row.damage("the table of logs is impossible")
        }
        return LogTable(names: names)
    }

    private static func context(
        _ bytes: [UInt8],
        _ row: StoredRow,
        _ name: (UInt64) throws(StoreError) -> LogID
    ) throws(StoreError) -> Version {
        var version = Version()
        try decode(bytes, row) { reader throws(WireError) in
            (try reader.readVarint(), try reader.readVarint())
        } each: { pair throws(StoreError) in
            guard pair.1 <= Limits.maximumOffset else { throw row.damage("an offset over 2^53") }
            version[try name(pair.0)] = Offset(pair.1)
        }
        return version
    }

    private static func head(_ bytes: [UInt8]?, _ row: StoredRow) throws(StoreError) -> Head? {
        guard let bytes else { return nil }
        var reader = ByteReader(bytes)
        do {
            let head = try Head(from: &reader)
            try reader.finish()
            return head
        } catch {
            throw row.damage("the head doesn't decode: \(error)")
        }
    }

    private static func decode<Item>(
        _ bytes: [UInt8],
        _ row: StoredRow,
        _ read: (inout ByteReader) throws(WireError) -> Item,
        each: (Item) throws(StoreError) -> Void
    ) throws(StoreError) {
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
            let item: Item
            do {
                item = try read(&reader)
            } catch {
                throw row.damage("a list of logs doesn't decode: \(error)")
            }
            try each(item)
        }
    }

    private var head: [UInt8]? {
        guard let head = record.head else { return nil }
        var writer = ByteWriter(capacity: Head.byteCount)
        head.write(to: &writer)
        return writer.bytes
    }

    private var checksum: Int64 {
        RowChecksum.of(
            space,
            log,
            Int64(bitPattern: record.end.value),
            Int64(bitPattern: record.applied.value),
            Int64(bitPattern: record.byteCount),
            Int64(bitPattern: record.nextEvent),
            record.head == nil ? 0 : 1,
            bytes: record.descriptor.device.bytes,
            record.descriptor.incarnation.bytes,
            table,
            context,
            head ?? []
        )
    }

    var arguments: StatementArguments {
        [
            space, log, Data(record.descriptor.device.bytes),
            Data(record.descriptor.incarnation.bytes), Int64(bitPattern: record.end.value),
            Int64(bitPattern: record.applied.value), Int64(bitPattern: record.byteCount),
            Int64(bitPattern: record.nextEvent), Data(table), Data(context),
            head.map { Data($0) }, checksum,
        ]
    }
}
