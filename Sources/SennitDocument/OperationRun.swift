public import SennitWire

/// A chain of consecutive events of one document that make one operation, as it travels.
///
/// The first event comes after `parents`; each other event after the one before it. A run of n
/// scalars is n events, so any part of a run is a run.
public struct OperationRun: Hashable, Sendable {
    /// What the events do. Positions and ranges count scalars of the text at `parents`.
    public enum Content: Hashable, Sendable {
        /// Inserts `text` before the scalar at `position`; one event for each scalar.
        case insert(position: Int, text: Text)
        /// Deletes the scalars of `range`, one event each, from the first one on or, if it
        /// `isBackward`, from the last one. A single deletion is never backward.
        case delete(range: Range<Int>, isBackward: Bool)
        /// Sets a key of the root map; one event.
        case mapSet(key: Text, value: [UInt8])
        /// Removes a key of the root map; one event.
        case mapRemove(key: Text)
        /// Changes nothing; one event that follows more concurrent versions than one run may name.
        case gather
        /// Something that a newer version knows: `eventCount` events without effect here. The
        /// bytes are kept as they came, and `container` needs an update to be shown right.
        case unknown(kind: UInt64, container: UInt64, eventCount: Int, bytes: [UInt8])
    }

    /// The name of the first event; the others follow in the same log.
    public var start: EventID
    /// The version the first event was made at: ascending, none an ancestor of another.
    public var parents: [EventID]
    /// What the events do.
    public var content: Content

    /// Makes a run; `Document.merge` checks it.
    public init(start: EventID, parents: [EventID], content: Content) {
        self.start = start
        self.parents = parents
        self.content = content
    }

    /// How many events the run has.
    /// - Complexity: O(length of an inserted text), else O(1).
    public var eventCount: Int {
        switch content {
        case .insert(_, let text): text.scalarCount
        case .delete(let range, _): range.count
        case .mapSet, .mapRemove, .gather: 1
        case .unknown(_, _, let eventCount, _): eventCount
        }
    }

    /// The name of the last event.
    public var last: EventID {
        EventID(log: start.log, number: start.number &+ UInt64(max(eventCount, 1) - 1))
    }
}

extension OperationRun {
    /// Joins neighbours that make one run. They are in the order in which they were made.
    static func joined(_ runs: [OperationRun]) -> [OperationRun] {
        var builder = OperationRunBuilder()
        for run in runs { builder.append(run) }
        return builder.runs
    }
}

extension OperationRun {
    /// A string that is compared by its scalars, not by canonical equivalence, whose tables change
    /// from one version of Unicode to the next.
    public struct Text: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
        /// The text itself.
        public let string: String

        /// Wraps a string.
        public init(_ string: String) { self.string = string }

        public init(stringLiteral value: String) { string = value }

        public var description: String { string }

        /// How many scalars there are. A string's own view of them counts one after another.
        /// - Complexity: O(n).
        var scalarCount: Int { TextCounts(string.utf8Span.span).scalars }

        public static func == (left: Text, right: Text) -> Bool {
            left.string.utf8.elementsEqual(right.string.utf8)
        }

        public func hash(into hasher: inout Hasher) {
            for byte in string.utf8 { hasher.combine(byte) }
            hasher.combine(string.utf8.count)
        }
    }
}
