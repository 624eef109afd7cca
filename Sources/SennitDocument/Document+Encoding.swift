// A whole document as bytes, for a store or a snapshot.
//
//     document   = version:u8(1) | logs | names | graph | operations | pool:blob | text:blob
//     logs       = count:varint | id[32]*
//     names      = count:varint | (log:varint number:varint events:varint)*
//     graph      = count:varint | (events:varint parents:varint back:varint*)*
//     operations = count:varint | operation*
//     operation  = head:varint events:varint | fields          head = 2 * kind, plus 1 if void
//
//     kind  fields
//     0     position:varint byteCount:varint       insert; the text is the next bytes of the pool
//     1     position:varint                        delete, first one first
//     2     position:varint                        delete, last one first
//     3     key:blob flag (value:blob if 1)        change of the map
//     4     kind:varint container:varint bytes:blob    unknown
//     5                                            gather
//
// Everything is in the order of local events, so a parent is `back` events before the first event
// of its run. The same events that came in another order encode otherwise. Only this implementation
// reads these bytes; they are not part of SPEC.md.

import SennitWire

extension Document {
    private static let encodingVersion: UInt8 = 1

    /// The whole document, history and text.
    /// - Complexity: O(size).
    public func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: history.operations.pool.count * 2)
        writer.write(Document.encodingVersion)
        let names = history.names
        writer.writeVarint(names.logs.count)
        for log in names.logs { writer.write(log) }
        writer.writeVarint(names.runs.count)
        for run in names.runs {
            writer.writeVarint(run.log)
            writer.writeVarint(run.number)
            writer.writeVarint(run.count)
        }
        let graph = history.graph
        writer.writeVarint(graph.runs.count)
        for run in graph.runs {
            writer.writeVarint(run.events.count)
            writer.writeVarint(run.parents.count)
            for parent in graph.parentPool[run.parents] {
                writer.writeVarint(run.events.lowerBound - parent)
            }
        }
        let operations = history.operations
        writer.writeVarint(operations.operations.count)
        for operation in operations.operations { write(operation, to: &writer) }
        writer.writeBlob(operations.pool)
        writer.writeBlob(text.utf8(of: 0..<text.scalarCount))
        return writer.bytes
    }

    private func write(_ operation: OperationLog.Operation, to writer: inout ByteWriter) {
        writer.writeVarint(UInt64(operation.kind.rawValue) << 1 | (operation.isVoid ? 1 : 0))
        writer.writeVarint(operation.events.count)
        switch operation.kind {
        case .insert:
            writer.writeVarint(operation.position)
            writer.writeVarint(operation.text.count)
        case .deleteForward, .deleteBackward:
            writer.writeVarint(operation.position)
        case .map:
            let change = history.operations.mapChanges[operation.position]
            writer.writeBlob(change.key)
            writer.write(UInt8(change.value == nil ? 0 : 1))
            if let value = change.value { writer.writeBlob(value) }
        case .unknown:
            let unknown = history.operations.unknowns[operation.position]
            writer.writeVarint(unknown.kind)
            writer.writeVarint(unknown.container)
            writer.writeBlob(unknown.bytes)
        case .gather:
            break
        }
    }

    /// Reads what `encode` wrote.
    /// - Parameter isTrusted: Whether the text is taken as it stands, for bytes that nobody but
    ///   this device could have changed; a text that is not what the history gives may trap later.
    ///   Otherwise the history is replayed and must give it.
    /// - Throws: `malformed`; `textDiffersFromHistory`.
    /// - Complexity: O(size) if trusted, else that of merging all events.
    public init(decoding bytes: [UInt8], isTrusted: Bool = false) throws(DocumentError) {
        self.init()
        let text: String
        do {
            var reader = ByteReader(bytes)
            text = try Document.read(into: &history, from: &reader)
            try reader.finish()
        } catch {
            throw .malformed(error)
        }
        for operation in history.operations.operations where operation.kind == .map {
            map.apply(operation, of: history)
        }
        branch = Branch(text: Rope(text), of: history)
        guard !isTrusted else { return }
        guard isText(text) else { throw .textDiffersFromHistory }
    }

    /// Whether replaying the history gives `text`, and the verdicts that are in the history.
    private func isText(_ text: String) -> Bool {
        var branch = Branch()
        var changes = PatchList(isRecording: false)
        var agrees = true
        history.forEachPiece(in: 0..<history.count) { piece in
            // The tracker takes the verdicts of the history, so go on only while they agree.
            guard agrees else { return }
            var piece = piece
            let wasVoid = piece.isVoid
            piece.isVoid = false
            let verdict = branch.apply(piece, of: history, changes: &changes)
            agrees = (verdict == .void) == wasVoid
        }
        return agrees && branch.text.utf8(of: 0..<branch.text.scalarCount) == Array(text.utf8)
    }
}

// MARK: - Reading

extension Document {
    private static func read(
        into history: inout History,
        from reader: inout ByteReader
    ) throws(WireError) -> String {
        let at = reader.byteOffset
        let version = try reader.readByte()
        guard version == encodingVersion else {
            throw .unknown(field: "document version", value: UInt64(version), byteOffset: at)
        }
        let names = try readNames(from: &reader)
        var nextRun = 0
        var left = 0
        for _ in 0..<(try reader.readCount(limit: reader.remaining)) {
            let at = reader.byteOffset
            let count = try reader.readCount(limit: DocumentLimits.maximumDocumentEventCount)
            let parents = try readParents(of: history.graph, from: &reader)
            guard count > 0, history.graph.dominators(of: parents) == parents else {
                throw .invalid(reason: "events without order", byteOffset: at)
            }
            history.appendToGraph(count: count, parents: parents)
            left += count
            while nextRun < names.count, left >= names[nextRun].count {
                left -= names[nextRun].count
                nextRun += 1
            }
        }
        guard nextRun == names.count, left == 0 else {
            throw .invalid(reason: "events without names", byteOffset: reader.byteOffset)
        }
        for run in names {
            let numbers = run.number..<(run.number + run.count)
            guard history.names.firstKnown(in: numbers, of: run.log) == nil else {
                throw .invalid(reason: "one name for two events", byteOffset: reader.byteOffset)
            }
            history.appendNames(log: run.log, number: run.number, count: run.count)
        }
        try history.readOperations(from: &reader)
        return try reader.readText(limit: reader.remaining)
    }

    private struct NameRun {
        var log: LogID
        var number: Int
        var count: Int
    }

    private static func readNames(from reader: inout ByteReader) throws(WireError) -> [NameRun] {
        var logs: [LogID] = []
        for _ in 0..<(try reader.readCount(limit: reader.remaining)) {
            logs.append(try reader.readIdentifier())
        }
        var runs: [NameRun] = []
        var total = 0
        for _ in 0..<(try reader.readCount(limit: reader.remaining)) {
            let at = reader.byteOffset
            let log = try reader.readCount(limit: logs.count)
            let number = try reader.readCount(limit: DocumentLimits.endOfNumbers)
            let count = try reader.readCount(limit: DocumentLimits.maximumDocumentEventCount)
            total += count
            guard log < logs.count, count > 0, number + count < DocumentLimits.endOfNumbers,
                total <= DocumentLimits.maximumDocumentEventCount
            else { throw .invalid(reason: "events that have no name", byteOffset: at) }
            runs.append(NameRun(log: logs[log], number: number, count: count))
        }
        return runs
    }

    private static func readParents(
        of graph: EventGraph,
        from reader: inout ByteReader
    ) throws(WireError) -> [LocalEvent] {
        var parents: [LocalEvent] = []
        for _ in 0..<(try reader.readCount(limit: DocumentLimits.maximumParentCount)) {
            let at = reader.byteOffset
            let back = try reader.readCount(limit: graph.count)
            guard back > 0, parents.last.map({ $0 < graph.count - back }) ?? true else {
                throw .invalid(reason: "parents that do not ascend", byteOffset: at)
            }
            parents.append(graph.count - back)
        }
        return parents
    }
}
