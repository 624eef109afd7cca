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

    /// One stored operation or a piece of one.
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

    /// Invariant: consecutive in `events`.
    private(set) var operations: [Operation] = []
    /// Everything that was ever inserted, as UTF-8, in local order.
    private(set) var pool: [UInt8] = []
    private(set) var mapChanges: [MapChange] = []
    private(set) var unknowns: [Unknown] = []

    /// How many events there are.
    var count: Int { operations.last?.events.upperBound ?? 0 }
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
            let start = self.count
            let offset = pool.count
            pool.append(contentsOf: rest.prefix(byteCount))
            rest = rest.dropFirst(byteCount)
            operations.append(
                Operation(
                    kind: .insert,
                    isVoid: false,
                    events: start..<(start + count),
                    position: position + done,
                    text: offset..<pool.count
                )
            )
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

    /// Adds an operation that was stored, before its text is known.
    mutating func append(_ operation: Operation) {
        operations.append(operation)
    }

    /// Gives each operation its part of a pool of texts.
    /// - Returns: Whether all is valid UTF-8 of as many scalars as there are inserting events.
    mutating func setTexts(_ byteCounts: [Int], pool: [UInt8]) -> Bool {
        var start = 0
        for (index, byteCount) in byteCounts.enumerated() {
            let text = start..<(start + byteCount)
            let isInsert = operations[index].kind == .insert
            guard text.upperBound <= pool.count,
                text.upperBound == pool.count || pool[text.upperBound] & 0xC0 != 0x80,
                TextCounts(pool[text]).scalars == (isInsert ? operations[index].events.count : 0)
            else { return false }
            operations[index].text = text
            start = text.upperBound
        }
        self.pool = pool
        return start == pool.count && String(validating: pool, as: UTF8.self) != nil
    }

    private mutating func append(_ kind: Kind, count: Int, position: Int) {
        let start = self.count
        operations.append(
            Operation(
                kind: kind,
                isVoid: false,
                events: start..<(start + count),
                position: position,
                text: pool.count..<pool.count
            )
        )
    }

    /// Marks a stored operation as being without effect.
    mutating func markVoid(operationIndex: Int) {
        operations[operationIndex].isVoid = true
    }

    /// Joins operations from `index` on to their predecessors where the two make one.
    mutating func coalesce(from index: Int) {
        var kept = max(index, 1)
        for next in kept..<max(operations.count, kept) {
            if !extend(kept - 1, by: operations[next]) {
                operations[kept] = operations[next]
                kept += 1
            }
        }
        if kept < operations.count { operations.removeSubrange(kept...) }
    }

    private mutating func extend(_ index: Int, by next: Operation) -> Bool {
        let last = operations[index]
        guard last.isVoid == next.isVoid else { return false }
        let count = last.events.count
        let isSingle = next.events.count == 1
        switch (last.kind, next.kind) {
        case (.insert, .insert):
            guard last.position + count == next.position,
                count + next.events.count <= DocumentLimits.maximumStoredScalarCount
            else { return false }
            operations[index].text = last.text.lowerBound..<next.text.upperBound
        case (.deleteForward, .deleteForward) where last.position == next.position:
            break
        case (.deleteForward, .deleteForward)
        where count == 1 && isSingle && next.position == last.position - 1,
            (.deleteBackward, .deleteForward) where isSingle && next.position == last.position - 1:
            operations[index].kind = .deleteBackward
            operations[index].position = next.position
        case (.deleteBackward, .deleteBackward)
        where next.position + next.events.count == last.position:
            operations[index].position = next.position
        default:
            return false
        }
        operations[index].events = last.events.lowerBound..<next.events.upperBound
        return true
    }

    /// Forgets all operations of events from `end` on, which is where an operation begins.
    mutating func truncate(to end: LocalEvent) {
        while let last = operations.last, last.events.lowerBound >= end {
            pool.removeSubrange(last.text)
            if last.kind == .map { mapChanges.removeLast() }
            if last.kind == .unknown { unknowns.removeLast() }
            operations.removeLast()
        }
    }
}

// MARK: - Reading

extension OperationLog {
    /// The index of the operation that holds `event`.
    /// - Complexity: O(log n), O(1) for the last one.
    func operationIndex(of event: LocalEvent) -> Int {
        var low = 0
        var high = operations.count - 1
        if operations[high].events.lowerBound <= event { return high }
        while low < high {
            let middle = (low + high + 1) / 2
            if operations[middle].events.lowerBound <= event {
                low = middle
            } else {
                high = middle - 1
            }
        }
        return low
    }

    /// The part of an operation that the events of `range` make; `range` lies within its events.
    func piece(of operation: Operation, _ range: Range<LocalEvent>) -> Operation {
        var piece = operation
        piece.events = range
        let skipped = range.lowerBound - operation.events.lowerBound
        let left = operation.events.upperBound - range.upperBound
        if skipped == 0 && left == 0 { return operation }
        switch operation.kind {
        case .insert:
            piece.position += skipped
            let isASCII = operation.text.count == operation.events.count
            var text = pool[operation.text]
            text = text.dropFirst(
                isASCII ? skipped : OperationLog.byteCount(of: skipped, scalarsOf: text)
            )
            let byteCount =
                isASCII ? range.count : OperationLog.byteCount(of: range.count, scalarsOf: text)
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
