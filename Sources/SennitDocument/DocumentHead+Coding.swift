import SennitWire

extension DocumentHead {
    static let version: UInt8 = 1

    private enum ID {
        static let logs = 1
        static let known = 2
        static let frontier = 3
        static let map = 4
        static let containers = 5
        static let text = 6

        static let all = 0...6
    }

    /// The head as bytes.
    /// - Complexity: O(size).
    func encode() -> [UInt8] {
        var head = ByteWriter()
        head.writeVarint(eventCount)
        var indexes: [LogID: Int] = [:]
        var writers = [ByteWriter](repeating: ByteWriter(), count: ID.text)
        for (index, events) in known.enumerated() {
            indexes[events.log] = index
            writers[ID.logs].write(events.log)
            writers[ID.known].writeVarint(events.numbers.count)
            var end = 0
            for numbers in events.numbers {
                writers[ID.known].writeVarint(numbers.lowerBound - end)
                writers[ID.known].writeVarint(numbers.count - 1)
                end = numbers.upperBound
            }
        }
        var previous = 0
        for event in frontier {
            writers[ID.frontier].write(event, after: previous, indexes)
            previous = event.local
        }
        for entry in entries {
            writers[ID.map].writeBlob(entry.key)
            writers[ID.map].writeVarint(entry.values.count)
            for value in entry.values {
                writers[ID.map].write(value.event, after: 0, indexes)
                writers[ID.map].writeBlob(value.bytes)
            }
        }
        var container: UInt64 = 0
        for next in containersNeedingUpdate {
            writers[ID.containers].writeVarint(next - container)
            container = next
        }
        var columns = writers.indices.dropFirst().map {
            ColumnSet.NewColumn(id: $0, bytes: writers[$0].bytes)
        }
        columns.append(ColumnSet.NewColumn(id: ID.text, bytes: Array(text)))
        return ColumnSet.file(
            version: DocumentHead.version,
            head: head.bytes,
            columns: columns,
            level: nil
        )
    }

    /// Reads what `encode` wrote.
    /// - Throws: `malformed`; in it `unknown` if the head needs an update to be read.
    /// - Complexity: O(size); the text is hashed and checked, and not copied.
    init(decoding bytes: [UInt8]) throws(DocumentError) {
        do throws(WireError) {
            var cursor = try ColumnSet.start(of: bytes, version: DocumentHead.version)
            let at = cursor.index
            let eventCount = cursor.nextCount(bytes.span)
            guard !cursor.hasFailed, eventCount <= DocumentLimits.maximumDocumentEventCount else {
                throw .invalid(reason: "no count of events", byteOffset: at)
            }
            let set = try ColumnSet(bytes, from: cursor, knownIDs: ID.all)
            let reader = HeadReader(set: set, eventCount: eventCount)
            let known = try reader.known(logs: ID.logs, column: ID.known)
            let text = set.range(of: ID.text)
            let isText = (try? UTF8Span(validating: set.bytes.span.extracting(text))) != nil
            guard isText else { throw .notUTF8(byteOffset: text.lowerBound) }
            self.init(
                eventCount: eventCount,
                frontier: try reader.frontier(ID.frontier, known),
                known: known,
                entries: try reader.entries(ID.map, known),
                containersNeedingUpdate: try reader.containers(ID.containers),
                text: set.bytes[text]
            )
        } catch {
            throw .malformed(error)
        }
    }
}

extension ByteWriter {
    fileprivate mutating func write(
        _ event: DocumentHead.Event,
        after previous: LocalEvent,
        _ indexes: [LogID: Int]
    ) {
        guard let index = indexes[event.name.log] else {
            preconditionFailure("The events of a head are in its known logs.")
        }
        writeVarint(event.local - previous)
        writeVarint(index)
        writeVarint(event.name.number)
    }
}

/// Reads the columns of a head, none of which is trusted.
private struct HeadReader {
    let set: ColumnSet
    let eventCount: Int

    private func invalid(_ reason: String, _ id: Int) -> WireError {
        let byteOffset = set.columns.first { $0.id == id }?.byteOffset ?? 0
        return .invalid(reason: "column \(id): \(reason)", byteOffset: byteOffset)
    }

    func known(logs: Int, column: Int) throws(WireError) -> [DocumentHead.KnownEvents] {
        let range = set.range(of: logs)
        guard range.count % Bytes32.byteCount == 0 else { throw invalid("half a log", logs) }
        var cursor = ColumnCursor(set.range(of: column))
        let bytes = set.bytes.span
        var known: [DocumentHead.KnownEvents] = []
        known.reserveCapacity(range.count / Bytes32.byteCount)
        var total = 0
        for place in stride(from: range.lowerBound, to: range.upperBound, by: Bytes32.byteCount) {
            guard let log = LogID(set.bytes[place..<(place + Bytes32.byteCount)]),
                known.last.map({ $0.log < log }) ?? true
            else { throw invalid("logs that do not ascend", logs) }
            let count = cursor.nextCount(bytes)
            guard count > 0, count <= cursor.end - cursor.index else {
                throw invalid("a log without events", column)
            }
            var numbers: [Range<Int>] = []
            numbers.reserveCapacity(count)
            var end = 0
            for index in 0..<count {
                let gap = cursor.nextCount(bytes)
                let length = cursor.nextCount(bytes)
                guard gap > 0 || index == 0, gap < DocumentLimits.endOfNumbers - end,
                    length < DocumentLimits.endOfNumbers - end - gap,
                    length < eventCount - total
                else { throw invalid("more events than there are", column) }
                let start = end + gap
                end = start + length + 1
                total += length + 1
                numbers.append(start..<end)
            }
            known.append(DocumentHead.KnownEvents(log: log, numbers: numbers))
        }
        try finish(cursor, column)
        guard total == eventCount else { throw invalid("fewer events than there are", column) }
        return known
    }

    private func finish(_ cursor: ColumnCursor, _ id: Int) throws(WireError) {
        guard !cursor.hasFailed, cursor.isAtEnd else { throw invalid("too short or too long", id) }
    }

    /// Reads an event that is known.
    private func event(
        _ cursor: inout ColumnCursor,
        after previous: LocalEvent,
        _ known: [DocumentHead.KnownEvents],
        _ id: Int
    ) throws(WireError) -> DocumentHead.Event {
        let bytes = set.bytes.span
        let distance = cursor.nextCount(bytes)
        let log = cursor.nextCount(bytes)
        let number = cursor.nextCount(bytes)
        guard !cursor.hasFailed, distance < eventCount - previous, log < known.count,
            HeadReader.holds(known[log].numbers, number)
        else { throw invalid("no event", id) }
        let name = EventID(log: known[log].log, number: UInt64(number))
        return DocumentHead.Event(local: previous + distance, name: name)
    }

    /// Whether one of ascending ranges holds a number.
    private static func holds(_ ranges: [Range<Int>], _ number: Int) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= number { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(number)
    }

    func frontier(
        _ id: Int,
        _ known: [DocumentHead.KnownEvents]
    ) throws(WireError) -> [DocumentHead.Event] {
        var cursor = ColumnCursor(set.range(of: id))
        var events: [DocumentHead.Event] = []
        while !cursor.isAtEnd {
            let event = try event(&cursor, after: events.last?.local ?? 0, known, id)
            guard events.last.map({ $0.local < event.local }) ?? true else {
                throw invalid("events that do not ascend", id)
            }
            events.append(event)
        }
        // Nothing follows the newest event, so it is in the frontier.
        guard (events.last?.local ?? -1) == eventCount - 1 else {
            throw invalid("not the newest event", id)
        }
        return events
    }

    func entries(
        _ id: Int,
        _ known: [DocumentHead.KnownEvents]
    ) throws(WireError) -> [DocumentHead.Entry] {
        var cursor = ColumnCursor(set.range(of: id))
        let bytes = set.bytes.span
        var entries: [DocumentHead.Entry] = []
        while !cursor.isAtEnd {
            let key = cursor.nextBlob(bytes, limit: DocumentLimits.maximumKeyByteCount)
            let count = cursor.nextCount(bytes)
            guard !cursor.hasFailed, count > 0,
                (try? UTF8Span(validating: bytes.extracting(key))) != nil
            else { throw invalid("no key", id) }
            var entry = DocumentHead.Entry(key: Array(set.bytes[key]), values: [])
            guard entries.last.map({ $0.key.lexicographicallyPrecedes(entry.key) }) ?? true else {
                throw invalid("keys that do not ascend", id)
            }
            for _ in 0..<count {
                let event = try event(&cursor, after: 0, known, id)
                let limit = DocumentLimits.maximumValueByteCount
                let value = cursor.nextBlob(bytes, limit: limit)
                guard !cursor.hasFailed,
                    entry.values.last.map({ $0.event.local < event.local }) ?? true
                else { throw invalid("no value, or values that do not ascend", id) }
                entry.values.append(.init(event: event, bytes: Array(set.bytes[value])))
            }
            entries.append(entry)
        }
        return entries
    }

    func containers(_ id: Int) throws(WireError) -> [UInt64] {
        var cursor = ColumnCursor(set.range(of: id))
        let bytes = set.bytes.span
        var containers: [UInt64] = []
        while !cursor.isAtEnd {
            let distance = cursor.next(bytes)
            let sum = (containers.last ?? 0).addingReportingOverflow(distance)
            guard !cursor.hasFailed, !sum.overflow, distance > 0 || containers.isEmpty else {
                throw invalid("containers that do not ascend", id)
            }
            containers.append(sum.partialValue)
        }
        return containers
    }
}
