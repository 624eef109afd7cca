// What a document is now, without how it came about: enough to show it, to edit it, and to say
// which events it has. A store keeps it beside the chunks of the history (HistoryChunk.swift), and
// reads those only when something concurrent is to be merged.
//
// The file is that of ColumnSet.swift, with nothing packed, so that a text is opened without
// unpacking or copying it:
//
//     head = events:varint
//
//     id  column       content
//     1   logs         the 32 bytes of each log that has events, ascending
//     2   known        for each log: runs, then for each run: numbers between the end of the run
//                      before and its first, and how many it has, less 1
//     3   frontier     for each event, ascending: event - the one before (for the first: event),
//                      the index of its log, its number
//     4   map          for each key, ascending: length, key, how many values, and for each of those
//                      by ascending event: event, index of the log, number, length, value
//     5   containers   those that need an update, ascending, each less the one before
//     6   text         UTF-8
//
// Everything but ids, keys, values and text is varints. Example: a document with one event of log
// L, which inserted "a": head 01, columns 1 = L, 2 = 01 00 00, 3 = 00 00 00, 6 = "a".
//
// All of it follows from the history, so a column that this version doesn't know is not carried
// along: after a change it would be wrong. If it is needed, the head asks for an update.

import SennitWire

/// The current state of a document.
struct DocumentHead {
    /// An event by both its names.
    struct Event: Hashable, Sendable {
        var local: LocalEvent
        var name: EventID
    }

    /// Which events of a log the document has.
    struct KnownEvents: Hashable, Sendable {
        var log: LogID
        /// Ascending, not empty, with gaps between them.
        var numbers: [Range<Int>]
    }

    /// A key of the root map with its values.
    struct Entry: Hashable, Sendable {
        var key: [UInt8]
        /// Ascending by event, not empty.
        var values: [Value]
    }

    /// A value and the event that set it.
    struct Value: Hashable, Sendable {
        var event: Event
        var bytes: [UInt8]
    }

    /// How many events the document has.
    var eventCount: Int
    /// The version of everything, ascending by local event.
    var frontier: [Event]
    /// Ascending by log. Together as many numbers as there are events.
    var known: [KnownEvents]
    /// Ascending by key.
    var entries: [Entry]
    /// Ascending.
    var containersNeedingUpdate: [UInt64]
    /// UTF-8: a part of the file, if the head was read from one.
    var text: ArraySlice<UInt8>
}
