import SennitWire

extension HistoryChunk {
    /// Writes events.
    /// - Parameters:
    ///   - history: Holds them. If it lacks the older part of the document, its event n is event
    ///     n + `offset` of the document.
    ///   - events: Of `history`; not empty.
    ///   - offset: How many events of the document `history` lacks.
    ///   - baseFrontier: The parents of those events of `history` that have none in it, ascending
    ///     and below `offset`.
    ///   - kept: What `append` returned when these events were read, in as many chunks as they
    ///     were; columns of other events are passed over.
    /// - Complexity: O(size), most of it in zstd.
    static func encode(
        _ history: History,
        events: Range<LocalEvent>,
        offset: Int = 0,
        baseFrontier: [LocalEvent] = [],
        keeping kept: [KeptColumn] = [],
        effort: Effort = .quick
    ) -> [UInt8] {
        precondition(
            !events.isEmpty && events.lowerBound >= 0 && events.upperBound <= history.count,
            "A chunk holds events of its history."
        )
        var columns = ChunkColumns(history, events: events)
        columns.addNames()
        columns.addOperations()
        columns.addGraph(offset: offset, baseFrontier: baseFrontier)
        let range = (events.lowerBound + offset)..<(events.upperBound + offset)
        var head = ByteWriter()
        head.writeVarint(range.lowerBound)
        head.writeVarint(range.count)
        head.writeVarint(columns.hasCaretsPerLog ? 1 : 0)
        let all = columns.all(keeping: kept, events: range)
        return ColumnSet.file(
            version: version,
            head: head.bytes,
            columns: all,
            level: level(effort, byteCount: all.reduce(0) { $0 + $1.bytes.count })
        )
    }

    /// The level of zstd: see docs/PERFORMANCE.md for what each costs.
    private static func level(_ effort: Effort, byteCount: Int) -> Int32 {
        switch effort {
        case .quick:
            byteCount < 1 << 16 ? 12 : byteCount < 1 << 20 ? 9 : byteCount < 1 << 23 ? 6 : 3
        case .thorough: byteCount < 1 << 23 ? 19 : byteCount < 1 << 26 ? 12 : 9
        }
    }
}

/// The columns of a chunk that is being written.
private struct ChunkColumns {
    private let history: History
    private let events: Range<LocalEvent>
    private var writers = [ByteWriter](
        repeating: ByteWriter(),
        count: HistoryChunk.ColumnID.known.upperBound + 1
    )
    private var text: [UInt8] = []
    /// Where operations begin, and the end.
    private var operationEnds: [LocalEvent] = []
    /// The first event of each run of names, and the log by first use.
    private var nameRuns: [(start: LocalEvent, log: Int)] = []
    private(set) var hasCaretsPerLog = false

    private typealias ID = HistoryChunk.ColumnID
    private typealias Shape = HistoryChunk.Shape

    init(_ history: History, events: Range<LocalEvent>) {
        self.history = history
        self.events = events
        let operations = history.operations
        var index = operations.operationIndex(of: events.lowerBound)
        operationEnds.append(events.lowerBound)
        while index < operations.operationCount {
            let end = min(operations[index].events.upperBound, events.upperBound)
            operationEnds.append(end)
            if end == events.upperBound { break }
            index += 1
        }
    }

    /// Everything, with what newer versions wrote.
    func all(
        keeping kept: [HistoryChunk.KeptColumn],
        events: Range<LocalEvent>
    ) -> [ColumnSet.NewColumn] {
        var writers = writers
        var foreign: [ColumnSet.NewColumn] = []
        for column in kept where column.events.overlaps(events) {
            precondition(
                column.events.clamped(to: events) == column.events,
                "What a newer version wrote about some events stays with all of them."
            )
            if column.events == events {
                let bytes = column.bytes
                foreign.append(.init(id: column.id, isNeeded: false, bytes: bytes))
            } else {
                writers[ID.kept].writeVarint(column.events.lowerBound)
                writers[ID.kept].writeVarint(column.events.count)
                writers[ID.kept].writeVarint(column.id)
                writers[ID.kept].writeBlob(column.bytes)
            }
        }
        let own = writers.indices.map { id in
            ColumnSet.NewColumn(id: id, bytes: id == ID.text ? text : writers[id].bytes)
        }
        return own + foreign
    }

    /// Writes where runs end: `starts` are those of all runs.
    private mutating func addEnds(of starts: [LocalEvent], ends: Int, insides: Int) {
        var operation = 0
        for start in starts.dropFirst() {
            let last = operation
            while operationEnds[operation + 1] <= start { operation += 1 }
            let inside = start - operationEnds[operation]
            writers[ends].writeVarint((operation - last) << 1 | (inside > 0 ? 1 : 0))
            if inside > 0 { writers[insides].writeVarint(inside) }
        }
    }
}

// MARK: - Names

extension ChunkColumns {
    mutating func addNames() {
        let names = history.names
        var indexes: [Int: Int] = [:]
        var endOfNumbers: [Int] = []
        var beforeLast = -1
        var last = -1
        var run = names.runIndex(of: events.lowerBound)
        while run < names.runs.count, names.runs[run].start < events.upperBound {
            let start = max(names.runs[run].start, events.lowerBound)
            let end = min(names.end(ofRun: run), events.upperBound)
            let number = names.runs[run].number + (start - names.runs[run].start)
            let log = indexes[names.runs[run].log] ?? endOfNumbers.count
            if log == endOfNumbers.count {
                indexes[names.runs[run].log] = log
                endOfNumbers.append(0)
                writers[ID.logs].write(names.logs[names.runs[run].log])
            }
            writers[ID.nameLogs].writeVarint(log == beforeLast ? 0 : log + 1)
            writers[ID.nameNumbers].writeSigned(number - endOfNumbers[log])
            endOfNumbers[log] = number + (end - start)
            nameRuns.append((start, log))
            beforeLast = last
            last = log
            run += 1
        }
        addEnds(of: nameRuns.map(\.start), ends: ID.nameEnds, insides: ID.nameInsides)
    }
}

// MARK: - The graph

extension ChunkColumns {
    mutating func addGraph(offset: Int, baseFrontier: [LocalEvent]) {
        let graph = history.graph
        var run = graph.runIndex(of: events.lowerBound)
        var starts: [LocalEvent] = []
        var previous = PreviousEvents(nameRuns: nameRuns)
        while run < graph.runs.count, graph.runs[run].start < events.upperBound {
            let range = graph.events(ofRun: run)
            let start = max(range.lowerBound, events.lowerBound)
            var parents = Array(graph.parentPool[graph.parentRange(ofRun: run)])
            if start > range.lowerBound {
                parents = [start - 1]
            } else if parents.isEmpty {
                parents = baseFrontier.map { $0 - offset }
            }
            starts.append(start)
            let own = previous.event(before: start)
            let others = parents.filter { $0 != own }
            let isOwnParent = others.count < parents.count
            writers[ID.parentCounts].writeVarint(others.count << 1 | (isOwnParent ? 1 : 0))
            for parent in others { add(parent, before: starts) }
            run += 1
        }
        addEnds(of: starts, ends: ID.graphEnds, insides: ID.graphInsides)
    }

    /// Writes a parent of the last run of `starts`.
    private mutating func add(_ parent: LocalEvent, before starts: [LocalEvent]) {
        if parent < events.lowerBound {
            writers[ID.parentRuns].writeVarint(starts.count - 1)
            writers[ID.parentGaps].writeVarint(events.lowerBound - 1 - parent)
        } else {
            var low = 0
            var high = starts.count - 1
            while low + 1 < high {
                let middle = (low + high) / 2
                if starts[middle] <= parent { low = middle } else { high = middle }
            }
            writers[ID.parentRuns].writeVarint(starts.count - 2 - low)
            writers[ID.parentGaps].writeVarint(starts[low + 1] - 1 - parent)
        }
    }
}

/// For ascending events the one before of the same log in the chunk.
private struct PreviousEvents {
    private let nameRuns: [(start: LocalEvent, log: Int)]
    private var index = 0
    /// For each log its last event in the runs before `index`; -1 for none.
    private var last: [LocalEvent]

    init(nameRuns: [(start: LocalEvent, log: Int)]) {
        self.nameRuns = nameRuns
        last = [LocalEvent](repeating: -1, count: nameRuns.reduce(0) { max($0, $1.log + 1) })
    }

    mutating func event(before event: LocalEvent) -> LocalEvent? {
        while index + 1 < nameRuns.count, nameRuns[index + 1].start <= event {
            last[nameRuns[index].log] = nameRuns[index + 1].start - 1
            index += 1
        }
        let run = nameRuns[index]
        let previous = run.start < event ? event - 1 : last[run.log]
        return previous < 0 ? nil : previous
    }
}

// MARK: - Operations

extension ChunkColumns {
    mutating func addOperations() {
        let logCount = nameRuns.reduce(0) { max($0, $1.log + 1) }
        var columns = OperationColumns(logCount: logCount, isPerLog: false)
        addHeads(to: &columns)
        if logCount > 1 {
            // People who type at once have a caret each; patches that are applied one after
            // another go from the top to the bottom of a text.
            var perLog = OperationColumns(logCount: logCount, isPerLog: true)
            addHeads(to: &perLog)
            hasCaretsPerLog = perLog.moves.bytes.count < columns.moves.bytes.count
            if hasCaretsPerLog { columns = perLog }
        }
        writers[ID.heads] = columns.heads
        writers[ID.counts] = columns.counts
        writers[ID.moves] = columns.moves
        addTables()
    }

    private func operation(_ index: Int, first: Int) -> OperationLog.Operation {
        let range = operationEnds[index]..<operationEnds[index + 1]
        return history.operations.piece(of: history.operations[first + index], range)
    }

    private func addHeads(to columns: inout OperationColumns) {
        let first = history.operations.operationIndex(of: events.lowerBound)
        var name = 0
        for index in 0..<(operationEnds.count - 1) {
            let operation = operation(index, first: first)
            let start = operation.events.lowerBound
            while name + 1 < nameRuns.count, nameRuns[name + 1].start <= start { name += 1 }
            columns.add(operation, log: nameRuns[name].log)
        }
    }

    /// Writes text, kinds and containers.
    private mutating func addTables() {
        let first = history.operations.operationIndex(of: events.lowerBound)
        var textRange: Range<Int>?
        var container: UInt64 = 0
        var sameCount = 0
        for index in 0..<(operationEnds.count - 1) {
            let operation = operation(index, first: first)
            var own: UInt64 = 0
            switch operation.kind {
            case .insert:
                let start = textRange?.lowerBound ?? operation.text.lowerBound
                textRange = start..<operation.text.upperBound
                if operation.isVoid { addKind(HistoryChunk.Kind.insert, isVoid: true) }
            case .deleteForward:
                if operation.isVoid { addKind(HistoryChunk.Kind.deleteForward, isVoid: true) }
            case .deleteBackward:
                if operation.isVoid { addKind(HistoryChunk.Kind.deleteBackward, isVoid: true) }
            case .map:
                add(history.operations.mapChanges[operation.position])
            case .gather:
                addKind(HistoryChunk.Kind.gather, isVoid: false)
            case .unknown:
                let unknown = history.operations.unknowns[operation.position]
                own = unknown.container
                addForeignKind(unknown.kind)
                writers[ID.unknownBytes].writeBlob(unknown.bytes)
            }
            if own != container {
                addContainer(container, operationCount: sameCount)
                container = own
                sameCount = 0
            }
            sameCount += 1
        }
        if container != 0 || !writers[ID.containers].bytes.isEmpty {
            addContainer(container, operationCount: sameCount)
        }
        if let textRange { text = Array(history.operations.pool[textRange]) }
    }

    private mutating func addContainer(_ container: UInt64, operationCount: Int) {
        if operationCount == 0 { return }
        writers[ID.containers].writeVarint(container)
        writers[ID.containers].writeVarint(operationCount)
    }

    private mutating func addKind(_ kind: Int, isVoid: Bool) {
        writers[ID.kinds].writeVarint(kind << 1 | (isVoid ? 1 : 0))
    }

    /// Kinds are any 64-bit numbers, so what doesn't fit with the flag is written behind it.
    private mutating func addForeignKind(_ kind: UInt64) {
        if kind >> 62 == 0 {
            addKind(Int(kind), isVoid: false)
        } else {
            addKind(0, isVoid: false)
            writers[ID.kinds].writeVarint(kind)
        }
    }

    private mutating func add(_ change: OperationLog.MapChange) {
        let kind = change.value == nil ? HistoryChunk.Kind.remove : HistoryChunk.Kind.set
        addKind(kind, isVoid: false)
        writers[ID.keys].writeBlob(change.key)
        if let value = change.value { writers[ID.values].writeBlob(value) }
    }
}

/// The columns of operations, for one of the two ways to keep carets.
private struct OperationColumns {
    private(set) var heads = ByteWriter()
    private(set) var counts = ByteWriter()
    private(set) var moves = ByteWriter()
    private var carets: HistoryChunk.Carets

    private typealias Shape = HistoryChunk.Shape

    init(logCount: Int, isPerLog: Bool) {
        carets = HistoryChunk.Carets(logCount: logCount, isPerLog: isPerLog)
    }

    mutating func add(_ operation: OperationLog.Operation, log: Int) {
        let count = operation.events.count
        var shape = Shape.other
        var move = 0
        switch operation.kind {
        case .insert:
            move = operation.position - carets[log]
            if !operation.isVoid { shape = Shape.insert }
        case .deleteForward:
            move = operation.position - carets[log]
            if !operation.isVoid {
                shape = Shape.deleteForward
                if move == -1 && count == 1 {
                    shape = Shape.deleteBackward
                    move = 0
                }
            }
        case .deleteBackward:
            move = operation.position - carets[log]
            if !operation.isVoid {
                shape = Shape.deleteBackward
                move += count
            }
        case .map, .unknown, .gather:
            break
        }
        if shape != Shape.other {
            carets[log] = operation.position + (shape == Shape.insert ? count : 0)
        }
        let short = UInt8(min(count, Shape.longCount + 1) - 1)
        heads.write(shape | (move != 0 ? Shape.moved : 0) | short << Shape.countShift)
        if count > Shape.longCount { counts.writeVarint(count - Shape.longCount - 1) }
        if move != 0 {
            // Folded as in `writeSigned`; 0 is not written, so everything is one less.
            moves.writeVarint(UInt64(bitPattern: Int64(move << 1 ^ move >> 63)) - 1)
        }
    }
}
