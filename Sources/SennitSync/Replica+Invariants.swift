import SennitDocument
import SennitSeal
import SennitWire

extension Replica {
    /// A sentence that should hold and doesn't.
    public struct BrokenInvariant: Error, CustomStringConvertible {
        public let description: String
    }

    /// Checks what must always be true of a replica.
    /// - Throws: the first sentence that isn't.
    /// - Complexity: O(logs + pending operations).
    public func checkInvariants() throws(BrokenInvariant) {
        func check(_ isTrue: Bool, _ sentence: String) throws(BrokenInvariant) {
            if !isTrue { throw BrokenInvariant(description: sentence) }
        }
        try check(indexes.count == logs.count, "Every log has one index.")
        var appliedCount: UInt64 = 0
        for (index, log) in logs.enumerated() {
            try check(indexes[log.id] == index, "A log's index leads to it.")
            try check(log.applied <= log.end, "Nothing is applied that isn't stored.")
            try check(
                log.waitingEntries.count == Int(log.end.value - log.applied.value),
                "What is stored and not applied waits."
            )
            try check(
                log.eventCount(before: log.applied) == log.nextEvent,
                "Event counts follow the applied entries."
            )
            try check(log.head.map { $0.end <= log.end } ?? true, "A head covers stored entries.")
            for (other, end) in log.context.offsets {
                guard let state = indexes[other].map({ logs[$0] }) else {
                    throw BrokenInvariant(description: "A log that an author names is known.")
                }
                // Who only reads doesn't make an ended log count.
                let isReader = (membership?.role(ofLog: log.id) ?? .reader) < .writer
                let isOwnRest = isReader && state.limit != nil
                try check(
                    end <= state.applied || isOwnRest || needsRebuild,
                    "What an author had applied is applied here."
                )
            }
            try check(
                log.limit.map { log.applied <= $0 } ?? true || needsRebuild,
                "Of a log that ended no more is applied than counts."
            )
            try check(log.readEnd <= log.end, "Nothing is read that isn't stored.")
            appliedCount += log.applied.value
        }
        try check(position.value == appliedCount, "Each applied entry has a position.")
        try check(
            pendingEvents == pending.reduce(0) { $0 + UInt64($1.batch.eventCount) },
            "Pending events are counted."
        )
        for (one, next) in zip(pending, pending.dropFirst()) {
            try check(one.sequence < next.sequence, "Pending operations are in order.")
        }
    }
}
