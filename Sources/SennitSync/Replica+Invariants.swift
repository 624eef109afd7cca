import SennitDocument
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
                let applied = indexes[other].map { logs[$0].applied } ?? .zero
                try check(end <= applied, "What an author had applied is applied here.")
            }
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
