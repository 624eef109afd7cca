// What each event of a document does, in runs, in local order.
//
// An operation is stored as its author made it: an index into the text at its parents. Nothing is
// ever transformed. A run of n events is one operation on n scalars:
//
//     insert           event i inserts scalar i of the text at position + i
//     deleteForward    every event deletes the scalar at position (the Delete key)
//     deleteBackward   event i deletes the scalar at position + count - 1 - i (Backspace)
//     map              one change of a map
//     unknown, gather  no effect: a kind that a newer version knows; a meeting of versions
//
// so a piece of an operation is an operation again. Inserted text lies in one pool of UTF-8.

/// The operations of all events of a document.
struct OperationLog: Sendable {
    enum Kind: UInt8 {
        case insert
        case deleteForward
        case deleteBackward
        case map
        case unknown
        case gather
    }

    /// One operation or a piece of one, unpacked.
    struct Operation {
        var kind: Kind
        /// Whether the position did not exist at the parents, so that the events have no effect.
        var isVoid: Bool
        var events: Range<LocalEvent>
        /// For text the lowest position; otherwise an index into the table of the kind.
        var position: Int
        /// Where in the pool the inserted text lies; empty for all but insertions.
        var text: Range<Int>
    }

    /// An operation as it lies in memory: 16 bytes. Its events and its text end where those of the
    /// next one begin.
    private struct Stored {
        /// The first event, and in the lowest three bits what lies at `position`.
        var startAndTag: UInt64
        /// For text the lowest position; otherwise an index into the table of the tag.
        var position: UInt32
        /// Where in the pool the text begins, or would begin.
        var textStart: UInt32

        var start: LocalEvent { LocalEvent(startAndTag >> 3) }
        /// The raw value of a kind, or `voidTag`.
        var tag: UInt8 { UInt8(truncatingIfNeeded: startAndTag & 7) }

        init(start: LocalEvent, tag: UInt8, position: UInt32, textStart: Int) {
            startAndTag = UInt64(start) << 3 | UInt64(tag)
            self.position = position
            self.textStart = UInt32(textStart)
        }

        /// Makes it a backward deletion down to a position.
        @inline(__always)
        mutating func eraseBackward(to position: UInt32) {
            startAndTag = startAndTag & ~7 | UInt64(Kind.deleteBackward.rawValue)
            self.position = position
        }
    }

    /// An operation without effect: its position did not exist, and may be any number.
    private struct Void {
        var kind: Kind
        var position: Int
    }

    /// What a map operation does: sets `key` to `value`, or removes it if that is `nil`.
    struct MapChange {
        var key: [UInt8]
        var value: [UInt8]?
    }

    /// An operation of an unknown kind, as it came.
    struct Unknown {
        var kind: UInt64
        var container: UInt64
        var bytes: [UInt8]
    }

    private static let voidTag: UInt8 = 7

    /// Invariant: ascending in `start` and `textStart`, each from 0.
    private var stored: [Stored] = []
    private var voids: [Void] = []
    /// Everything that was ever inserted, as UTF-8, in local order.
    private(set) var pool: [UInt8] = []
    private(set) var mapChanges: [MapChange] = []
    private(set) var unknowns: [Unknown] = []
    /// How many events there are.
    private(set) var count = 0

    /// How many operations there are.
    var operationCount: Int { stored.count }

    /// An operation, by its index in local order.
    @inline(__always)
    subscript(index: Int) -> Operation {
        let one = stored[index]
        let isLast = index + 1 == stored.count
        let end = isLast ? count : stored[index + 1].start
        let textEnd = isLast ? pool.count : Int(stored[index + 1].textStart)
        var operation = Operation(
            kind: .gather,
            isVoid: false,
            events: one.start..<end,
            position: Int(one.position),
            text: Int(one.textStart)..<textEnd
        )
        if let kind = Kind(rawValue: one.tag) {
            operation.kind = kind
        } else {
            let void = voids[Int(one.position)]
            operation.kind = void.kind
            operation.isVoid = true
            operation.position = void.position
        }
        return operation
    }
}

// MARK: - Adding

extension OperationLog {
    /// Adds an insertion of valid UTF-8, `scalarCount` scalars long, in pieces of bounded length.
    mutating func append(inserted text: ArraySlice<UInt8>, scalarCount: Int, at position: Int) {
        let isASCII = text.count == scalarCount
        var rest = text
        var done = 0
        while done < scalarCount {
            let count = min(scalarCount - done, DocumentLimits.maximumStoredScalarCount)
            let byteCount =
                isASCII ? count : OperationLog.byteCount(of: count, scalarsOf: rest)
            append(.insert, count: count, position: position + done)
            pool.append(contentsOf: rest.prefix(byteCount))
            rest = rest.dropFirst(byteCount)
            done += count
        }
    }

    /// Adds a deletion of `range`.
    mutating func append(deleted range: Range<Int>, isBackward: Bool) {
        append(
            isBackward ? .deleteBackward : .deleteForward,
            count: range.count,
            position: range.lowerBound
        )
    }

    /// Adds one change of a map.
    mutating func append(_ change: MapChange) {
        mapChanges.append(change)
        append(.map, count: 1, position: mapChanges.count - 1)
    }

    /// Adds events of a kind that this version doesn't know.
    mutating func append(_ unknown: Unknown, count: Int) {
        unknowns.append(unknown)
        append(.unknown, count: count, position: unknowns.count - 1)
    }

    /// Adds one event without effect.
    mutating func appendGathering() {
        append(.gather, count: 1, position: 0)
    }

    /// Adds an operation whose text, if it has one, is appended to the pool next.
    mutating func append(_ kind: Kind, count eventCount: Int, position: Int) {
        var tag = kind.rawValue
        var low = UInt32(truncatingIfNeeded: position)
        if position > Int(UInt32.max) {
            // No text is that long, so the operation can have no effect.
            tag = OperationLog.voidTag
            low = UInt32(voids.count)
            voids.append(Void(kind: kind, position: position))
        }
        stored.append(Stored(start: count, tag: tag, position: low, textStart: pool.count))
        count += eventCount
    }

    /// Adds bytes to the text of the last operation.
    mutating func appendText(_ bytes: ArraySlice<UInt8>) { pool.append(contentsOf: bytes) }

    /// The same for a few bytes.
    @inline(__always)
    mutating func appendText(_ bytes: Span<UInt8>) {
        for index in bytes.indices { pool.append(bytes[index]) }
    }

    /// Makes room, so that adding so much moves nothing.
    mutating func reserve(operationCount: Int, byteCount: Int) {
        stored.reserveCapacity(stored.count + operationCount)
        pool.reserveCapacity(pool.count + byteCount)
    }

    /// Adds an operation that was stored. Its text is the next bytes of a pool that comes later;
    /// `textStart` is the sum of those before it.
    mutating func append(
        stored kind: Kind,
        isVoid: Bool,
        count eventCount: Int,
        position: Int,
        textStart: Int
    ) {
        let isFar = position > Int(UInt32.max)
        if isVoid || isFar { voids.append(Void(kind: kind, position: position)) }
        stored.append(
            Stored(
                start: count,
                tag: isVoid || isFar ? OperationLog.voidTag : kind.rawValue,
                position: isVoid || isFar ? UInt32(voids.count - 1) : UInt32(position),
                textStart: textStart
            )
        )
        count += eventCount
    }

    /// Takes over the texts of all operations, of which there were none yet.
    /// - Returns: Whether the pool is valid UTF-8 and gives each inserting event its scalar.
    mutating func setPool(_ pool: [UInt8]) -> Bool {
        self.pool = pool
        guard Int(stored.last?.textStart ?? 0) <= pool.count,
            String(validating: pool, as: UTF8.self) != nil
        else { return false }
        let isASCII = pool.allSatisfy { $0 < 0x80 }
        for index in stored.indices {
            let operation = self[index]
            let scalarCount = operation.kind == .insert ? operation.events.count : 0
            if isASCII {
                guard operation.text.count == scalarCount else { return false }
            } else {
                guard operation.text.isEmpty || pool[operation.text.lowerBound] & 0xC0 != 0x80,
                    TextCounts(pool[operation.text]).scalars == scalarCount
                else { return false }
            }
        }
        return true
    }

    /// Whether an operation is without effect.
    @inline(__always)
    func isVoid(operationIndex: Int) -> Bool {
        stored[operationIndex].tag == OperationLog.voidTag
    }

    /// Marks an operation on text as being without effect.
    mutating func markVoid(operationIndex: Int) {
        let operation = self[operationIndex]
        guard !operation.isVoid else { return }
        stored[operationIndex] = Stored(
            start: operation.events.lowerBound,
            tag: OperationLog.voidTag,
            position: UInt32(voids.count),
            textStart: operation.text.lowerBound
        )
        voids.append(Void(kind: operation.kind, position: operation.position))
    }

    /// Lengthens the last operation, which inserts, by what was typed at its end.
    /// - Returns: Whether it could be lengthened.
    @inline(__always)
    mutating func extendInsertion(at position: Int, count eventCount: Int) -> Bool {
        guard let last = stored.last, last.tag == Kind.insert.rawValue else { return false }
        let length = count - last.start
        guard Int(last.position) + length == position,
            length + eventCount <= DocumentLimits.maximumStoredScalarCount
        else { return false }
        count += eventCount
        return true
    }

    /// Lengthens the last operation by the deletion of one scalar, if it goes on that way.
    @inline(__always)
    mutating func extendDeletion(ofScalarAt position: Int) -> Bool {
        guard let last = stored.last, position <= Int(UInt32.max) else { return false }
        let isForward = last.tag == Kind.deleteForward.rawValue
        if isForward && Int(last.position) == position {
            count += 1
            return true
        }
        guard Int(last.position) == position + 1,
            last.tag == Kind.deleteBackward.rawValue || (isForward && count - last.start == 1)
        else { return false }
        stored[stored.count - 1] = Stored(
            start: last.start,
            tag: Kind.deleteBackward.rawValue,
            position: UInt32(position),
            textStart: Int(last.textStart)
        )
        count += 1
        return true
    }

    /// Adds an ASCII character to the text of the last operation.
    @inline(__always)
    mutating func appendText(_ byte: UInt8) { pool.append(byte) }

    /// Lengthens the last operation by events that do the same; their text is added beside.
    @inline(__always)
    mutating func extend(by eventCount: Int) { count += eventCount }

    /// Lengthens the last operation, which deletes backward or one scalar, by the one before.
    @inline(__always)
    mutating func eraseBackward(to position: Int) {
        stored[stored.count - 1].eraseBackward(to: UInt32(truncatingIfNeeded: position))
        count += 1
    }

    /// Where the last operation goes on in a text of so many scalars; the author is not known here.
    @inline(__always)
    func caret(scalarCount: Int) -> TypingCaret {
        guard let last = stored.last else { return TypingCaret() }
        let length = count - last.start
        let position = Int(last.position)
        switch Kind(rawValue: last.tag) {
        case .insert:
            return TypingCaret(
                insertingAt: position + length,
                room: DocumentLimits.maximumStoredScalarCount - length
            )
        case .deleteBackward:
            return TypingCaret(erasingAt: position, backwardRoom: position, forwardRoom: 0)
        case .deleteForward:
            return TypingCaret(
                erasingAt: position,
                backwardRoom: length == 1 ? position : 0,
                forwardRoom: scalarCount - position
            )
        default: return TypingCaret()
        }
    }

    /// Joins operations from `index` on to their predecessors where the two make one.
    mutating func coalesce(from index: Int) {
        var kept = max(index, 1)
        let end = stored.count
        if kept >= end { return }
        for next in kept..<end {
            // What lies between `kept` and `next` is joined already, so the ends are right.
            let events = (stored[kept - 1].start, stored[next].start)
            let nextEnd = next + 1 < end ? stored[next + 1].start : count
            if !join(kept - 1, count: events.1 - events.0, next, count: nextEnd - events.1) {
                stored[kept] = stored[next]
                kept += 1
            }
        }
        stored.removeSubrange(kept...)
    }

    /// Makes two neighbours one, if they are one; `count` says how many events each has.
    private mutating func join(_ index: Int, count: Int, _ other: Int, count added: Int) -> Bool {
        let last = stored[index]
        let next = stored[other]
        guard let kind = Kind(rawValue: last.tag), let nextKind = Kind(rawValue: next.tag) else {
            return false
        }
        let isSingle = added == 1
        switch (kind, nextKind) {
        case (.insert, .insert):
            return Int(last.position) + count == Int(next.position)
                && count + added <= DocumentLimits.maximumStoredScalarCount
        case (.deleteForward, .deleteForward) where last.position == next.position:
            return true
        case (.deleteForward, .deleteForward)
        where count == 1 && isSingle && Int(next.position) == Int(last.position) - 1,
            (.deleteBackward, .deleteForward)
        where isSingle && Int(next.position) == Int(last.position) - 1,
            (.deleteBackward, .deleteBackward)
        where Int(next.position) + added == Int(last.position):
            stored[index] = Stored(
                start: last.start,
                tag: Kind.deleteBackward.rawValue,
                position: next.position,
                textStart: Int(last.textStart)
            )
            return true
        default:
            return false
        }
    }

    /// Forgets all operations of events from `end` on, which is where an operation begins.
    mutating func truncate(to end: LocalEvent) {
        while let last = stored.last, last.start >= end {
            pool.removeSubrange(Int(last.textStart)...)
            if last.tag == Kind.map.rawValue { mapChanges.removeLast() }
            if last.tag == Kind.unknown.rawValue { unknowns.removeLast() }
            if last.tag == OperationLog.voidTag { voids.removeLast() }
            stored.removeLast()
        }
        count = end
    }
}

// MARK: - Reading

extension OperationLog {
    /// The index of the operation that holds `event`.
    /// - Complexity: O(log n), O(1) for the last one.
    func operationIndex(of event: LocalEvent) -> Int {
        var low = 0
        var high = stored.count - 1
        if stored[high].start <= event { return high }
        while low < high {
            let middle = (low + high + 1) / 2
            if stored[middle].start <= event {
                low = middle
            } else {
                high = middle - 1
            }
        }
        return low
    }

    /// The same, in O(log d) if it is d operations away from `hint`, which may be any number.
    func operationIndex(of event: LocalEvent, near hint: Int) -> Int {
        var low = min(max(hint, 0), stored.count - 1)
        var high = low
        var step = 1
        if stored[low].start <= event {
            // Invariant: `low` begins no later than the event; `high` does, or is the last.
            high = min(low + step, stored.count - 1)
            while high > low, stored[high].start <= event {
                low = high
                step *= 2
                high = min(low + step, stored.count - 1)
            }
        } else {
            while stored[low].start > event {
                high = low
                low = max(low - step, 0)
                step *= 2
            }
        }
        while low < high {
            let middle = (low + high + 1) / 2
            if stored[middle].start <= event { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// How many operations have events in a range, which is not empty.
    func count(in events: Range<LocalEvent>) -> Int {
        operationIndex(of: events.upperBound - 1) - operationIndex(of: events.lowerBound) + 1
    }

    /// The part of an operation that the events of `range` make; `range` lies within its events.
    @inline(__always)
    func piece(of operation: Operation, _ range: Range<LocalEvent>) -> Operation {
        range == operation.events ? operation : part(of: operation, range)
    }

    private func part(of operation: Operation, _ range: Range<LocalEvent>) -> Operation {
        var piece = operation
        piece.events = range
        let skipped = range.lowerBound - operation.events.lowerBound
        let left = operation.events.upperBound - range.upperBound
        switch operation.kind {
        case .insert:
            piece.position += skipped
            if operation.text.count == operation.events.count {
                let start = operation.text.lowerBound + skipped
                piece.text = start..<(start + range.count)
                break
            }
            let whole = pool[operation.text]
            let text = whole.dropFirst(OperationLog.byteCount(of: skipped, scalarsOf: whole))
            let byteCount = OperationLog.byteCount(of: range.count, scalarsOf: text)
            piece.text = text.startIndex..<(text.startIndex + byteCount)
        case .deleteBackward:
            piece.position += left
        case .deleteForward, .map, .unknown, .gather:
            break
        }
        return piece
    }

    /// How many bytes the first `count` scalars of `bytes` take.
    static func byteCount(of count: Int, scalarsOf bytes: ArraySlice<UInt8>) -> Int {
        var seen = 0
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] & 0xC0 != 0x80 {
                if seen == count { break }
                seen += 1
            }
            index += 1
        }
        return index - bytes.startIndex
    }
}
