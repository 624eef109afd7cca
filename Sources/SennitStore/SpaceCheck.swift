import GRDB
import SennitDocument
import SennitSeal
import SennitSync
import SennitWire

/// The check of one space within one read transaction.
struct SpaceCheck {
    let reader: JournalReader
    let record: SpaceRecord
    var report: CheckReport
    var counts: CheckReport.SpaceCounts

    init(reader: JournalReader, record: SpaceRecord, report: CheckReport) {
        self.reader = reader
        self.record = record
        self.report = report
        counts = CheckReport.SpaceCounts(space: record.id)
    }

    /// Checks everything, and gives the documents of a replay if all operations could be replayed.
    mutating func run() throws -> ReplayedSpace? {
        defer { report.spaces.append(counts) }
        var logs: [LogID: LogRow] = [:]
        try report.collect(.row) { [reader] report in logs = try reader.logs(&report) }
        for log in logs.keys.sorted() {
            guard let row = logs[log] else { continue }
            try checkEntries(of: log, row)
            try checkApplied(of: log, row)
        }
        try checkOrphans()
        try checkChunks()
        try checkPositions()
        try report.collect(.row) { [reader] _ in _ = try reader.epochs() }
        var pending: [PendingOperations] = []
        try report.collect(.row) { [reader] _ in pending = try reader.pending() }
        counts.logs = logs.count
        counts.pending = pending.count
        return try checkDocuments(pending)
    }

    private mutating func checkEntries(of log: LogID, _ row: LogRow) throws {
        let record = row.record
        var chain = record.descriptor.chainStart(in: reader.space)
        var expected = Offset.zero
        var byteCount: UInt64 = 0
        let sql = "SELECT offset, chain, bytes FROM entries WHERE log = ? ORDER BY offset"
        try collectRows(.entry, sql, row.log, .log(log)) { stored, check in
            let offset = try stored.offset(0)
            let stored = stored.at(.entry(log, offset))
            if offset != expected {
                let reason = "offsets \(expected) up to it are missing"
                check.report.add(.entry, .entry(log, offset), reason)
            }
            let bytes = try stored.bytes(2)
            byteCount += UInt64(bytes.count)
            let entry = StoredEntry(
                log: log,
                offset: offset,
                bytes: bytes,
                chain: try stored.identifier(1)
            )
            defer {
                chain = entry.chain
                expected = offset.next
            }
            if offset == expected { try entry.verify(after: chain, check.reader.path) }
            do {
                _ = try Entry(decoding: bytes)
            } catch {
                throw stored.damage("it doesn't parse: \(error)")
            }
            if let head = record.head, head.end == offset.next {
                check.checkHead(head, log, record, entry.chain, byteCount)
            }
        }
        if expected != record.end {
            report.add(.entry, .entry(log, expected), "the log should end at \(record.end)")
        }
        if let head = record.head, head.end > expected {
            report.add(.head, .entry(log, head.end), "the entries end at \(expected)")
        }
        if byteCount != record.byteCount {
            let reason = "its entries have \(byteCount) bytes and should have \(record.byteCount)"
            report.add(.row, .log(log), reason)
        }
        counts.entries += expected.value
        counts.byteCount += byteCount
        counts.waiting += record.end.value - record.applied.value
    }

    private mutating func checkHead(
        _ head: Head,
        _ log: LogID,
        _ record: LogRecord,
        _ chain: ChainHash,
        _ byteCount: UInt64
    ) {
        let place = StoreError.Place.entry(log, head.end)
        if head.chain != chain {
            report.add(.head, place, "the chain there isn't the one that the head signs")
        }
        if head.byteCount != byteCount {
            let reason = "the head signs \(head.byteCount) bytes, there are \(byteCount)"
            report.add(.head, place, reason)
        }
        if !head.isSigned(by: record.descriptor.device, space: reader.space, log: log) {
            report.add(.head, place, "the head's signature isn't the device's")
        }
    }

    private mutating func checkApplied(of log: LogID, _ row: LogRow) throws {
        var expected = Offset.zero
        var eventEnd: UInt64 = 0
        let sql = "SELECT \(AppliedRow.columns) FROM applied WHERE log = ? ORDER BY offset"
        try collectRows(.row, sql, row.log, .log(log)) { stored, check in
            let offset = try stored.offset(1)
            let stored = stored.at(.entry(log, offset))
            defer { expected = offset.next }
            if offset != expected {
                let reason = "offsets \(expected) up to it aren't applied"
                check.report.add(.position, .entry(log, offset), reason)
            }
            let applied = try AppliedRow(stored)
            guard applied.eventEnd >= eventEnd else {
                throw stored.damage("its events end before those of the entry before it")
            }
            eventEnd = applied.eventEnd
        }
        if expected != row.record.applied {
            let reason = "the log should be applied up to \(row.record.applied)"
            report.add(.position, .entry(log, expected), reason)
        }
        if eventEnd != row.record.nextEvent {
            report.add(.position, .log(log), "its next event is \(row.record.nextEvent)")
        }
    }

    /// Positions are dense from 0, each of an entry that is there and has the applied type.
    private mutating func checkPositions() throws {
        var expected = JournalPosition.zero
        let sql = """
            SELECT a.position, a.type, substr(e.bytes, 2, 1)
            FROM applied AS a LEFT JOIN entries AS e ON e.log = a.log AND e.offset = a.offset
            WHERE a.space = ? ORDER BY a.position
            """
        let space = record.id
        try collectRows(.position, sql, reader.number, .space(space)) { row, check in
            let position = JournalPosition(try row.offset(0).value)
            let row = row.at(.position(space, position))
            defer { expected = position.next }
            if position != expected {
                let reason = "positions \(expected) up to it are missing"
                check.report.add(.position, .position(space, position), reason)
            }
            guard let type = try row.optionalBytes(2) else { throw row.damage("no such entry") }
            guard type.map(Int64.init) == [try row.number(1)] else {
                throw row.damage("the entry is of another type")
            }
        }
    }

    /// Rows that belong to nothing.
    private mutating func checkOrphans() throws {
        let orphans = """
            SELECT log, count(*) FROM entries
            WHERE log NOT IN (SELECT log FROM logs) GROUP BY log
            """
        try collectRows(.row, orphans, nil, .file) { row, check in
            let count = try row.number(1)
            let log: LogID = try check.reader.name(try row.number(0))
            check.report.add(.row, .log(log), "it has \(count) entries and no record")
        }
        let strays = """
            SELECT position FROM operations WHERE space = ?1 AND position NOT IN
                (SELECT position FROM applied WHERE space = ?1) GROUP BY position
            """
        let space = record.id
        try collectRows(.row, strays, reader.number, .space(space)) { row, check in
            let position = JournalPosition(try row.offset(0).value)
            let reason = "it has operations and no applied entry"
            check.report.add(.row, .position(space, position), reason)
        }
    }

    /// Chunks of documents that have no head.
    private mutating func checkChunks() throws {
        let sql = """
            SELECT document, count(*) FROM chunks WHERE space = ?1 AND document NOT IN
                (SELECT document FROM documents WHERE space = ?1) GROUP BY document
            """
        let space = record.id
        try collectRows(.document, sql, reader.number, .space(space)) { row, check in
            let count = try row.number(1)
            let document: DocumentID = try check.reader.name(try row.number(0))
            let place = StoreError.Place.document(space, document)
            check.report.add(.document, place, "it has \(count) chunks of history and no head")
        }
    }

    /// Calls `body` with each row of a query that takes one number; a row that is corrupt becomes
    /// a finding, and the next one follows.
    private mutating func collectRows(
        _ kind: CheckReport.Kind,
        _ sql: String,
        _ argument: Int64?,
        _ place: StoreError.Place,
        _ body: (StoredRow, inout SpaceCheck) throws -> Void
    ) throws {
        let statement = try reader.db.cachedStatement(sql: sql)
        let arguments: StatementArguments = argument.map { [$0] } ?? []
        let rows = try Row.fetchCursor(statement, arguments: arguments)
        while let row = try rows.next() {
            do {
                try body(StoredRow(row, path: reader.path, place: place), &self)
            } catch StoreError.corrupt(_, let place, let reason) {
                report.add(kind, place, reason)
            }
        }
    }
}
