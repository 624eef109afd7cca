// A document in a store: a head, which is all that opening and editing need, and chunks of history.
//
//     state = version:u8(2) | head:blob | chunks:varint | chunk:blob*
//
// The head is DocumentHead.swift, a chunk HistoryChunk.swift; each has a version and a checksum of
// its own. A document that was opened takes its head apart and leaves the chunks packed; they are
// read when a merge, an old version or a check needs them. A state that is written again keeps its
// chunks and gets one more; when there are many, all become one.
//
// A store may as well keep heads and chunks apart and leave the chunks on disk: `init(head:)`,
// `attach(history:)`, `rest()`.
//
// Only this device reads these bytes; they are not part of SPEC.md.

import SennitWire

extension Document {
    private static let encodingVersion: UInt8 = 2

    // MARK: In one piece

    /// The whole document, history and text.
    /// - Complexity: O(size of the text and of what changed since it was opened); now and then
    ///   O(n).
    public func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(Document.encodingVersion)
        writer.writeBlob(encodeHead())
        let chunks = encodeHistory()
        writer.writeVarint(chunks.count)
        for chunk in chunks { writer.writeBlob(chunk) }
        return writer.bytes
    }

    /// Reads what `encode` wrote.
    /// - Parameter isTrusted: Whether the text is taken as it stands, for bytes that nobody but
    ///   this device could have changed; then the history is left packed. Otherwise the history is
    ///   replayed and must give text, map and verdicts.
    /// - Throws: `malformed`; `textDiffersFromHistory`.
    /// - Complexity: O(size of the text) if trusted, else that of merging all events.
    public init(decoding bytes: [UInt8], isTrusted: Bool = false) throws(DocumentError) {
        let head: [UInt8]
        var chunks: [[UInt8]] = []
        do throws(WireError) {
            var reader = ByteReader(bytes)
            let at = reader.byteOffset
            let version = try reader.readByte()
            guard version == Document.encodingVersion else {
                throw WireError.unknown(
                    field: "document version",
                    value: UInt64(version),
                    byteOffset: at
                )
            }
            head = try reader.readBlob(limit: reader.remaining)
            for _ in 0..<(try reader.readCount(limit: DocumentLimits.maximumChunkCount)) {
                chunks.append(try reader.readBlob(limit: reader.remaining))
            }
            try reader.finish()
        } catch {
            throw .malformed(error)
        }
        if isTrusted {
            try self.init(head: head)
            packed = chunks
        } else {
            try self.init(provingHead: head, by: chunks)
        }
        storedCount = 0
    }

    // MARK: In parts

    /// Opens a document without its history.
    ///
    /// What needs the history throws `historyNeeded` until it is attached.
    /// - Throws: `malformed`.
    /// - Complexity: O(size of the text).
    public init(head bytes: [UInt8]) throws(DocumentError) {
        self.init()
        let head = try DocumentHead(decoding: bytes)
        history = History(
            base: HistoryBase(
                eventCount: head.eventCount,
                frontier: head.frontier,
                known: PackedEvents(head.known),
                containersNeedingUpdate: head.containersNeedingUpdate
            )
        )
        map = MapState(head.entries)
        branch = Branch(text: Rope(utf8: head.text))
        storedCount = head.eventCount
    }

    /// The head: what `init(head:)` reads.
    /// - Complexity: O(size of the text).
    public func encodeHead() -> [UInt8] {
        DocumentHead(
            eventCount: history.eventCount,
            frontier: history.frontierEvents,
            known: history.knownEvents,
            entries: map.headEntries(offset: history.base?.eventCount ?? 0),
            containersNeedingUpdate: containersNeedingUpdate,
            text: text.utf8(of: 0..<scalarCount)[...]
        ).encode()
    }

    /// The events from number `first` of the document on as one chunk; empty if there are none.
    /// - Parameters:
    ///   - first: Not before the base of a document whose history is not here.
    ///   - isThorough: Whether size counts more than time, by a factor of ten.
    /// - Complexity: O(size of those events).
    public func encodeChunk(from first: Int = 0, isThorough: Bool = false) -> [UInt8] {
        let offset = history.base?.eventCount ?? 0
        precondition(first >= offset, "The history of a chunk is here.")
        guard first < history.eventCount else { return [] }
        return HistoryChunk.encode(
            history,
            events: (first - offset)..<history.count,
            offset: offset,
            baseFrontier: history.base?.frontier.map(\.local) ?? [],
            keeping: keptColumns,
            effort: isThorough ? .thorough : .quick
        )
    }

    /// Whether the whole history is here, so that nothing throws `historyNeeded`.
    public var hasHistory: Bool { history.base == nil || !packed.isEmpty }

    /// Gives a document its history back.
    /// - Parameter chunks: From the first event on, at least to the base.
    /// - Throws: `malformed`; `textDiffersFromHistory` if they are those of something else. Then
    ///   nothing has changed.
    /// - Complexity: O(size of the history).
    public mutating func attach(history chunks: [[UInt8]]) throws(DocumentError) {
        guard let base = history.base else { return }
        settle()
        var whole = History()
        var kept: [HistoryChunk.KeptColumn] = []
        for chunk in chunks {
            kept += try HistoryChunk.append(chunk, to: &whole)
            guard whole.count == base.eventCount else { continue }
            let frontier = whole.graph.frontier.map(whole.names.name(of:))
            guard frontier == base.frontier.map(\.name) else { throw .textDiffersFromHistory }
        }
        let doubled = whole.count - base.eventCount
        guard doubled >= 0, doubled <= history.count else { throw .textDiffersFromHistory }
        if doubled < history.count {
            let chunk = encodeChunk(from: base.eventCount + doubled)
            try HistoryChunk.append(chunk, to: &whole)
        }
        history = whole
        weave = nil
        keptColumns = kept
        packed = []
        map = MapState()
        for index in 0..<history.operations.operationCount {
            let operation = history.operations[index]
            if operation.kind == .map { map.apply(operation, of: history) }
        }
        branch.state = nil
        branch.settle(at: history.graph.frontier, count: history.count)
    }

    /// Lets go of the history, which the caller has stored: head and chunks up to the last event.
    /// What stays is the text, and it is packed tight.
    /// - Complexity: O(size of the text).
    public mutating func rest() {
        settle()
        let base = HistoryBase(
            eventCount: history.eventCount,
            frontier: history.frontierEvents,
            known: PackedEvents(history.knownEvents),
            containersNeedingUpdate: containersNeedingUpdate
        )
        map.leaveHistory(offset: history.base?.eventCount ?? 0)
        history = History(base: base)
        weave = nil
        keptColumns = []
        packed = []
        branch = Branch(text: Rope(utf8: branch.text.utf8(of: 0..<branch.text.scalarCount)[...]))
    }

    /// Adds the events of a chunk that came from elsewhere, of which this document has none yet;
    /// their texts and verdicts are found anew.
    /// - Throws: `malformed`; `textDiffersFromHistory` if a verdict is wrong. Then nothing has
    ///   changed.
    /// - Complexity: That of merging the events.
    public mutating func merge(chunk bytes: [UInt8]) throws(DocumentError) {
        settle()
        try unpackHistory()
        let first = history.count
        let firstOperation = history.operations.operationCount
        var merged = history
        let kept = try HistoryChunk.append(bytes, to: &merged)
        var extended = branch
        extended.state = nil
        var changes = PatchList(isRecording: false)
        guard
            extended.applyBatch(
                from: first,
                of: &merged,
                keepsTracker: false,
                changes: &changes
            )
        else {
            throw .textDiffersFromHistory
        }
        history = merged
        branch = extended
        keptColumns += kept
        for index in firstOperation..<history.operations.operationCount {
            let operation = history.operations[index]
            if operation.kind == .map { map.apply(operation, of: history) }
        }
    }

    // MARK: Packed history

    /// Reads the packed history if there is one.
    /// - Throws: `historyNeeded` if the history is neither here nor packed.
    mutating func unpackHistory() throws(DocumentError) {
        guard history.base != nil else { return }
        guard !packed.isEmpty else {
            // A document without events has no chunks and lacks nothing.
            guard history.base?.eventCount == 0 else { throw .historyNeeded }
            try attach(history: [])
            return
        }
        try attach(history: packed)
    }

    private func encodeHistory() -> [[UInt8]] {
        guard let base = history.base else {
            let chunk = encodeChunk()
            return chunk.isEmpty ? [] : [chunk]
        }
        precondition(base.eventCount == 0 || !packed.isEmpty, "The history is here or packed.")
        if packed.count >= DocumentLimits.maximumChunkCount / 2 {
            var whole = self
            if (try? whole.unpackHistory()) != nil { return whole.encodeHistory() }
        }
        let chunk = encodeChunk(from: base.eventCount)
        return chunk.isEmpty ? packed : packed + [chunk]
    }
}
