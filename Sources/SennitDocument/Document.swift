// A document as one replica has it: all that ever happened, and the text and map that it makes.
//
// Events come in two ways. `edit` makes new ones, at the current version or at an older one;
// `merge` adds those of others, in any order that has ancestors first. Equal sets of events make
// equal documents, whatever the order and however they were grouped.
//
//     var document = Document()
//     let runs = try document.edit([Patch(range: 0..<0, text: "Hi")], author: log, firstEvent: 0)
//     let result = try elsewhere.merge(runs)          // elsewhere.text.string == "Hi"
//
// Merging is Eg-walker: see Branch.swift and Tracker.swift.

public import SennitWire

/// A text and a map that several people change at once: the whole history and its outcome.
///
/// A value type. A copy costs nothing until one of the two changes; then everything is copied, so
/// keep one owner and change it in place.
public struct Document: Sendable {
    var history = History()
    var branch = Branch()
    var map = MapState()
    /// What was typed last and is in the history only.
    var typing = PendingEdit()
    /// Where typing goes on.
    var caret = TypingCaret()
    /// The history before the base, if it is at hand: chunks from the first event on.
    var packed: [[UInt8]] = []
    /// Columns of stored chunks that a newer version wrote, to be written again.
    var keptColumns: [HistoryChunk.KeptColumn] = []
    /// The whole history in the order of the text, if somebody has asked for it.
    var weave: Weave?
    /// How many events a store has, from the first on; see Document+States.swift.
    var storedCount = 0

    /// An empty document without history.
    public init() {}

    /// The text as it is now.
    public var text: Rope { settledText }

    /// The version of everything: the events that no other event follows, ascending.
    /// - Complexity: O(k log n) for k events.
    public var frontier: [EventID] { history.names(ofVersion: history.graph.frontier) }

    /// How many events there are: one for each scalar that was ever inserted or deleted, and for
    /// each change of the map.
    public var eventCount: Int { history.eventCount }

    /// Whether an event is here.
    /// - Complexity: O(log n).
    public func contains(_ event: EventID) -> Bool {
        history.contains(event)
    }

    /// The text at another version.
    /// - Parameter version: Any events of this document; what they descend from is included.
    /// - Throws: `unknownEvents`; `historyNeeded`.
    /// - Complexity: O(size of the history of that version), or O(n) for the current one.
    public func text(at version: [EventID]) throws(DocumentError) -> String {
        if version == frontier { return text.string }
        var whole = self
        try whole.unpackHistory()
        let history = whole.history
        let version = try history.version(named: version)
        if version == history.graph.frontier { return text.string }
        var branch = Branch()
        var changes = PatchList(isRecording: false)
        for range in history.graph.history(of: version) {
            history.forEachPiece(in: range) { piece in
                _ = branch.apply(piece, of: history, changes: &changes)
            }
        }
        return branch.text.string
    }

    /// The containers that hold operations of kinds that this version doesn't know, ascending. What
    /// is shown of them may lack something until Sennit is updated.
    /// - Complexity: O(number of such operations).
    public var containersNeedingUpdate: [UInt64] {
        let older = history.base?.containersNeedingUpdate ?? []
        return Set(older + history.operations.unknowns.map(\.container)).sorted()
    }

    /// Whether two replicas show the same text and the same map at the same version.
    /// - Complexity: O(n).
    public func hasSameState(as other: Document) -> Bool {
        frontier == other.frontier && entries == other.entries && text == other.text
    }

    /// Gives back the memory that only makes the next concurrent merge faster, or the next question
    /// about the past.
    public mutating func releaseMergeState() {
        branch.state = nil
        weave = nil
    }
}

// MARK: - The map

extension Document {
    /// A key of the root map with its values.
    public struct Entry: Hashable, Sendable {
        /// The key. Keys are compared by their scalars.
        public var key: OperationRun.Text
        /// One value, or all that were set concurrently, ascending by event.
        public var values: [Value]
    }

    /// A value and the event that set it.
    public struct Value: Hashable, Sendable {
        /// The bytes that were set.
        public var bytes: [UInt8]
        /// The event that set them.
        public var event: EventID
    }

    /// All keys that have a value, ascending by their UTF-8.
    /// - Complexity: O(n log n).
    public var entries: [Entry] {
        map.values.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, live in
            Entry(key: .init(String(decoding: key, as: UTF8.self)), values: values(live))
        }
    }

    /// The values of a key: none, one, or all that were set concurrently, ascending by event.
    public func values(forKey key: String) -> [Value] {
        values(map.values[Array(key.utf8)] ?? [])
    }

    private func values(_ live: [MapState.Live]) -> [Value] {
        live.map { Value(bytes: $0.value, event: $0.name) }
            .sorted { $0.event < $1.event }
    }
}
