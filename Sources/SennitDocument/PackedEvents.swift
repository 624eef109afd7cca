// Which events a document at rest has, in few bytes.
//
// A document that many people wrote has a log of 32 bytes for each of them, and for each log mostly
// one range of numbers. As arrays of ranges that takes a heap block for each log, four times the
// ranges themselves. So the ranges lie in one row of bytes, log after log, as the head of a
// document has them (column 2 of DocumentHead.swift):
//
//     logs    [L, M]                 ends  [5, 7]
//     numbers  2  0 6  3 0 | 1  0 0        L: 0..<7 and 10..<11;  M: 0..<1
//
// A search reads the ranges of one log. Of a log with many, every 64th is marked, so that a search
// reads no more than 64.

import SennitWire

/// Which events of which logs there are.
struct PackedEvents: Sendable {
    /// Before which range of a log a search may begin.
    private struct Mark {
        /// Where the range begins in `numbers`.
        var byteIndex: UInt32
        /// The end of the range before.
        var end: Int
    }

    private static let markDistance = 64

    /// Ascending.
    private let logs: [LogID]
    /// Where the ranges of each log end in `numbers`.
    private let ends: [UInt32]
    /// For each log how many ranges it has, and for each range the numbers between it and the one
    /// before and how many it has, less 1; all as varints.
    private let numbers: [UInt8]
    /// Ascending.
    private let marks: [Mark]

    /// Packs what is there, ascending by log.
    init(_ known: [DocumentHead.KnownEvents]) {
        var writer = ByteWriter()
        var ends: [UInt32] = []
        var marks: [Mark] = []
        ends.reserveCapacity(known.count)
        for log in known {
            writer.writeVarint(log.numbers.count)
            var end = 0
            for (index, range) in log.numbers.enumerated() {
                if index > 0, index % PackedEvents.markDistance == 0 {
                    marks.append(Mark(byteIndex: UInt32(writer.bytes.count), end: end))
                }
                writer.writeVarint(range.lowerBound - end)
                writer.writeVarint(range.count - 1)
                end = range.upperBound
            }
            ends.append(UInt32(writer.bytes.count))
        }
        logs = known.map(\.log)
        self.ends = ends
        // Without the room that a growing array keeps.
        numbers = Array(writer.bytes[...])
        self.marks = Array(marks[...])
    }

    /// How many bytes it takes.
    var byteCount: Int {
        logs.count * (Bytes32.byteCount + MemoryLayout<UInt32>.stride) + numbers.count
            + marks.count * MemoryLayout<Mark>.stride
    }

    /// All of it.
    /// - Complexity: O(n).
    var unpacked: [DocumentHead.KnownEvents] {
        var cursor = ColumnCursor(numbers.indices)
        return logs.map { log in
            var ranges: [Range<Int>] = []
            var end = 0
            for _ in 0..<cursor.nextCount(numbers.span) {
                ranges.append(next(&cursor, after: end))
                end = ranges[ranges.count - 1].upperBound
            }
            return DocumentHead.KnownEvents(log: log, numbers: ranges)
        }
    }

    /// Whether one of these numbers of a log is here.
    /// - Complexity: O(log n).
    func contains(anyOf wanted: Range<Int>, of log: LogID) -> Bool {
        let place = PackedEvents.firstIndex(logs.count) { logs[$0] >= log }
        guard place < logs.count, logs[place] == log else { return false }
        let start = place == 0 ? 0 : Int(ends[place - 1])
        var cursor = ColumnCursor(start..<Int(ends[place]))
        _ = cursor.nextCount(numbers.span)
        var end = 0
        // The last mark of the log whose range begins no later than what is wanted.
        let mark = PackedEvents.firstIndex(marks.count) {
            marks[$0].byteIndex >= ends[place]
                || (Int(marks[$0].byteIndex) > start && marks[$0].end > wanted.lowerBound)
        }
        if mark > 0, Int(marks[mark - 1].byteIndex) > start {
            cursor = ColumnCursor(Int(marks[mark - 1].byteIndex)..<Int(ends[place]))
            end = marks[mark - 1].end
        }
        while !cursor.isAtEnd {
            let range = next(&cursor, after: end)
            if range.upperBound > wanted.lowerBound {
                return range.lowerBound < wanted.upperBound
            }
            end = range.upperBound
        }
        return false
    }

    private func next(_ cursor: inout ColumnCursor, after end: Int) -> Range<Int> {
        let start = end + cursor.nextCount(numbers.span)
        return start..<(start + cursor.nextCount(numbers.span) + 1)
    }

    /// The first index for which `isPast` holds, which it does from there on.
    private static func firstIndex(_ count: Int, where isPast: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isPast(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
