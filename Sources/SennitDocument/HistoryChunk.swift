// Some events of a document, in the order in which this replica stored them, as bytes for a store
// or a snapshot. Chunks follow on from each other: each begins with the event that the one before
// it ended with. The file is that of ColumnSet.swift, with this head and these columns:
//
//     head = first:varint | events:varint | options:varint      options: 1 if carets are per log
//
//     id  column           one item for
//     1   logs             each log, by first use: its 32 bytes
//     2   nameEnds         each run of names but the last: where it ends, as below
//     3   nameInsides      each end inside an operation: events of the operation before it
//     4   nameLogs         each run of names: 0 for the log of the run before the last,
//                          else 1 + index; the index after the highest used means a new log
//     5   nameNumbers      each run of names: first number - end of the log's numbers so far (±)
//     6   graphEnds        each run of the graph but the last
//     7   graphInsides     as 3
//     8   parentCounts     each run of the graph: 2 * other parents, + 1 if the log's event
//                          before, if that is in the chunk, is a parent
//     9   parentRuns       each other parent: how many runs lie between; all runs of the chunk and
//                          none for one that lies before the chunk
//     10  parentGaps       each other parent: events after it in its run, or before the chunk
//     11  heads            each operation: shape | moved << 2 | (min(events, 32) - 1) << 3
//     12  counts           each operation of more than 31 events: events - 32
//     13  moves            each operation that is moved: from the caret, as below
//     14  kinds            each operation of shape 3: 2 * kind, + 1 if void; 0 and then the kind if
//                          that takes more than 62 bits
//     15  containers       each run of one container: container, operations; absent if all are 0
//     16  text             the inserted text, UTF-8
//     17  keys             each set and remove: the key, with its length before it
//     18  values           each set: the value, with its length before it
//     19  unknownBytes     each operation of an unknown kind: its bytes, with their length
//     20  kept             each column of others: first, events, id, bytes with their length
//
// Everything but 1, 11, 16 is varints; ± are folded (0, -1, 1, …). An end is written as
// 2 * operations since the last end, + 1 if it lies inside the next operation: runs of names and
// of the graph end where operations do. Shapes are 0 insert, 1 delete, 2 delete backward, 3 for
// what column 14 says; the kinds are those of SPEC.md section 14.
//
// The caret is where the last operation (of the same log, if options say so) left it: behind an
// insertion, where the scalars were deleted. An insertion is expected there, a deletion forward
// too, and a deletion backward just before it; a single Backspace is written as one of those. The
// move is folded, less 1, because 0 is not written. Typing on costs one byte of column 11.
//
// Example: log L inserts "hi" at 0 and deletes the "i": columns 1 = L, 4 = 01, 5 = 00, 8 = 00,
// 11 = 08 02, 16 = "hi".
//
// A container other than 0 is known to no kind below 7 here, so the reader asks for an update. The
// operations of kinds it doesn't know are part of the history; columns it doesn't know are handed
// to the caller, who hands them to the writer again.
//
// Ideas from: diamond-types (runs of operations, moves of a caret), Automerge (columns). Left out:
// timestamps; reading a part of a chunk.

import SennitWire

/// Events of one document as bytes. The order is this replica's own, so equal documents of two
/// replicas encode differently; SPEC.md doesn't have this format.
enum HistoryChunk {
    static let version: UInt8 = 1

    /// The columns of this version.
    enum ColumnID {
        static let logs = 1
        static let nameEnds = 2
        static let nameInsides = 3
        static let nameLogs = 4
        static let nameNumbers = 5
        static let graphEnds = 6
        static let graphInsides = 7
        static let parentCounts = 8
        static let parentRuns = 9
        static let parentGaps = 10
        static let heads = 11
        static let counts = 12
        static let moves = 13
        static let kinds = 14
        static let containers = 15
        static let text = 16
        static let keys = 17
        static let values = 18
        static let unknownBytes = 19
        static let kept = 20

        static let known = 0...20
    }

    /// The two lowest bits of a head.
    enum Shape {
        static let insert: UInt8 = 0
        static let deleteForward: UInt8 = 1
        static let deleteBackward: UInt8 = 2
        static let other: UInt8 = 3
        static let mask: UInt8 = 3
        static let moved: UInt8 = 4
        static let countShift: UInt8 = 3
        /// What the highest five bits say when column 12 says more.
        static let longCount = 31
    }

    /// The kinds of SPEC.md section 14 as they are stored.
    enum Kind {
        static let insert = 1
        static let deleteForward = 2
        static let deleteBackward = 3
        static let set = 4
        static let remove = 5
        static let gather = 6
    }

    /// How much time a writer takes for few bytes.
    enum Effort {
        /// For saving while somebody types.
        case quick
        /// For joining many chunks, once.
        case thorough
    }

    /// A column that a newer version wrote and that this one needn't know.
    struct KeptColumn: Hashable, Sendable {
        /// The events of the chunk that it came in.
        var events: Range<LocalEvent>
        var id: Int
        var bytes: [UInt8]
    }

    /// Where each head puts the caret.
    struct Carets {
        private var positions: [Int]
        private let isPerLog: Bool

        init(logCount: Int, isPerLog: Bool) {
            positions = [Int](repeating: 0, count: isPerLog ? max(logCount, 1) : 1)
            self.isPerLog = isPerLog
        }

        subscript(log: Int) -> Int {
            @inline(__always) get { positions[isPerLog ? log : 0] }
            @inline(__always) set { positions[isPerLog ? log : 0] = newValue }
        }
    }

    /// The head of a chunk.
    struct Head {
        var events: Range<LocalEvent>
        var hasCaretsPerLog: Bool

        /// Reads the head of a file.
        init(of file: [UInt8], _ cursor: inout ColumnCursor) throws(WireError) {
            let at = cursor.index
            let first = cursor.nextCount(file.span)
            let count = cursor.nextCount(file.span)
            let options = cursor.nextCount(file.span)
            guard !cursor.hasFailed else { throw .truncated(byteOffset: cursor.index) }
            guard options <= 1 else {
                throw .unknown(field: "options", value: UInt64(options), byteOffset: at)
            }
            let limit = DocumentLimits.maximumDocumentEventCount
            guard first <= limit, count > 0, count <= limit - first else {
                throw .invalid(reason: "no events, or too many", byteOffset: at)
            }
            events = first..<(first + count)
            hasCaretsPerLog = options == 1
        }
    }

    /// The events of a chunk, without reading them.
    /// - Throws: `malformed`.
    static func events(of bytes: [UInt8]) throws(DocumentError) -> Range<LocalEvent> {
        do throws(WireError) {
            var cursor = try ColumnSet.start(of: bytes, version: version)
            return try Head(of: bytes, &cursor).events
        } catch {
            throw .malformed(error)
        }
    }
}
