// The structure that tells where an operation lands in a text that its author had not seen.
//
// An operation is an index into the text at its parents. If events concurrent to it are in the
// document, that index means another place. The tracker holds all characters that matter, deleted
// ones too, in document order, each with two states:
//
//     current  in the text at `version`, which can be moved to any version: 0 not inserted yet,
//              1 there, 1 + n deleted n times over
//     final    in the text of all events applied so far: whether it was ever deleted
//
// To apply an operation, `version` is moved to its parents: events that are only on this side are
// retreated, those only on that side advanced, each in O(log n), by changing states. Then the
// index is found by counting current characters, and where it lands by counting final ones.
//
//     base "ab"; A inserts "X" at 1 and B, not having seen it, deletes at 1:
//     sequence a X b.  B's parents lack X, so X is retreated: current a b, final a X b.
//     B's index 1 is b: deleted; it lands at final index 2.
//
// Characters are held in spans of consecutive events with the same states. The text at `base`,
// where the tracker begins, is one span whose length nobody needs to know. A span has a key:
//
//     0 ..< placeholderCount                  characters of the base, by their index in it
//     placeholderCount + event - firstEvent   events since then; deletions have spans as well
//
// `content` keeps characters in document order, weighing (current, final) characters; `index` keeps
// all spans in the order of keys, weighing (keys, 0), and so finds the span of an event.
//
// Two short cuts. An operation whose parents are all events so far lands where it says, so its
// place is found among final characters without moving `version` (`.everything` below). And the
// tracker is kept between merges: a stream of concurrent operations costs O(log n) each, where
// rebuilding it costs O(n) each.
//
// Source: Gentle and Kleppmann, "Collaborative Text Editing with Eg-walker" (EuroSys 2025), 3.
// The rule that orders concurrent insertions: Tracker+Integration.swift.

/// Concurrent history, ready to be moved through.
struct Tracker: Sendable {
    typealias Handle = SpanTree.Handle

    enum Kind: UInt8 {
        /// Characters.
        case inserted
        /// Events that deleted characters.
        case deleted
        /// Events that change no text.
        case other
    }

    /// Consecutive keys that share everything.
    struct Span {
        var key: Int
        var count: Int
        var kind: Kind
        /// For `deleted`: whether the first event deleted the last of the target characters.
        var isBackward = false
        /// For `inserted`: whether the characters are absent from the final text.
        var wasDeleted = false
        /// For `inserted`: 0 not inserted yet, 1 there, 1 + n deleted n times.
        var state = 0
        /// For `inserted`: the key of the character that was left of the first one when it was
        /// inserted, or `startKey`. For `deleted`: the lowest key of what was deleted.
        var left = 0
        /// For `inserted`: the key of the character that was right of all of them then.
        var right = 0
    }

    /// The span of the base text before anything splits it. More than any text, and so much less
    /// than `Int.max` that no sum overflows.
    static let placeholderCount = 1 << 60
    /// The key of nothing: what is left of the first character.
    static let startKey = -1

    /// The base is the history of this event, or empty if it is -1. All else descends from it.
    let base: LocalEvent
    /// The version that current states show.
    var version: [LocalEvent]
    /// The version of everything that was applied.
    var tip: [LocalEvent]
    /// All events of the branch from `firstEvent` up to here were applied.
    var end: LocalEvent

    var spans: [Span] = []
    var content = SpanTree()
    var index = SpanTree()

    /// The first event after the base.
    var firstEvent: LocalEvent { base + 1 }

    /// Begins with the text at `base`; -1 is the empty text before all events.
    init(base: LocalEvent) {
        self.base = base
        version = base < 0 ? [] : [base]
        tip = version
        end = base + 1
        let count = Tracker.placeholderCount
        spans.append(Span(key: 0, count: count, kind: .inserted, state: 1))
        spans[0].left = Tracker.startKey
        content.insert(0, weight: SpanTree.Weight(first: count, second: count), after: nil)
        index.insert(0, weight: SpanTree.Weight(first: count, second: 0), after: nil)
    }

    /// How long the text at `version` is, if the text of all applied events has `finalCount`
    /// scalars. The unknown length of the base drops out.
    func currentCount(finalCount: Int) -> Int {
        content.total.first - content.total.second + finalCount
    }

    func key(of event: LocalEvent) -> Int {
        Tracker.placeholderCount + (event - firstEvent)
    }

    func event(ofKey key: Int) -> LocalEvent {
        key - Tracker.placeholderCount + firstEvent
    }

    func contentWeight(of handle: Handle) -> SpanTree.Weight {
        let span = spans[Int(handle)]
        return SpanTree.Weight(
            first: span.state == 1 ? span.count : 0,
            second: span.wasDeleted ? 0 : span.count
        )
    }
}

// MARK: - Spans

extension Tracker {
    /// The span that holds a key, and where inside.
    func place(ofKey key: Int) -> (handle: Handle, offset: Int) {
        index.place(at: key, in: .first)
    }

    /// Cuts a span of characters before the one at `offset`, which lies inside. Returns the second
    /// part. Deletions are not cut: their targets are ranges of keys.
    mutating func split(_ handle: Handle, at offset: Int) -> Handle {
        var rest = spans[Int(handle)]
        rest.key += offset
        rest.count -= offset
        rest.left = rest.key - 1
        spans[Int(handle)].count = offset
        let new = Handle(spans.count)
        spans.append(rest)
        index.setWeight(of: handle, to: SpanTree.Weight(first: offset, second: 0))
        index.insert(new, weight: SpanTree.Weight(first: rest.count, second: 0), after: handle)
        content.setWeight(of: handle, to: contentWeight(of: handle))
        content.insert(new, weight: contentWeight(of: new), after: handle)
        return new
    }

    /// The span with the highest keys.
    var lastHandle: Handle {
        index.place(at: index.total.first - 1, in: .first).handle
    }

    /// Adds the span of new events at the end of the index.
    mutating func append(_ span: Span) -> Handle {
        let end = index.total.first
        if span.key > end {
            // Events without characters or of other branches lie between.
            appendToIndex(Span(key: end, count: span.key - end, kind: .other))
        }
        appendToIndex(span)
        return Handle(spans.count - 1)
    }

    private mutating func appendToIndex(_ span: Span) {
        let new = Handle(spans.count)
        let last = lastHandle
        spans.append(span)
        index.insert(new, weight: SpanTree.Weight(first: span.count, second: 0), after: last)
    }

    /// Lengthens the span whose keys are the last ones.
    mutating func extend(_ handle: Handle, by count: Int) {
        spans[Int(handle)].count += count
        let whole = spans[Int(handle)].count
        index.setWeight(of: handle, to: SpanTree.Weight(first: whole, second: 0))
        if spans[Int(handle)].kind == .inserted {
            content.setWeight(of: handle, to: contentWeight(of: handle))
        }
    }
}

// MARK: - Moving

extension Tracker {
    /// Makes current states show another version, which descends from the base and was applied.
    /// - Complexity: O(d log n) for d spans of events in which the versions differ.
    mutating func move(to target: [LocalEvent], in graph: EventGraph) {
        if version == target { return }
        let (retreated, advanced) = graph.difference(version, target)
        for range in retreated.reversed() { change(range, by: -1) }
        for range in advanced { change(range, by: 1) }
        version = target
    }

    /// Does or undoes events. The order does not matter: states are sums.
    private mutating func change(_ events: Range<LocalEvent>, by step: Int) {
        var key = self.key(of: events.lowerBound)
        let end = min(self.key(of: events.upperBound), index.total.first)
        while key < end {
            let (handle, offset) = place(ofKey: key)
            let span = spans[Int(handle)]
            let count = min(span.count - offset, end - key)
            switch span.kind {
            case .inserted:
                changeCharacters(key..<(key + count), by: step)
            case .deleted:
                let low =
                    span.isBackward
                    ? span.left + span.count - offset - count
                    : span.left + offset
                changeCharacters(low..<(low + count), by: step)
            case .other:
                break
            }
            key += count
        }
    }

    /// Changes the state of characters, cutting spans at the ends of the range.
    private mutating func changeCharacters(_ keys: Range<Int>, by step: Int) {
        var key = keys.lowerBound
        while key < keys.upperBound {
            var (handle, offset) = place(ofKey: key)
            if offset > 0 { handle = split(handle, at: offset) }
            let count = min(spans[Int(handle)].count, keys.upperBound - key)
            if count < spans[Int(handle)].count { _ = split(handle, at: count) }
            spans[Int(handle)].state += step
            content.setWeight(of: handle, to: contentWeight(of: handle))
            key += count
        }
    }
}
