import Foundation
import GRDB
import SennitSync
import SennitWire

// The rows that hold documents as they are, so that a start needn't replay all of their operations.

/// The head of one document: its text and map, and which events it has.
struct DocumentRow {
    static let columns = "space, document, position, head, checksum"

    let space: Int64
    let document: Int64
    /// It holds the entries before this position.
    let position: JournalPosition
    let head: [UInt8]

    init(space: Int64, document: Int64, position: JournalPosition, head: [UInt8]) {
        self.space = space
        self.document = document
        self.position = position
        self.head = head
    }

    init(_ row: StoredRow) throws(StoreError) {
        space = try row.number(0)
        document = try row.number(1)
        position = JournalPosition(try row.offset(2).value)
        head = try row.bytes(3)
        try row.check(checksum)
    }

    private var checksum: Int64 {
        RowChecksum.of(space, document, Int64(bitPattern: position.value), bytes: head)
    }

    var arguments: StatementArguments {
        [space, document, Int64(bitPattern: position.value), Data(head), checksum]
    }
}

/// A part of the history of one document.
struct ChunkRow {
    static let columns = "space, document, first_event, end_event, bytes, checksum"

    let space: Int64
    let document: Int64
    /// The events that it holds, by their numbers in the document.
    let events: Range<Int>
    let bytes: [UInt8]

    init(space: Int64, document: Int64, events: Range<Int>, bytes: [UInt8]) {
        self.space = space
        self.document = document
        self.events = events
        self.bytes = bytes
    }

    init(_ row: StoredRow) throws(StoreError) {
        space = try row.number(0)
        document = try row.number(1)
        let (first, end) = (Int(try row.offset(2).value), Int(try row.offset(3).value))
        guard first < end else { throw row.damage("its events end before they begin") }
        events = first..<end
        bytes = try row.bytes(4)
        try row.check(checksum)
    }

    private var checksum: Int64 {
        RowChecksum.of(
            space,
            document,
            Int64(events.lowerBound),
            Int64(events.upperBound),
            bytes: bytes
        )
    }

    var arguments: StatementArguments {
        [
            space, document, Int64(events.lowerBound), Int64(events.upperBound), Data(bytes),
            checksum,
        ]
    }
}
