// A document without its older history.
//
// Editing needs the text and the version; merging needs the history only from where the branches
// part. So a document at rest keeps its text and, of the history, this: how many events there were,
// which ones, and the version they made, the base. What comes after is a history of its own, whose
// first events have the base as their parents:
//
//     on disk  G -> A -> B          in memory  base {B}: "text at B"      -> C -> D
//                                                                          -> E
//
// Local events are numbered from the base; "no parents" means the base. What cannot be told from
// this, because a parent lies before the base or a name might be taken there, ends in
// `historyNeeded`, and nothing has changed: attach the history and ask again.

import SennitWire

/// What is known of the history before a base.
struct HistoryBase: Sendable {
    /// How many events it has.
    let eventCount: Int
    /// The version that the base is, ascending by local event.
    let frontier: [DocumentHead.Event]
    /// Which events there are.
    let known: PackedEvents
    /// Containers with operations of unknown kinds, ascending.
    let containersNeedingUpdate: [UInt64]

    /// The names of the base, ascending.
    var names: [EventID] { frontier.map(\.name).sorted() }

    /// Whether one of these numbers of a log is an event before the base.
    /// - Complexity: O(log n).
    func contains(anyOf numbers: Range<Int>, of log: LogID) -> Bool {
        known.contains(anyOf: numbers, of: log)
    }
}

extension History {
    /// How many events the document has, those before the base included.
    var eventCount: Int { (base?.eventCount ?? 0) + count }

    /// The names of a version, ascending.
    func names(ofVersion version: [LocalEvent]) -> [EventID] {
        if version.isEmpty, let base { return base.names }
        return version.map(names.name(of:)).sorted()
    }

    /// Whether an event is here or before the base.
    func contains(_ event: EventID) -> Bool {
        if names.event(named: event) != nil { return true }
        guard let base, let number = Int(exactly: event.number), number < Int.max else {
            return false
        }
        return base.contains(anyOf: number..<(number + 1), of: event.log)
    }

    /// Which events there are, ascending by log.
    var knownEvents: [DocumentHead.KnownEvents] {
        let older = base?.known.unpacked ?? []
        if count == 0 { return older }
        var ranges: [LogID: [Range<Int>]] = [:]
        for known in older { ranges[known.log] = known.numbers }
        for index in names.runs.indices {
            let run = names.runs[index]
            let count = names.end(ofRun: index) - run.start
            ranges[names.logs[run.log], default: []].append(run.number..<(run.number + count))
        }
        return ranges.sorted { $0.key < $1.key }.map { log, ranges in
            var joined: [Range<Int>] = []
            for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
                if let last = joined.last, last.upperBound == range.lowerBound {
                    joined[joined.count - 1] = last.lowerBound..<range.upperBound
                } else {
                    joined.append(range)
                }
            }
            return DocumentHead.KnownEvents(log: log, numbers: joined)
        }
    }

    /// The version of everything by both its names.
    var frontierEvents: [DocumentHead.Event] {
        guard count > 0 else { return base?.frontier ?? [] }
        let offset = base?.eventCount ?? 0
        return graph.frontier.map {
            DocumentHead.Event(local: $0 + offset, name: names.name(of: $0))
        }
    }
}
