// Every scalar that was ever in a document, in the order of the text, each with its event.
//
// A merge replays only what is concurrent, and the tracker that it needs begins at a critical
// version, before which all is plain text without names. Questions about the past need the names:
// who wrote this, what was deleted between two versions, where a mark has gone. So the whole
// history is put into one tracker, once, when somebody first asks, and what is new is added when
// somebody asks again:
//
//     A types "abc"; B deletes "b" and types "x" in its place, A has seen it
//     weave     a   b   x   c
//     events    A0  A1  B1  A2       B0 deletes A1
//     at {A2}   a   b       c
//     at {B1}   a       x   c
//
// The text of a version is what is visible there; the difference of two versions is one walk over
// what is visible in either. An anchor names a scalar, and the scalars visible before it count to
// its place, be it deleted or not.
//
// What it costs: 40 bytes for each span, and the replay of the history once.
//
// Source: the weave of SCCS (Rochkind, "The Source Code Control System", 1975); that a replay by
// Eg-walker without critical versions gives it: Gentle and Kleppmann (EuroSys 2025), 3.

import SennitWire

/// The whole history as one sequence of scalars.
///
/// A class for the reason that `MergeState` is one: copies of a document share it until one of them
/// asks; that one begins anew unless it is the only owner (`Document.ownWeave`).
final class Weave: @unchecked Sendable {
    // Safe to share: it is changed only by a `Document` that is found to be its only owner.

    private var tracker = Tracker(base: -1)

    /// Consecutive scalars whose events are consecutive, in the order of the text.
    struct Stretch {
        /// The events that inserted the scalars.
        var events: Range<LocalEvent>
        /// How many deletions each of them has had at the version that was asked for; -1 if it
        /// was not inserted yet.
        var deletionCount: Int

        /// Whether they are in the text of that version.
        var isVisible: Bool { deletionCount == 0 }
    }

    /// Adds what has been added to the history.
    /// - Complexity: That of merging those events; the first time that of replaying all.
    func catchUp(with history: inout History) {
        let start = tracker.end
        if start == 0 {
            tracker.weave(&history)
        } else {
            tracker.follow(start..<history.count, of: history)
        }
    }
}

// MARK: - Visible at a version

extension Weave {
    /// All scalars from the first to the last, said to be visible or not at a version.
    /// - Complexity: O(s + d log s) for s spans, d of which the last version asked for shows
    ///   otherwise.
    func stretches(at version: [LocalEvent], in graph: EventGraph) -> [Stretch] {
        tracker.move(to: version, by: -1, in: graph)
        return tracker.stretches
    }

    /// The events of the scalars that are visible at a version, in the order of the text.
    func visible(at version: [LocalEvent], in graph: EventGraph) -> [Range<LocalEvent>] {
        var events: [Range<LocalEvent>] = []
        for stretch in stretches(at: version, in: graph) where stretch.isVisible {
            if let last = events.last, last.upperBound == stretch.events.lowerBound {
                events[events.count - 1] = last.lowerBound..<stretch.events.upperBound
            } else {
                events.append(stretch.events)
            }
        }
        return events
    }
}

// MARK: - In the text as it is

extension Weave {
    /// The event of the scalar at a position of the current text.
    /// - Complexity: O(log s).
    func event(at position: Int) -> LocalEvent { tracker.event(at: position) }

    /// The events of a range of the current text, in order.
    /// - Complexity: O(log s + spans of the range, deleted ones too).
    func events(in range: Range<Int>) -> [Range<LocalEvent>] { tracker.events(in: range) }

    /// How many scalars of the current text come before the scalar of an event, and whether it is
    /// itself there. `nil` if the event inserted nothing.
    /// - Complexity: O(log s).
    func place(of event: LocalEvent) -> (position: Int, isVisible: Bool)? {
        tracker.finalPlace(of: event)
    }

    /// The scalars that some events deleted, ascending. The events are ascending and apart.
    /// - Complexity: O(k log s) for k spans.
    func targets(of events: [Range<LocalEvent>]) -> [Range<LocalEvent>] {
        tracker.targets(of: events)
    }
}

extension Tracker {
    /// All spans of characters, but for the placeholder at the end.
    fileprivate var stretches: [Weave.Stretch] {
        var result: [Weave.Stretch] = []
        content.forEach { handle in
            let span = spans[handle]
            guard span.key >= Tracker.placeholderCount else { return }
            let start = event(ofKey: span.key)
            let events = start..<(start + Int(span.count))
            let deletionCount = Int(state(of: handle)) - 1
            result.append(Weave.Stretch(events: events, deletionCount: deletionCount))
        }
        return result
    }

    fileprivate func event(at position: Int) -> LocalEvent {
        let (cursor, offset) = content.place(at: position, in: .final)
        return event(ofKey: spans[content.handle(at: cursor)].key + offset)
    }

    fileprivate func events(in range: Range<Int>) -> [Range<LocalEvent>] {
        if range.isEmpty { return [] }
        var result: [Range<LocalEvent>] = []
        var (cursor, offset) = content.place(at: range.lowerBound, in: .final)
        var rest = range.count
        while rest > 0 {
            let span = spans[content.handle(at: cursor)]
            if !span.wasDeleted {
                let count = min(rest, Int(span.count) - offset)
                let start = event(ofKey: span.key) + offset
                if let last = result.last, last.upperBound == start {
                    result[result.count - 1] = last.lowerBound..<(start + count)
                } else {
                    result.append(start..<(start + count))
                }
                rest -= count
            }
            offset = 0
            guard let next = content.successor(of: cursor) else { break }
            cursor = next
        }
        return result
    }

    fileprivate mutating func finalPlace(
        of event: LocalEvent
    ) -> (position: Int, isVisible: Bool)? {
        let (handle, offset) = place(ofKey: key(of: event))
        let span = spans[handle]
        guard !span.isDeletion, offset < Int(span.count) else { return nil }
        let before = content.finalWeight(before: content.cursor(of: handle))
        return (before + (span.wasDeleted ? 0 : offset), !span.wasDeleted)
    }

    /// The scalars that some events deleted, ascending; the events are apart and ascending.
    fileprivate mutating func targets(of events: [Range<LocalEvent>]) -> [Range<LocalEvent>] {
        var result: [Range<LocalEvent>] = []
        for range in events {
            var key = self.key(of: range.lowerBound)
            let end = self.key(of: range.upperBound)
            var place = index.place(of: key)
            while true {
                let span = spans[index.handle(at: place)]
                let low = max(span.key, key)
                let high = min(span.end, end)
                if span.isDeletion, low < high {
                    let first =
                        span.isBackward
                        ? span.left + (span.end - high) : span.left + (low - span.key)
                    let start = event(ofKey: first)
                    result.append(start..<(start + high - low))
                }
                key = max(key, high)
                guard let next = index.successor(of: place),
                    spans[index.handle(at: next)].key < end
                else { break }
                place = next
            }
        }
        return result.sorted { $0.lowerBound < $1.lowerBound }
    }
}
