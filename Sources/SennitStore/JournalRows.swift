import Foundation
import GRDB
import SennitSync
import SennitWire

// The rows of the journal that hold a checksum: each knows its columns, in both directions. Numbers
// are kept by their bits; what is read back is checked against its range.

/// What one applied entry came to.
struct AppliedRow {
    static let columns = """
        log, offset, space, position, type, outcome, author_time, event_end, control_body, checksum
        """

    let log: Int64
    let offset: Offset
    let space: Int64
    let position: JournalPosition
    let type: EntryType
    let outcome: Outcome
    let authorTime: UInt64
    let eventEnd: UInt64
    let controlBody: [UInt8]?

    init(_ entry: AppliedEntry, log: Int64, space: Int64) {
        self.log = log
        offset = entry.offset
        self.space = space
        position = entry.position
        type = entry.type
        outcome = entry.outcome
        authorTime = entry.authorTime
        eventEnd = entry.eventEnd
        controlBody = entry.controlBody
    }

    init(_ row: StoredRow) throws(StoreError) {
        log = try row.number(0)
        offset = try row.offset(1)
        space = try row.number(2)
        position = JournalPosition(try row.offset(3).value)
        guard let rawType = UInt8(exactly: try row.number(4)),
            let rawOutcome = Int(exactly: try row.number(5)),
            let outcome = Outcome(rawValue: rawOutcome)
        else { throw row.damage("its type or outcome is unknown") }
        type = EntryType(rawValue: rawType)
        self.outcome = outcome
        authorTime = UInt64(bitPattern: try row.number(6))
        eventEnd = try row.offset(7).value
        controlBody = try row.optionalBytes(8)
        try row.check(checksum)
    }

    private var checksum: Int64 {
        RowChecksum.of(
            log,
            Int64(bitPattern: offset.value),
            space,
            Int64(bitPattern: position.value),
            Int64(type.rawValue),
            Int64(outcome.rawValue),
            Int64(bitPattern: authorTime),
            Int64(bitPattern: eventEnd),
            controlBody == nil ? 0 : 1,
            bytes: controlBody ?? []
        )
    }

    var arguments: StatementArguments {
        [
            log, Int64(bitPattern: offset.value), space, Int64(bitPattern: position.value),
            Int64(type.rawValue), outcome.rawValue, Int64(bitPattern: authorTime),
            Int64(bitPattern: eventEnd), controlBody.map { Data($0) }, checksum,
        ]
    }
}

/// Operations of an applied entry on one document.
struct OperationsRow {
    static let columns = "space, document, position, ordinal, author, bytes, checksum"

    let space: Int64
    let document: Int64
    let position: JournalPosition
    /// Counts the operations of one entry.
    let ordinal: Int
    let author: Int64
    let bytes: [UInt8]

    init(
        space: Int64,
        document: Int64,
        position: JournalPosition,
        ordinal: Int,
        author: Int64,
        bytes: [UInt8]
    ) {
        self.space = space
        self.document = document
        self.position = position
        self.ordinal = ordinal
        self.author = author
        self.bytes = bytes
    }

    init(_ row: StoredRow) throws(StoreError) {
        space = try row.number(0)
        document = try row.number(1)
        position = JournalPosition(try row.offset(2).value)
        guard let ordinal = Int(exactly: try row.number(3)) else { throw row.damage("no order") }
        self.ordinal = ordinal
        author = try row.number(4)
        bytes = try row.bytes(5)
        try row.check(checksum)
    }

    private var checksum: Int64 {
        RowChecksum.of(
            space,
            document,
            Int64(bitPattern: position.value),
            Int64(ordinal),
            author,
            bytes: bytes
        )
    }

    var arguments: StatementArguments {
        [
            space, document, Int64(bitPattern: position.value), ordinal, author, Data(bytes),
            checksum,
        ]
    }
}

/// Operations that no entry carries yet.
struct PendingRow {
    static let columns = "space, sequence, document, author, bytes, life, checksum"

    let space: Int64
    let sequence: UInt64
    let document: Int64
    let author: Int64
    let bytes: [UInt8]
    /// 0 in rows from before there were lives: then it isn't in the checksum.
    let life: Life

    init(
        space: Int64,
        sequence: UInt64,
        document: Int64,
        author: Int64,
        bytes: [UInt8],
        life: Life
    ) {
        self.life = life
        self.space = space
        self.sequence = sequence
        self.document = document
        self.author = author
        self.bytes = bytes
    }

    init(_ row: StoredRow) throws(StoreError) {
        space = try row.number(0)
        sequence = try row.count(1)
        document = try row.number(2)
        author = try row.number(3)
        bytes = try row.bytes(4)
        life = UInt64(bitPattern: try row.number(5))
        try row.check(checksum)
    }

    private var checksum: Int64 {
        let sequence = Int64(bitPattern: sequence)
        guard life != 0 else {
            return RowChecksum.of(space, sequence, document, author, bytes: bytes)
        }
        let life = Int64(bitPattern: life)
        return RowChecksum.of(space, sequence, document, author, life, bytes: bytes)
    }

    var arguments: StatementArguments {
        [
            space, Int64(bitPattern: sequence), document, author, Data(bytes),
            Int64(bitPattern: life), checksum,
        ]
    }
}
