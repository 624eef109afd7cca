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
// all spans in the order of keys, and so finds the span of an event. Events that change no text
// have no span.
//
// Two short cuts. An operation whose parents are all events so far lands where it says, so its
// place is found among final characters without moving `version` (`.everything` below). And the
// tracker is kept between merges: a stream of concurrent operations costs O(log n) each, where
// rebuilding it costs O(n) each.
//
// Source: Gentle and Kleppmann, "Collaborative Text Editing with Eg-walker" (EuroSys 2025), 3.
// The rule that orders concurrent insertions: Tracker+Integration.swift.

/// Concurrent history, ready to be moved through.
struct Tracker: ~Copyable {
    typealias Handle = SpanTree.Handle
    typealias Cursor = SpanTree.Cursor

    /// The span of the base text before anything splits it: longer than any text
    /// (`DocumentLimits.maximumTextByteCount`), and with all that may be inserted below 2^31.
    static let placeholderCount = 1 << 30 + 1024
    /// The key of nothing: what is left of the first character.
    static let startKey = -1

    /// The base is the history of this event, or empty if it is -1. All else descends from it.
    private(set) var base: LocalEvent
    /// The version that current states show.
    var version: [LocalEvent]
    /// The version of everything that was applied.
    var tip: [LocalEvent]
    /// All events of the branch from `firstEvent` up to here were applied.
    var end: LocalEvent

    var spans = Slab<Span>()
    var content = SpanTree()
    var index: KeyIndex
    /// The span of the last deletion, which the next one may lengthen.
    private var lastDeletion: Handle = 0

    /// The operation that was looked up last, or one after it.
    var lastOperation = 0
    /// How many operations of a batch were judged otherwise than the history had noted.
    var wrongVerdictCount = 0

    // More versions than one: Tracker+Views.swift.

    /// The views, if there are side views. Invariant: one more than side views, else none.
    var views: [View] = []
    /// Which of them shows `version`.
    var activeView = 0
    /// For each span its states in the side views.
    var sideStates = Slab<Int32>(capacity: 1)
    /// For each run of the graph from `firstKnownRun` on how many events each view has of it; none
    /// of those that are not here yet. Invariant: of the active view what `version` has, but for
    /// events that were applied since it was last moved.
    var knownCounts = Slab<Int32>(capacity: 1)
    var firstKnownRun = 0
    /// How often a view was left for another.
    var useCount = 0
    /// Moves since there are as many views as now, and what they cost.
    var moveCount = 0
    var moveCost = 0
    /// Whether views are added at each move, for tests.
    var addsViewsEagerly = false

    /// The first event after the base.
    var firstEvent: LocalEvent { base + 1 }

    /// Begins with the text at `base`; -1 is the empty text before all events.
    init(base: LocalEvent) {
        self.base = base
        version = []
        tip = []
        end = 0
        index = KeyIndex(key: 0, handle: 0)
        reset(base: base)
    }

    /// Begins anew and keeps its room.
    mutating func reset(base: LocalEvent) {
        self.base = base
        version = base < 0 ? [] : [base]
        tip = version
        end = base + 1
        lastDeletion = 0
        let whole = Span(
            key: 0,
            left: Tracker.startKey,
            right: Tracker.placeholderCount,
            count: Int32(Tracker.placeholderCount),
            state: 1
        )
        dropSideViews()
        moveCount = 0
        moveCost = 0
        spans.removeAll()
        spans.append(whole)
        content.removeAll()
        content.insert(0, weight: whole.weight, after: nil)
        index.reset(key: 0, handle: 0)
    }

    /// Makes room for a long stretch of so many operations, so that growing does not need twice as
    /// much for a moment. Operations on old text split it, so each makes about one and a half
    /// spans, one of them characters.
    mutating func reserve(operationCount: Int) {
        if operationCount < 4096 { return }
        let spanCount = operationCount + operationCount * 5 / 8
        spans.reserve(spanCount)
        content.reserve(operationCount, endOfHandles: Handle(spanCount))
        index.reserve(spanCount)
    }

    /// Whether it takes some hundred kilobytes.
    var isLarge: Bool { spans.count > 4096 }

    /// How long the text at `version` is, if the text of all applied events has `finalCount`
    /// scalars. The unknown length of the base drops out.
    func currentCount(finalCount: Int) -> Int {
        currentTotal - Int(content.total.final) + finalCount
    }

    /// How many characters are in the text at `version`, that of the base counted as longer than it
    /// is.
    @inline(__always)
    var currentTotal: Int {
        Int(
            activeView == 0
                ? content.total.current : content.sideViews.totals[activeView - 1]
        )
    }

    func key(of event: LocalEvent) -> Int {
        Tracker.placeholderCount + (event - firstEvent)
    }

    func event(ofKey key: Int) -> LocalEvent {
        key - Tracker.placeholderCount + firstEvent
    }
}

// MARK: - Spans

extension Tracker {
    /// The span that holds the key of a character, and where inside.
    @inline(__always)
    mutating func place(ofKey key: Int) -> (handle: Handle, offset: Int) {
        let handle = index.handle(at: index.place(of: key))
        return (handle, key - spans[handle].key)
    }

    /// Cuts a span of characters before the one at `offset`, which lies inside. Returns the second
    /// part. Deletions are not cut: their targets are ranges of keys.
    mutating func split(_ handle: Handle, at cursor: Cursor, offset: Int) -> Handle {
        var rest = spans[handle]
        rest.dropFirst(offset)
        spans[handle].count = Int32(offset)
        let new = append(rest)
        content.setWeight(at: cursor, to: spans[handle].weight)
        if sideViewCount > 0 { content.setSize(at: cursor, to: offset) }
        let place = content.insert(new, weight: rest.weight, after: cursor)
        if sideViewCount > 0 { splitSideStates(of: handle, at: place, to: new) }
        return new
    }

    /// Adds the span of new events to the index.
    mutating func append(_ span: Span) -> Handle {
        let new = Handle(spans.count)
        spans.append(span)
        if sideViewCount > 0 { sideStates.append(repeating: 0, count: sideViewCount) }
        index.insert(span.key, new)
        return new
    }

    /// Adds the record of a deletion, to the last one if it goes on where that one ended.
    mutating func appendDeletion(key: Int, count: Int, lowestTarget: Int, isBackward: Bool) {
        let last = spans[lastDeletion]
        let lastCount = Int(last.count)
        if last.isDeletion && last.end == key {
            let mayGoForward = (!last.isBackward || lastCount == 1) && (!isBackward || count == 1)
            let mayGoBackward = (last.isBackward || lastCount == 1) && (isBackward || count == 1)
            if mayGoForward && last.left + lastCount == lowestTarget {
                spans[lastDeletion].isBackward = false
                spans[lastDeletion].count += Int32(count)
                return
            }
            if mayGoBackward && lowestTarget + count == last.left {
                spans[lastDeletion].isBackward = true
                spans[lastDeletion].left = lowestTarget
                spans[lastDeletion].count += Int32(count)
                return
            }
        }
        lastDeletion = append(
            Span(
                key: key,
                left: lowestTarget,
                right: 0,
                count: Int32(count),
                state: 0,
                isDeletion: true,
                isBackward: isBackward
            )
        )
    }
}

// MARK: - Moving

extension Tracker {
    /// Makes current states show another version, which descends from the base and was applied.
    /// - Parameter author: Who made what will be applied there, by index; -1 if that is nothing.
    /// - Complexity: O(d log n) for d spans of events in which the versions differ.
    mutating func move(to target: [LocalEvent], by author: Int, in graph: EventGraph) {
        if sideViewCount > 0 { prepareViews(in: graph) }
        if version != target {
            chooseView(for: target, by: author, in: graph)
            if version != target {
                let cost: Int
                if sideViewCount > 0 {
                    cost = min(moveView(to: target, in: graph), spans.count)
                } else {
                    let (retreated, advanced, stepCount) = graph.difference(version, target)
                    for range in retreated.reversed() { change(range, by: -1) }
                    for range in advanced { change(range, by: 1) }
                    version = target
                    let count = retreated.eventCount + advanced.eventCount
                    cost = max(min(count, spans.count), stepCount)
                }
                noteMove(cost, in: graph)
            }
        }
        if sideViewCount > 0 { views[activeView].author = author }
    }

    /// Does or undoes events. The order does not matter: states are sums.
    mutating func change(_ events: Range<LocalEvent>, by step: Int32) {
        var key = self.key(of: events.lowerBound)
        let end = self.key(of: events.upperBound)
        while key < end {
            let place = index.place(of: key)
            let handle = index.handle(at: place)
            let span = spans[handle]
            if span.end <= key {
                // Events without a span.
                guard let next = index.successor(of: place) else { return }
                key = spans[index.handle(at: next)].key
                continue
            }
            let offset = key - span.key
            let count = min(Int(span.count) - offset, end - key)
            if span.isDeletion {
                let low =
                    span.isBackward
                    ? span.left + Int(span.count) - offset - count
                    : span.left + offset
                changeCharacters(low..<(low + count), by: step)
            } else if count == Int(span.count) {
                addToState(step, of: handle, at: content.cursor(of: handle))
            } else {
                changeCharacters(key..<(key + count), by: step)
            }
            key += count
        }
    }

    /// Changes the state of characters, cutting spans at the ends of the range.
    private mutating func changeCharacters(_ keys: Range<Int>, by step: Int32) {
        var key = keys.lowerBound
        while key < keys.upperBound {
            var (handle, offset) = place(ofKey: key)
            var cursor = content.cursor(of: handle)
            if offset > 0 {
                handle = split(handle, at: cursor, offset: offset)
                cursor = content.cursor(of: handle)
            }
            let count = min(Int(spans[handle].count), keys.upperBound - key)
            if count < Int(spans[handle].count) {
                _ = split(handle, at: cursor, offset: count)
                cursor = content.cursor(of: handle)
            }
            addToState(step, of: handle, at: cursor)
            key += count
        }
    }
}
