// What one entry says about one document, and its bytes.
//
//     batch   = document[32] | firstEvent:varint | runs:varint | run*
//     run     = head:varint | parents if head is odd | foreign if kind > 6 | body:blob
//     head    = 2 * kind, plus 1 if the parents are written
//     parents = count:varint | parent*        ascending by (log id, number)
//     parent  = back:varint                   event (start - back) of the own log, back > 0
//             | 0:varint | logRef | number:varint
//     foreign = container:varint | events:varint
//
//     kind  body
//     1     position:varint | UTF-8           insert; one event for each scalar, of which there are
//                                             1 to 262,144
//     2     position:varint | count:varint    delete count scalars, first one first
//     3     position:varint | count:varint    delete count > 1 scalars, last one first
//     4     key:text | value                  set a key of the root map
//     5     key                               remove a key of the root map
//     6                                       gather: no effect but to follow all its parents
//     > 6                                     kept as it is; `events` events without effect
//
// The events of a batch are numbered on from `firstEvent`, run after run. Parents that are not
// written are the event before: of the batch's first run the one before `firstEvent` in the
// author's log, of any other run the last event of the run before. They are written if and only if
// they are something else. `logRef` is SPEC.md section 6.
//
// Typing "x" at 5 after one's own event 6 is document[32] 07 01 02 02 05 78: five bytes a run.
//
// Source: SPEC.md section 14.

public import SennitWire

/// The runs of one document that one author's entry carries.
public struct OperationBatch: Hashable, Sendable {
    /// The document that is changed.
    public let document: DocumentID
    /// Consecutive events of one log, never empty.
    public let runs: [OperationRun]

    /// Kinds above this one are kept and have no effect here.
    static let lastKnownKind: UInt64 = 6

    /// Puts runs together, as `Document.edit` returns them: at least one, of one log, each
    /// beginning where the one before it ended.
    public init(document: DocumentID, runs: [OperationRun]) {
        precondition(!runs.isEmpty, "A batch has at least one run.")
        for (run, next) in zip(runs, runs.dropFirst()) {
            precondition(
                run.start.log == next.start.log && run.last.number + 1 == next.start.number,
                "The runs of a batch are consecutive events of one log."
            )
        }
        self.document = document
        self.runs = runs
    }

    /// The log that the events are in.
    public var author: LogID { runs[0].start.log }

    /// The number of the first event.
    public var firstEvent: UInt64 { runs[0].start.number }

    /// How many events there are.
    /// - Complexity: O(size).
    public var eventCount: Int { runs.reduce(0) { $0 + $1.eventCount } }

    /// Whether the root map is changed.
    public var changesMap: Bool {
        runs.contains {
            switch $0.content {
            case .mapSet, .mapRemove: true
            default: false
            }
        }
    }

    /// Makes fewer batches of those that were made one after another: neighbours of one document
    /// become one, and runs that were typed on become one run.
    /// - Complexity: O(size).
    public static func joined(_ batches: some Sequence<OperationBatch>) -> [OperationBatch] {
        var result: [OperationBatch] = []
        var builder = OperationRunBuilder()
        var document: DocumentID?
        for batch in batches {
            let runs = builder.runs
            let goesOn =
                document == batch.document
                && runs.last.map { EventID(log: $0.start.log, number: $0.last.number + 1) }
                    == batch.runs[0].start
                && runs.count + batch.runs.count <= DocumentLimits.maximumBatchRunCount
            if !goesOn {
                if let document { result.append(OperationBatch(document: document, runs: runs)) }
                builder = OperationRunBuilder()
                document = batch.document
            }
            for run in batch.runs { builder.append(run) }
        }
        if let document { result.append(OperationBatch(document: document, runs: builder.runs)) }
        return result
    }
}

// MARK: - Writing

extension OperationBatch {
    /// Appends the batch. Logs that the author's table lacks are named and added to it.
    /// - Complexity: O(size).
    public func write(to writer: inout ByteWriter, logs: inout LogTable) {
        writer.write(document)
        writer.writeVarint(firstEvent)
        writer.writeVarint(runs.count)
        var expected = OperationBatch.parents(before: runs[0].start)
        for run in runs {
            run.write(to: &writer, unlessParentsAre: expected, logs: &logs)
            expected = [run.last]
        }
    }

    /// What a run's parents are if nothing is said.
    fileprivate static func parents(before start: EventID) -> [EventID]? {
        start.number == 0 ? nil : [EventID(log: start.log, number: start.number - 1)]
    }
}

extension OperationRun {
    fileprivate func write(
        to writer: inout ByteWriter,
        unlessParentsAre expected: [EventID]?,
        logs: inout LogTable
    ) {
        let isExplicit = parents != expected
        writer.writeVarint(kind << 1 | (isExplicit ? 1 : 0))
        if isExplicit {
            writer.writeVarint(parents.count)
            for parent in parents {
                if parent.log == start.log && parent.number < start.number {
                    writer.writeVarint(start.number - parent.number)
                } else {
                    writer.writeVarint(0)
                    logs.write(parent.log, to: &writer)
                    writer.writeVarint(parent.number)
                }
            }
        }
        if case .unknown(_, let container, let eventCount, _) = content {
            writer.writeVarint(container)
            writer.writeVarint(eventCount)
        }
        writer.writeBlob(body)
    }

    private var kind: UInt64 {
        switch content {
        case .insert: 1
        case .delete(_, let isBackward): isBackward ? 3 : 2
        case .mapSet: 4
        case .mapRemove: 5
        case .gather: 6
        case .unknown(let kind, _, _, _): kind
        }
    }

    private var body: [UInt8] {
        var body = ByteWriter()
        switch content {
        case .insert(let position, let text):
            body.writeVarint(position)
            body.write(text.string.utf8)
        case .delete(let range, _):
            body.writeVarint(range.lowerBound)
            body.writeVarint(range.count)
        case .mapSet(let key, let value):
            body.writeBlob(Array(key.string.utf8))
            body.write(value)
        case .mapRemove(let key):
            body.write(key.string.utf8)
        case .gather:
            break
        case .unknown(_, _, _, let bytes):
            body.write(bytes)
        }
        return body.bytes
    }
}

// MARK: - Reading

extension OperationBatch {
    /// Reads a batch that fills all of `bytes`.
    /// - Throws: `malformed`. Then `logs` is as it was.
    public init(
        decoding bytes: [UInt8],
        author: LogID,
        logs: inout LogTable
    ) throws(DocumentError) {
        let knownCount = logs.count
        do {
            var reader = ByteReader(bytes)
            try self.init(from: &reader, author: author, logs: &logs)
            try reader.finish()
        } catch {
            logs.truncate(to: knownCount)
            throw .malformed(error)
        }
    }

    /// Reads a batch of a log's author.
    /// - Parameter logs: What the author has named before. After a throw it may have grown.
    /// - Throws: what `ByteReader` throws; `invalid`, `overLimit`.
    /// - Complexity: O(size).
    public init(
        from reader: inout ByteReader,
        author: LogID,
        logs: inout LogTable
    ) throws(WireError) {
        document = try reader.readIdentifier()
        var number = try reader.readCount(limit: DocumentLimits.endOfNumbers - 1)
        let at = reader.byteOffset
        let count = try reader.readCount(limit: DocumentLimits.maximumBatchRunCount)
        guard count > 0 else {
            throw .invalid(reason: "a batch has at least one run", byteOffset: at)
        }
        var runs: [OperationRun] = []
        for _ in 0..<count {
            let start = EventID(log: author, number: UInt64(number))
            let at = reader.byteOffset
            let run = try OperationRun(
                from: &reader,
                start: start,
                unlessWritten: runs.last.map { [$0.last] } ?? OperationBatch.parents(before: start),
                logs: &logs
            )
            number += run.eventCount
            guard number < DocumentLimits.endOfNumbers else {
                throw .invalid(reason: "event numbers are below 2^53", byteOffset: at)
            }
            runs.append(run)
        }
        self.runs = runs
    }
}

extension OperationRun {
    fileprivate init(
        from reader: inout ByteReader,
        start: EventID,
        unlessWritten expected: [EventID]?,
        logs: inout LogTable
    ) throws(WireError) {
        let at = reader.byteOffset
        let head = try reader.readVarint()
        self.start = start
        if head & 1 == 1 {
            parents = try OperationRun.readParents(from: &reader, start: start, logs: &logs)
            guard parents != expected else {
                throw .invalid(reason: "parents that go without saying", byteOffset: at)
            }
        } else if let expected {
            parents = expected
        } else {
            throw .invalid(reason: "a log's first event names its parents", byteOffset: at)
        }
        let kind = head >> 1
        if kind > OperationBatch.lastKnownKind {
            let container = try reader.readVarint()
            let count = try reader.readCount(limit: DocumentLimits.maximumRunEventCount)
            guard count > 0 else {
                throw .invalid(reason: "a run has at least one event", byteOffset: at)
            }
            let bytes = try reader.readBlob(limit: DocumentLimits.maximumUnknownByteCount)
            content = .unknown(kind: kind, container: container, eventCount: count, bytes: bytes)
        } else {
            let bytes = try reader.readBlob(limit: DocumentLimits.maximumBodyByteCount)
            let offset = reader.byteOffset - bytes.count
            do {
                content = try Content(kind: kind, body: bytes)
            } catch {
                throw error.moved(by: offset)
            }
        }
    }

    private static func readParents(
        from reader: inout ByteReader,
        start: EventID,
        logs: inout LogTable
    ) throws(WireError) -> [EventID] {
        var parents: [EventID] = []
        for _ in 0..<(try reader.readCount(limit: DocumentLimits.maximumParentCount)) {
            let at = reader.byteOffset
            let back = try reader.readVarint()
            let parent: EventID
            if back > 0 {
                guard back <= start.number else {
                    throw .invalid(reason: "a parent before its log's first event", byteOffset: at)
                }
                parent = EventID(log: start.log, number: start.number - back)
            } else {
                let log = try logs.read(from: &reader)
                let number = try reader.readCount(limit: DocumentLimits.endOfNumbers - 1)
                parent = EventID(log: log, number: UInt64(number))
                guard log != start.log else {
                    throw .invalid(reason: "a parent of the own log by name", byteOffset: at)
                }
            }
            if let last = parents.last, parent <= last {
                throw .invalid(reason: "parents that do not ascend", byteOffset: at)
            }
            parents.append(parent)
        }
        return parents
    }
}

extension OperationRun.Content {
    /// Reads the body of a known kind.
    fileprivate init(kind: UInt64, body: [UInt8]) throws(WireError) {
        var reader = ByteReader(body)
        switch kind {
        case 1:
            let position = try reader.readCount(limit: DocumentLimits.endOfNumbers - 1)
            let text = try OperationRun.Content.readText(from: &reader)
            let count = text.scalarCount
            guard count > 0, count <= DocumentLimits.maximumInsertScalarCount else {
                throw .invalid(reason: "an insert of no or too many scalars", byteOffset: 0)
            }
            self = .insert(position: position, text: text)
        case 2, 3:
            let position = try reader.readCount(limit: DocumentLimits.endOfNumbers - 1)
            let count = try reader.readCount(limit: DocumentLimits.maximumRunEventCount)
            try reader.finish()
            guard count >= Int(kind) - 1 else {
                throw .invalid(reason: "a deletion of too few scalars", byteOffset: 0)
            }
            self = .delete(range: position..<(position + count), isBackward: kind == 3)
        case 4:
            let key = try reader.readText(limit: DocumentLimits.maximumKeyByteCount)
            let value = try reader.readBytes(reader.remaining)
            guard value.count <= DocumentLimits.maximumValueByteCount else {
                throw .invalid(reason: "a value that is too long", byteOffset: 0)
            }
            self = .mapSet(key: .init(key), value: value)
        case 5:
            let key = try OperationRun.Content.readText(from: &reader)
            guard body.count <= DocumentLimits.maximumKeyByteCount else {
                throw .invalid(reason: "a key that is too long", byteOffset: 0)
            }
            self = .mapRemove(key: key)
        case 6:
            try reader.finish()
            self = .gather
        default:
            throw .unknown(field: "operation kind", value: kind, byteOffset: 0)
        }
    }

    /// The rest of a body as text.
    private static func readText(
        from reader: inout ByteReader
    ) throws(WireError) -> OperationRun.Text {
        let at = reader.byteOffset
        let bytes = try reader.readBytes(reader.remaining)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .notUTF8(byteOffset: at)
        }
        return OperationRun.Text(text)
    }
}

extension WireError {
    /// The same error of a field that lies `offset` bytes further on.
    fileprivate func moved(by offset: Int) -> WireError {
        switch self {
        case .truncated(let at): .truncated(byteOffset: at + offset)
        case .trailingBytes(let at): .trailingBytes(byteOffset: at + offset)
        case .varintNotCanonical(let at): .varintNotCanonical(byteOffset: at + offset)
        case .varintTooLarge(let at): .varintTooLarge(byteOffset: at + offset)
        case .overLimit(let value, let limit, let at):
            .overLimit(value: value, limit: limit, byteOffset: at + offset)
        case .notUTF8(let at): .notUTF8(byteOffset: at + offset)
        case .unknown(let field, let value, let at):
            .unknown(field: field, value: value, byteOffset: at + offset)
        case .invalid(let reason, let at): .invalid(reason: reason, byteOffset: at + offset)
        }
    }
}
