// Reads a chunk in four straight passes over its columns: how many events each operation has, the
// names, the graph, and what the operations do. The first comes first because runs of names and of
// the graph end where operations do, and the last comes last because carets may be those of logs.
//
// Nothing is trusted. What is allocated besides the columns themselves (see ColumnSet.swift) is at
// most 128 bytes for each byte of them. Time is linear in them but for two things: the check that
// no parent is an ancestor of another passes over the runs between the parents, as merging them
// does later; and a log whose numbers come in descending order moves its table with each run.

import SennitWire

extension HistoryChunk {
    /// Reads the events that come next in a history.
    /// - Parameter history: Has exactly the events before the first one of the chunk.
    /// - Returns: Columns that this version doesn't know, to be given to `encode` with their
    ///   events.
    /// - Throws: `malformed`; in it `unknown` if the chunk needs an update to be read. The history
    ///   is as before then.
    /// - Complexity: O(size).
    @discardableResult
    static func append(
        _ bytes: [UInt8],
        to history: inout History
    ) throws(DocumentError) -> [KeptColumn] {
        let mark = history.mark
        let poolByteCount = history.operations.pool.count
        do throws(WireError) {
            var cursor = try ColumnSet.start(of: bytes, version: version)
            let at = cursor.index
            let head = try Head(of: bytes, &cursor)
            guard head.events.lowerBound == history.count else {
                throw .invalid(
                    reason: "a chunk from event \(head.events.lowerBound) on, where"
                        + " \(history.count) comes next",
                    byteOffset: at
                )
            }
            let set = try ColumnSet(bytes, from: cursor, knownIDs: ColumnID.known)
            var reader = ChunkReader(set, head)
            let kept = try reader.readKept()
            try reader.readCounts()
            try history.fill { (graph, names, operations) throws(WireError) in
                try reader.readNames(into: &names)
                try reader.readGraph(into: &graph)
                try reader.readOperations(into: &operations)
            }
            return kept
        } catch {
            history.takeBack(to: mark, poolByteCount: poolByteCount)
            throw .malformed(error)
        }
    }
}

extension History {
    /// Takes back what was read of a chunk, with a text that may have no operation yet.
    fileprivate mutating func takeBack(to mark: Mark, poolByteCount: Int) {
        fill { (_, _, operations) throws(Never) in
            if operations.pool.count > poolByteCount, operations.count == mark.count {
                operations.append(
                    stored: .insert,
                    isVoid: false,
                    count: 1,
                    position: 0,
                    textStart: poolByteCount
                )
            }
        }
        truncate(to: mark)
    }
}

/// What is known of a chunk while it is read.
struct ChunkReader {
    let set: ColumnSet
    let head: HistoryChunk.Head
    /// Where operations begin, and the end.
    var operationEnds: [LocalEvent] = []
    /// The first event of each run of names.
    var nameStarts: [LocalEvent] = []
    /// The log of each run of names, by first use in the chunk.
    var nameLogs: [Int] = []
    var logCount = 0

    typealias ID = HistoryChunk.ColumnID
    typealias Shape = HistoryChunk.Shape

    init(_ set: ColumnSet, _ head: HistoryChunk.Head) {
        self.set = set
        self.head = head
    }

    func cursor(_ id: Int) -> ColumnCursor { ColumnCursor(set.range(of: id)) }

    /// The error of a column: where it is, and what is wrong in it.
    func invalid(_ reason: String, _ id: Int) -> WireError {
        let byteOffset = set.columns.first { $0.id == id }?.byteOffset ?? 0
        return .invalid(reason: "column \(id): \(reason)", byteOffset: byteOffset)
    }

    /// Everything must be read to the end.
    func finish(_ cursor: ColumnCursor, _ id: Int) throws(WireError) {
        guard !cursor.hasFailed else { throw invalid("too short, or no number", id) }
        guard cursor.isAtEnd else { throw invalid("too long", id) }
    }

    /// Columns that this version doesn't know.
    func readKept() throws(WireError) -> [HistoryChunk.KeptColumn] {
        var kept: [HistoryChunk.KeptColumn] = []
        for column in set.columns
        where !ID.known.contains(column.id) && column.id != ColumnSet.paddingID {
            let bytes = Array(set.bytes[column.range])
            kept.append(.init(events: head.events, id: column.id, bytes: bytes))
        }
        var cursor = cursor(ID.kept)
        let bytes = set.bytes.span
        while !cursor.isAtEnd {
            let first = cursor.nextCount(bytes)
            let count = cursor.nextCount(bytes)
            let id = cursor.nextCount(bytes)
            let range = cursor.nextBlob(bytes, limit: DocumentLimits.maximumColumnByteCount)
            guard !cursor.hasFailed, count > 0, first >= head.events.lowerBound,
                first + count <= head.events.upperBound, !ID.known.contains(id), !range.isEmpty
            else { throw invalid("no column of events of the chunk", ID.kept) }
            let events = first..<(first + count)
            kept.append(.init(events: events, id: id, bytes: Array(set.bytes[range])))
        }
        return kept
    }

    /// How many events each operation has.
    mutating func readCounts() throws(WireError) {
        let heads = set.range(of: ID.heads)
        var counts = cursor(ID.counts)
        let columns = set.bytes
        let bytes = columns.span
        operationEnds.reserveCapacity(heads.count + 1)
        var end = head.events.lowerBound
        operationEnds.append(end)
        for index in heads {
            var count = Int(bytes[index] >> Shape.countShift) + 1
            if count > Shape.longCount { count += counts.nextCount(bytes) }
            end += count
            // The sum of two counts of 62 bits doesn't overflow, and here it ends.
            guard end <= head.events.upperBound else {
                throw invalid("more events than the chunk has", ID.heads)
            }
            operationEnds.append(end)
        }
        try finish(counts, ID.counts)
        guard end == head.events.upperBound else {
            throw invalid("fewer events than the chunk has", ID.heads)
        }
    }
}

/// Where runs end that end at operations or inside them.
struct RunEnds {
    private var ends: ColumnCursor
    private var insides: ColumnCursor
    private var operation = 0

    init(_ ends: ColumnCursor, _ insides: ColumnCursor) {
        self.ends = ends
        self.insides = insides
    }

    /// The end of the next run but the last; `nil` if it is none.
    @inline(__always)
    mutating func next(_ bytes: Span<UInt8>, _ operationEnds: [LocalEvent]) -> LocalEvent? {
        let code = ends.nextCount(bytes)
        guard code >> 1 < operationEnds.count - 1 - operation else { return nil }
        operation += code >> 1
        if code & 1 == 0 { return operationEnds[operation] }
        let inside = insides.nextCount(bytes)
        guard inside > 0, inside < operationEnds[operation + 1] - operationEnds[operation] else {
            return nil
        }
        return operationEnds[operation] + inside
    }

    func finish(_ reader: ChunkReader, _ id: Int, _ insideID: Int) throws(WireError) {
        try reader.finish(ends, id)
        try reader.finish(insides, insideID)
    }
}

// MARK: - Names

extension ChunkReader {
    fileprivate mutating func readNames(into names: inout EventNames) throws(WireError) {
        let logs = set.range(of: ID.logs)
        guard logs.count % Bytes32.byteCount == 0 else { throw invalid("half a log", ID.logs) }
        logCount = logs.count / Bytes32.byteCount
        let indexes = try readLogs(logs, into: &names)
        var endOfNumbers = [Int](repeating: 0, count: logCount)
        var codes = cursor(ID.nameLogs)
        var numbers = cursor(ID.nameNumbers)
        var ends = RunEnds(cursor(ID.nameEnds), cursor(ID.nameInsides))
        let columns = set.bytes
        let bytes = columns.span
        nameStarts.reserveCapacity(codes.end - codes.index)
        nameLogs.reserveCapacity(codes.end - codes.index)
        var start = head.events.lowerBound
        var (beforeLast, last, usedCount) = (-1, -1, 0)
        while !codes.isAtEnd {
            let code = codes.nextCount(bytes)
            let log = code == 0 ? beforeLast : code - 1
            guard !codes.hasFailed, log >= 0, log < logCount, log <= usedCount else {
                throw invalid("no log", ID.nameLogs)
            }
            if log == usedCount { usedCount += 1 }
            let number = endOfNumbers[log] &+ Int(unfolding: numbers.next(bytes))
            guard
                let end = codes.isAtEnd
                    ? head.events.upperBound : ends.next(bytes, operationEnds),
                end > start
            else { throw invalid("a run that doesn't end", ID.nameEnds) }
            let count = end - start
            guard number >= 0, number < DocumentLimits.endOfNumbers - count else {
                throw invalid("no number", ID.nameNumbers)
            }
            let index = indexes[log]
            guard
                number >= names.endOfNumbers(ofLog: index)
                    || names.firstKnown(in: number..<(number + count), of: names.logs[index]) == nil
            else { throw invalid("one name for two events", ID.nameNumbers) }
            names.append(count: count, logIndex: index, number: number)
            endOfNumbers[log] = number + count
            nameStarts.append(start)
            nameLogs.append(log)
            beforeLast = last
            last = log
            start = end
        }
        try finish(numbers, ID.nameNumbers)
        try ends.finish(self, ID.nameEnds, ID.nameInsides)
        guard start == head.events.upperBound, usedCount == logCount else {
            throw invalid("events without a name, or a log without events", ID.nameLogs)
        }
    }

    /// The index in `names` of each log of the chunk.
    private func readLogs(
        _ range: Range<Int>,
        into names: inout EventNames
    ) throws(WireError) -> [Int] {
        var indexes: [Int] = []
        indexes.reserveCapacity(logCount)
        var isUsed = [Bool](repeating: false, count: names.logs.count + logCount)
        for place in stride(from: range.lowerBound, to: range.upperBound, by: Bytes32.byteCount) {
            guard let log = LogID(set.bytes[place..<(place + Bytes32.byteCount)]) else { continue }
            let index = names.logIndex(adding: log)
            guard !isUsed[index] else { throw invalid("a log twice", ID.logs) }
            isUsed[index] = true
            indexes.append(index)
        }
        return indexes
    }
}
