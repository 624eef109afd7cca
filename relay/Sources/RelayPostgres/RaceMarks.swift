#if PostgreSQL
import SennitWire

// Units of one log are judged by their sender as if those before them were stored. When another
// relay was faster, or the storing of one failed, a later one could still start where the log now
// ends, and continue bytes that were never stored: the log's chain would be broken for good.
//
//     on their way    [a: 5..<7] [a: 7..<8]       judged one after the other, by device and relay
//     stored          5..<7 by another relay, other bytes
//     the first       conflict: a ends at 7       marked
//     the second      fits 7, and is refused all the same
//
// So from a lost race on, all that was submitted for that log before its loser was told is refused.
// Who was told judges anew; what comes of that is let through.

/// From which submissions on a log or space may be written again after a lost race.
struct RaceMarks {
    enum Subject: Hashable {
        case log(LogID)
        case space(SpaceID)
    }

    private struct Mark {
        /// The submission that lost.
        let loser: UInt64
        /// Nothing submitted up to this is let through; `nil` until the loser was told.
        var last: UInt64?
    }

    private var marks: [Subject: Mark] = [:]

    mutating func lose(_ subject: Subject, by submission: UInt64) {
        marks[subject] = Mark(loser: submission)
    }

    func allows(_ subject: Subject, submission: UInt64) -> Bool {
        guard !marks.isEmpty, let mark = marks[subject] else { return true }
        return mark.last.map { submission > $0 } ?? false
    }

    var isEmpty: Bool { marks.isEmpty }

    /// Whether a submission lost and wasn't told.
    func isAwaited(_ submission: UInt64) -> Bool {
        marks.values.contains { $0.last == nil && $0.loser == submission }
    }

    /// Notes who was told, and drops marks that no submission can run into any more.
    /// - Parameters:
    ///   - judged: nothing up to this will be judged again.
    ///   - last: of a loser, the last submission that was made before it was told.
    mutating func tell(judged: UInt64, last: (UInt64) -> UInt64?) {
        for (subject, mark) in marks {
            let end = mark.last ?? last(mark.loser)
            marks[subject] =
                end.map { $0 <= judged } ?? false ? nil : Mark(loser: mark.loser, last: end)
        }
    }
}
#endif
