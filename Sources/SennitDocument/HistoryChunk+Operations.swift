import SennitWire

// The last pass over a chunk: what the operations do. See HistoryChunk+Decoding.swift.

extension ChunkReader {
    /// The columns that operations are read from.
    fileprivate struct Columns {
        var moves: ColumnCursor
        var kinds: ColumnCursor
        var containers: ColumnCursor
        var keys: ColumnCursor
        var values: ColumnCursor
        var unknownBytes: ColumnCursor
        var text: ColumnCursor
        /// Where the text begins that isn't in the pool yet.
        var unpooled: Int
        /// How far a byte of the text is from its place in the pool.
        let poolShift: Int
        let isASCII: Bool
        var carets: HistoryChunk.Carets
        /// The container of the next operations, and how many those are.
        var container: UInt64 = 0
        var containerLeft = Int.max
    }

    func readOperations(into operations: inout OperationLog) throws(WireError) {
        var columns = try readText(into: &operations)
        let textEnd = columns.text.end
        // Also when something is refused: `History.takeBack` finds it by what was added before.
        defer { operations.appendText(set.bytes[columns.unpooled..<textEnd]) }
        let bytes = set.bytes.span
        let heads = set.range(of: ID.heads)
        var name = 0
        for index in 0..<heads.count {
            let head = bytes[heads.lowerBound + index]
            let start = operationEnds[index]
            let count = operationEnds[index + 1] - start
            while name + 1 < nameStarts.count, nameStarts[name + 1] <= start { name += 1 }
            if columns.containerLeft == 0 {
                columns.container = columns.containers.next(bytes)
                columns.containerLeft = columns.containers.nextCount(bytes)
                guard columns.containerLeft > 0 else { throw invalid("no run", ID.containers) }
            }
            columns.containerLeft -= 1
            let shape = head & Shape.mask
            if shape == Shape.other || columns.container != 0 {
                try readOther(head, count, log: nameLogs[name], &columns, into: &operations)
                continue
            }
            var position = columns.carets[nameLogs[name]]
            if head & Shape.moved != 0 { position &+= columns.nextMove(bytes) }
            if shape == Shape.deleteBackward { position &-= count }
            guard position >= 0, position < DocumentLimits.endOfNumbers - count else {
                throw invalid("no position", ID.moves)
            }
            let textStart = columns.text.index + columns.poolShift
            var kind = OperationLog.Kind.insert
            if shape == Shape.insert {
                columns.carets[nameLogs[name]] = position + count
                try readScalars(count, &columns)
            } else {
                columns.carets[nameLogs[name]] = position
                // One that is deleted alone has no direction.
                let isBackward = shape == Shape.deleteBackward && count > 1
                kind = isBackward ? .deleteBackward : .deleteForward
            }
            operations.append(
                stored: kind,
                isVoid: false,
                count: count,
                position: position,
                textStart: textStart
            )
        }
        try finish(columns)
    }

    private func finish(_ columns: Columns) throws(WireError) {
        try finish(columns.text, ID.text)
        try finish(columns.moves, ID.moves)
        try finish(columns.kinds, ID.kinds)
        try finish(columns.keys, ID.keys)
        try finish(columns.values, ID.values)
        try finish(columns.unknownBytes, ID.unknownBytes)
        try finish(columns.containers, ID.containers)
        let isEnded = columns.containerLeft == 0 || set.range(of: ID.containers).isEmpty
        guard isEnded else { throw invalid("too long", ID.containers) }
    }

    /// Checks the text and makes room for it.
    private func readText(into operations: inout OperationLog) throws(WireError) -> Columns {
        let range = set.range(of: ID.text)
        let containers = cursor(ID.containers)
        guard range.count <= DocumentLimits.maximumTextByteCount - operations.pool.count else {
            throw .overLimit(
                value: UInt64(operations.pool.count + range.count),
                limit: DocumentLimits.maximumTextByteCount,
                byteOffset: set.columns.first { $0.id == ID.text }?.byteOffset ?? 0
            )
        }
        let text = set.bytes.span.extracting(range)
        guard (try? UTF8Span(validating: text)) != nil else { throw invalid("no UTF-8", ID.text) }
        var all: UInt8 = 0
        for index in text.indices { all |= text[index] }
        let poolByteCount = operations.pool.count
        if operations.count == 0 {
            operations.reserve(
                operationCount: set.range(of: ID.heads).count,
                byteCount: range.count
            )
        }
        return Columns(
            moves: cursor(ID.moves),
            kinds: cursor(ID.kinds),
            containers: containers,
            keys: cursor(ID.keys),
            values: cursor(ID.values),
            unknownBytes: cursor(ID.unknownBytes),
            text: ColumnCursor(range),
            unpooled: range.lowerBound,
            poolShift: poolByteCount - range.lowerBound,
            isASCII: all < 0x80,
            carets: .init(logCount: logCount, isPerLog: head.hasCaretsPerLog),
            containerLeft: containers.isAtEnd ? .max : 0
        )
    }

    /// Passes over the text of an insertion.
    @inline(__always)
    private func readScalars(_ count: Int, _ columns: inout Columns) throws(WireError) {
        let isThere =
            columns.isASCII
            ? columns.text.skip(count) : columns.text.skipScalars(count, set.bytes.span)
        guard isThere, count <= DocumentLimits.maximumStoredScalarCount else {
            throw invalid("not a scalar for each inserting event", ID.text)
        }
    }

    /// Reads an operation whose kind is a number.
    private func readOther(
        _ head: UInt8,
        _ count: Int,
        log: Int,
        _ columns: inout Columns,
        into operations: inout OperationLog
    ) throws(WireError) {
        let bytes = set.bytes.span
        // What has no text begins where the pool ends.
        operations.appendText(set.bytes[columns.unpooled..<columns.text.index])
        columns.unpooled = columns.text.index
        guard head & Shape.mask == Shape.other else {
            // A text elsewhere than at the root, which a newer version has.
            throw needsUpdate("container", columns.container, ID.containers)
        }
        let code = columns.kinds.next(bytes)
        let isVoid = code & 1 == 1
        var kind = code >> 1
        if kind == 0 { kind = columns.kinds.next(bytes) }
        guard !columns.kinds.hasFailed, !(code >> 1 == 0 && kind >> 62 == 0) else {
            throw invalid("no kind", ID.kinds)
        }
        if kind > OperationBatch.lastKnownKind {
            let range = columns.unknownBytes.nextBlob(
                bytes,
                limit: DocumentLimits.maximumUnknownByteCount
            )
            guard !columns.unknownBytes.hasFailed, !isVoid, head & Shape.moved == 0 else {
                throw invalid("no operation", ID.unknownBytes)
            }
            let own = Array(set.bytes[range])
            operations.append(
                OperationLog.Unknown(kind: kind, container: columns.container, bytes: own),
                count: count
            )
            return
        }
        guard columns.container == 0 else {
            throw needsUpdate("container", columns.container, ID.containers)
        }
        switch Int(kind) {
        case HistoryChunk.Kind.set, HistoryChunk.Kind.remove:
            guard count == 1, !isVoid, head & Shape.moved == 0 else {
                throw invalid("no change of a map", ID.kinds)
            }
            let isSet = Int(kind) == HistoryChunk.Kind.set
            operations.append(try readChange(isSet: isSet, &columns))
        case HistoryChunk.Kind.gather:
            guard count == 1, !isVoid, head & Shape.moved == 0 else {
                throw invalid("no gathering", ID.kinds)
            }
            operations.appendGathering()
        default:
            guard isVoid else { throw invalid("a kind that has a shape", ID.kinds) }
            try readVoid(Int(kind), head, count, log: log, &columns, into: &operations)
        }
    }

    /// Reads an operation on text that has no effect and leaves the caret alone.
    private func readVoid(
        _ kind: Int,
        _ head: UInt8,
        _ count: Int,
        log: Int,
        _ columns: inout Columns,
        into operations: inout OperationLog
    ) throws(WireError) {
        var position = columns.carets[log]
        if head & Shape.moved != 0 { position &+= columns.nextMove(set.bytes.span) }
        // A piece of an operation begins where the operation would have gone on, out of all bounds.
        guard position >= 0, position < 2 * DocumentLimits.endOfNumbers else {
            throw invalid("no position", ID.moves)
        }
        let textStart = columns.text.index + columns.poolShift
        if kind == HistoryChunk.Kind.insert { try readScalars(count, &columns) }
        let isBackward = kind == HistoryChunk.Kind.deleteBackward && count > 1
        operations.append(
            stored: kind == HistoryChunk.Kind.insert
                ? .insert : isBackward ? .deleteBackward : .deleteForward,
            isVoid: true,
            count: count,
            position: position,
            textStart: textStart
        )
    }

    private func readChange(
        isSet: Bool,
        _ columns: inout Columns
    ) throws(WireError) -> OperationLog.MapChange {
        let bytes = set.bytes.span
        let key = columns.keys.nextBlob(bytes, limit: DocumentLimits.maximumKeyByteCount)
        guard !columns.keys.hasFailed,
            (try? UTF8Span(validating: bytes.extracting(key))) != nil
        else { throw invalid("no key", ID.keys) }
        var change = OperationLog.MapChange(key: Array(set.bytes[key]), value: nil)
        if isSet {
            let limit = DocumentLimits.maximumValueByteCount
            let value = columns.values.nextBlob(bytes, limit: limit)
            guard !columns.values.hasFailed else { throw invalid("no value", ID.values) }
            change.value = Array(set.bytes[value])
        }
        return change
    }

    private func needsUpdate(_ field: String, _ value: UInt64, _ id: Int) -> WireError {
        let byteOffset = set.columns.first { $0.id == id }?.byteOffset ?? 0
        return .unknown(field: field, value: value, byteOffset: byteOffset)
    }
}

extension ChunkReader.Columns {
    /// How far the next operation is from the caret.
    @inline(__always)
    fileprivate mutating func nextMove(_ bytes: Span<UInt8>) -> Int {
        let folded = moves.next(bytes)
        // The number after the highest would be no move, and there is no position so low.
        return folded == .max ? .min : Int(unfolding: folded + 1)
    }
}
