// What a store is given of a document, a step at a time.
//
// A store keeps of each document one head and a row of chunks that follow on from each other. What
// happened since the last time becomes one more chunk, so writing a document again costs its text
// and what is new, not its history:
//
//     stored      head at 900    chunks 0..<700, 700..<900
//     in memory                                             events up to 950
//     state       head at 950    chunk                      900..<950, which begins where they end
//
// The document counts which of its events are stored, because only it knows whether it is the one
// that was stored: a document that was made anew, by replaying its operations in another order,
// has none of them, and its state replaces all chunks.

public import SennitWire

/// What a store writes of a document so that it holds all of it again.
public struct DocumentState: Sendable {
    /// What `Document(head:)` reads.
    public let head: [UInt8]
    /// How many events lie before the chunk; the chunks that are stored end there.
    public let firstEvent: Int
    /// How many events the document has.
    public let eventCount: Int
    /// The events from `firstEvent` on; empty if there are none.
    public let chunk: [UInt8]
}

extension Document {
    /// Whether all events are in the store, as `noteStored` was told.
    public var isStored: Bool { storedCount == eventCount }

    /// What a store lacks, for it to write.
    /// - Complexity: O(size of the text + of the events that are not stored).
    public var unstoredState: DocumentState {
        DocumentState(
            head: encodeHead(),
            firstEvent: storedCount,
            eventCount: eventCount,
            chunk: encodeChunk(from: storedCount)
        )
    }

    /// Notes that a state of this document has been stored.
    public mutating func noteStored(_ state: DocumentState) {
        guard state.firstEvent == storedCount, state.eventCount <= eventCount else { return }
        storedCount = state.eventCount
    }

    /// Whether merging these runs takes the history, and the history is not here.
    ///
    /// It is asked before anything is changed, so whoever must hold something back can do so whole.
    /// - Complexity: O(log n) for each run and parent.
    public func needsHistory(toMerge runs: some Sequence<OperationRun>) -> Bool {
        guard !hasHistory, let base = history.base, base.eventCount > 0 else { return false }
        return runs.contains { run in
            let first = Int(clamping: run.start.number)
            let end = first.addingReportingOverflow(max(run.eventCount, 1))
            let numbers = first..<(end.overflow ? Int.max : max(end.partialValue, first))
            return base.contains(anyOf: numbers, of: run.start.log)
                || reachesBack(run.parents, behind: base)
        }
    }

    /// Whether an edit at a version takes the history, and the history is not here.
    public func needsHistory(toEditAt version: [EventID]) -> Bool {
        guard !hasHistory, let base = history.base, base.eventCount > 0 else { return false }
        if version.count > DocumentLimits.maximumParentCount {
            // They are gathered first, a part of them at a time, and that is another version.
            return version.contains { history.names.event(named: $0) == nil }
        }
        return version != frontier && reachesBack(version, behind: base)
    }

    /// Whether the text at a version takes the history, and the history is not here. Of a text that
    /// has moved on, nothing else says what it was.
    public func needsHistory(toShow version: [EventID]) -> Bool {
        !hasHistory && history.base?.eventCount != 0 && version != frontier
    }

    private func reachesBack(_ version: [EventID], behind base: HistoryBase) -> Bool {
        if version == base.names { return false }
        return version.isEmpty
            || version.contains { history.names.event(named: $0) == nil && history.contains($0) }
    }

    /// Opens a document with its whole history, and believes neither: the history is replayed and
    /// must give text, map and verdicts.
    /// - Throws: `malformed`; `textDiffersFromHistory`.
    /// - Complexity: That of merging all events.
    public init(provingHead head: [UInt8], by chunks: [[UInt8]]) throws(DocumentError) {
        try self.init(head: head)
        try attach(history: chunks)
        var replayed = Document()
        for chunk in chunks { try replayed.merge(chunk: chunk) }
        guard hasSameState(as: replayed) else { throw .textDiffersFromHistory }
    }

    /// Several chunks that follow on from each other, from the first event on, as one.
    /// - Throws: `malformed`.
    /// - Complexity: O(size of the history).
    public static func joined(_ chunks: [[UInt8]]) throws(DocumentError) -> [UInt8] {
        var whole = Document()
        for chunk in chunks {
            whole.keptColumns += try HistoryChunk.append(chunk, to: &whole.history)
        }
        return whole.encodeChunk()
    }
}
