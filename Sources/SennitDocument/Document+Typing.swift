// Changes one after another by one person, as fast as they can be noted.
//
// Who types goes on where he stopped, most of the time. So a change made by `replace` lengthens the
// last operation, the last run of names and the last run of the graph, and nothing else: no search,
// no allocation. The rope gets the change when the next one is elsewhere or somebody looks.
//
//     insert "H" at 0    operation: insert at 0, 1 event     pending: 0..<0 -> "H"
//     insert "i" at 1               insert at 0, 2 events             0..<0 -> "Hi"
//     delete 0..<1                  delete at 0, 1 event     rope: "Hi"; pending: 0..<1 -> ""
//
// So that nothing has to be looked up for that, a caret says where the last change left off and by
// whom (TypingCaret.swift). PendingEdit.swift says what is gathered.

public import SennitWire

/// Whoever makes changes to one document: a log, and the number of its next event.
public struct Author: Hashable, Sendable {
    /// The log that the events are in.
    public let log: LogID
    /// The number of the next event.
    public fileprivate(set) var nextEvent: UInt64
    /// The log's index in the document's names.
    fileprivate let index: Int
}

extension Document {
    /// Makes a log an author of this document.
    /// - Parameter nextEvent: The number that its next event gets.
    /// - Throws: `conflictingEvent` if that number or a higher one is taken.
    public mutating func author(
        _ log: LogID,
        nextEvent: UInt64
    ) throws(DocumentError) -> Author {
        let first = Int(clamping: nextEvent)
        if let base = history.base, base.contains(anyOf: first..<Int.max, of: log) {
            throw .conflictingEvent(EventID(log: log, number: nextEvent))
        }
        if let taken = history.names.firstKnown(in: first..<Int.max, of: log) {
            throw .conflictingEvent(EventID(log: log, number: UInt64(taken)))
        }
        return Author(log: log, nextEvent: nextEvent, index: history.logIndex(adding: log))
    }

    /// Replaces the scalars of `range` by `text`, at the current version.
    ///
    /// The same as `edit`, for those who make many changes and ask for the operations later:
    /// `runs(of:from:)`.
    /// - Throws: `positionOutOfBounds`; `overLimit`. Then nothing has changed.
    /// - Complexity: O(length of the text) where the last change left off, without a search and
    ///   without an allocation but for room that doubles; else O(log n) more.
    public mutating func replace(
        _ range: Range<Int>,
        with text: String,
        by author: inout Author
    ) throws(DocumentError) {
        // Where the last keystroke left off, nothing is searched and nothing checked: it did.
        if caret.end == history.count && caret.log == author.index
            && caret.nextEvent == author.nextEvent
        {
            if range.upperBound == caret.position {
                if range.isEmpty {
                    if caret.room > 0, let byte = text.onlyByte {
                        history.typeOn(byte)
                        typing.typeOn(byteCount: 1, count: 1)
                        author.nextEvent &+= 1
                        return caret.advance(by: 1)
                    }
                    if caret.room >= text.utf8.count { return typeOn(text, by: &author) }
                } else if range.count == 1 && caret.backwardRoom > 0 && text.isEmpty {
                    history.eraseBackward(to: range.lowerBound)
                    typing.eraseBackward(in: history.operations.pool)
                    author.nextEvent &+= 1
                    return caret.eraseBackward()
                }
            } else if range.lowerBound == caret.position && range.count == 1
                && caret.forwardRoom > 0 && text.isEmpty
            {
                history.eraseForward()
                typing.eraseForward()
                author.nextEvent &+= 1
                return caret.eraseForward()
            }
        }
        try replaceElsewhere(range, with: text, by: &author)
    }

    /// Lengthens the last insertion by several bytes, for which there is room.
    @inline(never)
    private mutating func typeOn(_ text: String, by author: inout Author) {
        let bytes = text.utf8Span.span
        let count = history.typeOn(bytes)
        typing.typeOn(byteCount: bytes.count, count: count)
        author.nextEvent &+= UInt64(count)
        caret.advance(by: count)
    }

    /// `replace` for a change that doesn't lengthen the last operation, or isn't known to.
    @inline(never)
    private mutating func replaceElsewhere(
        _ range: Range<Int>,
        with text: String,
        by author: inout Author
    ) throws(DocumentError) {
        let scalarCount = self.scalarCount
        guard range.lowerBound >= 0, range.upperBound <= scalarCount else {
            throw .positionOutOfBounds(position: range.upperBound, scalarCount: scalarCount)
        }
        if range.isEmpty && text.isEmpty { return }
        let isShort = range.count + text.utf8.count <= DocumentLimits.maximumTypedCount
        guard isShort, history.isTypedOn(by: author),
            history.operations.pool.count < DocumentLimits.maximumTextByteCount / 2
        else {
            let runs = try edit(
                [Patch(range: range, text: text)],
                author: author.log,
                firstEvent: author.nextEvent
            )
            author.nextEvent += UInt64(runs.reduce(0) { $0 + $1.eventCount })
            return
        }
        if !range.isEmpty {
            history.typeDeletion(of: range)
            author.nextEvent += UInt64(range.count)
            if !typing.delete(range, of: history.operations.pool) {
                settle(before: range.upperBound)
                _ = typing.delete(range, of: history.operations.pool)
            }
        }
        if !text.isEmpty {
            let position = range.lowerBound
            if !typing.touches(position) { settle(before: position) }
            let start = history.operations.pool.count
            let count = history.typeInsertion(of: text.utf8Span.span, at: position)
            let end = history.operations.pool.count
            _ = typing.insert(start..<end, of: history.operations.pool, count: count, at: position)
            author.nextEvent += UInt64(count)
        }
        caret = history.operations.caret(scalarCount: self.scalarCount)
        caret.end = history.count
        caret.log = author.index
        caret.nextEvent = author.nextEvent
    }

    /// Gives the rope what was typed; typing goes on at another place.
    private mutating func settle(before position: Int) {
        typing.settle(in: &branch.text, from: history.operations.pool, at: position)
    }

    /// How many scalars the text has.
    @inline(__always)
    var scalarCount: Int { branch.text.scalarCount + typing.growth }

    /// Gives the rope what was typed.
    mutating func settle() {
        caret = TypingCaret()
        if typing.isEmpty && branch.endOfEvents == history.count { return }
        settle(before: 0)
        branch.settle(at: history.graph.frontier, count: history.count)
    }

    /// The text with what was typed.
    var settledText: Rope {
        var text = branch.text
        if !typing.isEmpty { typing.apply(to: &text, from: history.operations.pool) }
        return text
    }

    /// The operations of a log from an event on, for others to merge.
    /// - Parameter number: The first event that is wanted.
    /// - Complexity: O(their size + log n).
    public func runs(of author: Author, from number: UInt64) -> [OperationRun] {
        history.runs(of: author.log, from: Int(clamping: number))
    }
}

// MARK: - In the history

extension History {
    /// Whether the author's next event continues the newest event in every respect.
    fileprivate func isTypedOn(by author: Author) -> Bool {
        // An author outlives the numbering of logs: `rest` and `attach` begin a new one.
        graph.isLinearAtEnd && names.logs.indices.contains(author.index)
            && names.logs[author.index] == author.log
            && names.continuesLastRun(log: author.index, number: Int(author.nextEvent))
    }

    /// Adds an insertion to the end of a chain.
    /// - Returns: How many scalars it has.
    fileprivate mutating func typeInsertion(of text: Span<UInt8>, at position: Int) -> Int {
        let count = TextCounts(text).scalars
        extend(by: count) { operations in
            if !operations.extendInsertion(at: position, count: count) {
                operations.append(.insert, count: count, position: position)
            }
            operations.appendText(text)
        }
        return count
    }

    /// Adds a deletion to the end of a chain.
    fileprivate mutating func typeDeletion(of range: Range<Int>) {
        extend(by: range.count) { operations in
            if range.count != 1 || !operations.extendDeletion(ofScalarAt: range.lowerBound) {
                operations.append(.deleteForward, count: range.count, position: range.lowerBound)
            }
        }
    }

    /// Lengthens the insertion that the newest event belongs to by an ASCII character.
    @inline(__always)
    fileprivate mutating func typeOn(_ byte: UInt8) {
        extend(by: 1) { operations in
            operations.appendText(byte)
            operations.extend(by: 1)
        }
    }

    /// The same by any text.
    /// - Returns: How many scalars it has.
    fileprivate mutating func typeOn(_ text: Span<UInt8>) -> Int {
        let count = TextCounts(text).scalars
        extend(by: count) { operations in
            operations.appendText(text)
            operations.extend(by: count)
        }
        return count
    }

    /// Lengthens the deletion that the newest event belongs to by the scalar before it.
    @inline(__always)
    fileprivate mutating func eraseBackward(to position: Int) {
        extend(by: 1) { operations in operations.eraseBackward(to: position) }
    }

    /// Lengthens the deletion that the newest event belongs to by the scalar after it.
    @inline(__always)
    fileprivate mutating func eraseForward() {
        extend(by: 1) { operations in operations.extend(by: 1) }
    }

    /// The operations of a log from a number on, in local order.
    fileprivate func runs(of log: LogID, from number: Int) -> [OperationRun] {
        var builder = OperationRunBuilder()
        for index in names.runs(of: log, from: number) {
            let run = names.runs[index]
            let start = run.start + max(0, number - run.number)
            forEachPiece(in: start..<names.end(ofRun: index)) { piece in
                builder.append(self.run(of: piece))
            }
        }
        return builder.runs
    }

    /// A stored operation as it travels.
    func run(of piece: OperationLog.Operation) -> OperationRun {
        let event = piece.events.lowerBound
        let range = piece.position..<(piece.position + piece.events.count)
        let content: OperationRun.Content
        switch piece.kind {
        case .insert:
            let text = String(decoding: operations.pool[piece.text], as: UTF8.self)
            content = .insert(position: piece.position, text: .init(text))
        case .deleteForward:
            content = .delete(range: range, isBackward: false)
        case .deleteBackward:
            content = .delete(range: range, isBackward: range.count > 1)
        case .map:
            let change = operations.mapChanges[piece.position]
            let key = OperationRun.Text(String(decoding: change.key, as: UTF8.self))
            content = change.value.map { .mapSet(key: key, value: $0) } ?? .mapRemove(key: key)
        case .gather:
            content = .gather
        case .unknown:
            let unknown = operations.unknowns[piece.position]
            content = .unknown(
                kind: unknown.kind,
                container: unknown.container,
                eventCount: piece.events.count,
                bytes: unknown.bytes
            )
        }
        return OperationRun(
            start: names.name(of: event),
            parents: names(ofVersion: graph.parents(of: event)),
            content: content
        )
    }
}

extension String {
    /// The byte of a string that has one.
    @inline(__always)
    fileprivate var onlyByte: UInt8? {
        // Not `utf8Span`, `utf8.first` or an iterator, which are calls: docs/PERFORMANCE.md.
        utf8.count == 1 ? utf8[utf8.startIndex] : nil
    }
}
