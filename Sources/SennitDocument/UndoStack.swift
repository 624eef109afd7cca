// What one person did to a document, to be taken back and done again, among the changes of others.
//
// Undoing must not touch what others wrote, must land in the right place after they moved the text
// about, and must still be there after a restart. So nothing is kept of positions: a group is a set
// of events of one's own, and what takes it back is worked out from the weave when it is asked for:
//
//     a scalar that the group inserted and that is still there      is deleted
//     a scalar that the group deleted, and nobody else              is inserted again where it was
//
// Taking back is an edit like any other, whose events are in turn a group, for redo. A scalar that
// is inserted again is a new scalar. If the group that wrote the old one is undone later, the new
// one has to go as well, so the stack notes which scalars are copies of which:
//
//     group 1  types "ab"          A0 A1
//     group 2  deletes "b"         A2            deletes A1
//     undo 2   inserts "b"         A3            a copy of A1
//     undo 1   deletes A0 and A3
//
// That is the idea of "redone" items in Yjs's UndoManager, with the history in place of a graph of
// items.

import SennitWire

/// A person's own edits of one document, in groups: what was typed in one go and one word.
///
/// A value to be kept beside the document, see `encode`; whoever edits records each edit.
public struct UndoStack: Hashable, Sendable {
    /// Consecutive events of one log.
    struct Events: Hashable, Sendable {
        var first: EventID
        var count: Int
    }

    /// Scalars that were inserted again. The original is never a copy.
    struct Copy: Hashable, Sendable {
        var original: EventID
        var copy: EventID
        var count: Int
    }

    typealias Group = [Events]

    /// The last is undone first.
    private(set) var undoGroups: [Group] = []
    /// The last is redone first.
    private(set) var redoGroups: [Group] = []
    private(set) var copies: [Copy] = []
    private var growing: Growing?

    /// The group that may still grow.
    fileprivate struct Growing: Hashable, Sendable {
        var isTyping: Bool
        /// Where the next edit must be to belong to it.
        var place: Int
        var lastTime: Duration
        var endsWord: Bool
    }

    /// Nothing to undo.
    public init() {}

    /// Whether something was done that may be taken back.
    public var canUndo: Bool { !undoGroups.isEmpty }

    /// Whether something was undone that may be done again.
    public var canRedo: Bool { !redoGroups.isEmpty }
}

// MARK: - Recording

extension UndoStack {
    /// Takes down an edit of one's own.
    ///
    /// What is typed on in place, with no pause of `DocumentLimits.undoPause`, is one group; a word
    /// begins a new one. So is what is erased in place. Other edits are a group each.
    /// - Parameters:
    ///   - runs: What the edit returned.
    ///   - patches: What it did to the text as it was then.
    ///   - now: The time, from any one beginning.
    public mutating func record(_ runs: [OperationRun], as patches: [Patch], at now: Duration) {
        let events = runs.map { Events(first: $0.start, count: $0.eventCount) }
        if events.isEmpty { return }
        redoGroups = []
        let next = patches.count == 1 ? Growing(patches[0], at: now) : nil
        if let growing, let next, let last = undoGroups.indices.last,
            growing.goesOn(with: patches[0], next)
        {
            for run in events { undoGroups[last].append(joining: run) }
        } else {
            var group = Group()
            for run in events { group.append(joining: run) }
            undoGroups.append(group)
            forgetOldest()
        }
        growing = next
    }

    /// Takes in what others did to the text.
    public mutating func receive(_ patches: [Patch]) {
        guard var place = growing?.place else { return }
        for patch in patches {
            let range = patch.range
            if range.upperBound <= place, !(range.isEmpty && range.lowerBound == place) {
                place += patch.text.unicodeScalars.count - range.count
            } else if range.lowerBound < place {
                place = range.lowerBound
            }
        }
        growing?.place = place
    }

    /// Ends the group: what follows is undone apart from it.
    public mutating func close() { growing = nil }

    private mutating func forgetOldest() {
        if undoGroups.count > DocumentLimits.maximumUndoGroupCount { undoGroups.removeFirst() }
        let excess = copies.count - DocumentLimits.maximumUndoCopyCount
        if excess > 0 { copies.removeFirst(excess) }
    }

    /// What is undone next, and is done with if that changes nothing.
    mutating func take(_ direction: Direction) -> Group? {
        growing = nil
        switch direction {
        case .undo: return undoGroups.popLast()
        case .redo: return redoGroups.popLast()
        }
    }

    /// Notes how a group was taken back, so that this can be taken back in turn.
    mutating func note(_ runs: [OperationRun], _ copies: [Copy], after direction: Direction) {
        var group = Group()
        for run in runs { group.append(joining: Events(first: run.start, count: run.eventCount)) }
        switch direction {
        case .undo: redoGroups.append(group)
        case .redo: undoGroups.append(group)
        }
        self.copies += copies
        forgetOldest()
    }

    /// Which way through what was done.
    enum Direction {
        case undo
        case redo
    }
}

extension UndoStack.Growing {
    /// How an edit may go on, if it is of a kind that does.
    fileprivate init?(_ patch: Patch, at now: Duration) {
        let scalars = patch.text.unicodeScalars
        guard patch.range.isEmpty != scalars.isEmpty else { return nil }
        isTyping = patch.range.isEmpty
        place = patch.range.lowerBound + scalars.count
        lastTime = now
        endsWord = scalars.last?.properties.isWhitespace ?? false
    }

    /// Whether a patch, which would leave `next`, belongs to the group.
    fileprivate func goesOn(with patch: Patch, _ next: Self) -> Bool {
        guard isTyping == next.isTyping, next.lastTime - lastTime < DocumentLimits.undoPause else {
            return false
        }
        guard isTyping else {
            return patch.range.upperBound == place || patch.range.lowerBound == place
        }
        let beginsWord = !(patch.text.unicodeScalars.first?.properties.isWhitespace ?? true)
        return patch.range.lowerBound == place && !(endsWord && beginsWord)
    }
}

extension UndoStack.Group {
    /// Adds events, to the last ones if they follow them.
    fileprivate mutating func append(joining events: UndoStack.Events) {
        if let last, last.first.log == events.first.log,
            last.first.number + UInt64(last.count) == events.first.number
        {
            self[count - 1].count += events.count
        } else {
            append(events)
        }
    }
}

// MARK: - Keeping

extension UndoStack {
    private static let encodingVersion: UInt8 = 1

    /// As bytes, to be kept with the document. Only this device reads them.
    ///
    ///     stack  = version:u8(1) | undo | redo | copies
    ///     undo   = count:varint (count:varint events*)*        redo likewise
    ///     events = log[32] number:varint count:varint
    ///     copies = count:varint (original: log[32] number:varint, copy: the same, count:varint)*
    public func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(UndoStack.encodingVersion)
        for groups in [undoGroups, redoGroups] {
            writer.writeVarint(groups.count)
            for group in groups {
                writer.writeVarint(group.count)
                for events in group {
                    writer.writeEvent(events.first)
                    writer.writeVarint(events.count)
                }
            }
        }
        writer.writeVarint(copies.count)
        for copy in copies {
            writer.writeEvent(copy.original)
            writer.writeEvent(copy.copy)
            writer.writeVarint(copy.count)
        }
        return writer.bytes
    }

    /// Reads what `encode` wrote.
    /// - Throws: `malformed`.
    public init(decoding bytes: [UInt8]) throws(DocumentError) {
        do throws(WireError) {
            var reader = ByteReader(bytes)
            let version = try reader.readByte()
            guard version == UndoStack.encodingVersion else {
                throw WireError.unknown(field: "undo", value: UInt64(version), byteOffset: 0)
            }
            undoGroups = try UndoStack.readGroups(&reader)
            redoGroups = try UndoStack.readGroups(&reader)
            for _ in 0..<(try reader.readCount(limit: DocumentLimits.maximumUndoCopyCount)) {
                let original = try reader.readEvent()
                let copy = try reader.readEvent()
                let count = try reader.readCount(limit: DocumentLimits.maximumDocumentEventCount)
                copies.append(Copy(original: original, copy: copy, count: count))
            }
            try reader.finish()
        } catch {
            throw .malformed(error)
        }
    }

    private static func readGroups(_ reader: inout ByteReader) throws(WireError) -> [Group] {
        var groups: [Group] = []
        for _ in 0..<(try reader.readCount(limit: DocumentLimits.maximumUndoGroupCount)) {
            var group = Group()
            for _ in 0..<(try reader.readCount(limit: DocumentLimits.maximumDocumentEventCount)) {
                let first = try reader.readEvent()
                let count = try reader.readCount(limit: DocumentLimits.maximumDocumentEventCount)
                group.append(Events(first: first, count: count))
            }
            groups.append(group)
        }
        return groups
    }
}

extension ByteWriter {
    /// A name: its log, then its number.
    mutating func writeEvent(_ event: EventID) {
        write(event.log)
        writeVarint(event.number)
    }
}

extension ByteReader {
    /// A name, as `writeEvent` wrote it.
    mutating func readEvent() throws(WireError) -> EventID {
        let log = try readIdentifier(as: LogID.self)
        let number = try readCount(limit: DocumentLimits.endOfNumbers - 1)
        return EventID(log: log, number: UInt64(number))
    }
}
