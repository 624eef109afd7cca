extension OperationLog {
    /// Adds what a run does, without its first `skippedCount` events.
    mutating func append(_ content: OperationRun.Content, skipping skippedCount: Int) {
        switch content {
        case .insert(let position, let text):
            let bytes = Array(text.string.utf8)[...]
            let skipped = OperationLog.byteCount(of: skippedCount, scalarsOf: bytes)
            let rest = bytes.dropFirst(skipped)
            append(
                inserted: rest,
                scalarCount: TextCounts(rest).scalars,
                at: position + skippedCount
            )
        case .delete(let range, let isBackward):
            // Of either direction, what is left begins as low and is shorter.
            let rest = range.lowerBound..<(range.upperBound - skippedCount)
            append(deleted: rest, isBackward: isBackward)
        case .mapSet(let key, let value):
            append(MapChange(key: Array(key.string.utf8), value: value))
        case .mapRemove(let key):
            append(MapChange(key: Array(key.string.utf8), value: nil))
        case .gather:
            appendGathering()
        case .unknown(let kind, let container, let eventCount, let bytes):
            append(
                Unknown(kind: kind, container: container, bytes: bytes),
                count: eventCount - skippedCount
            )
        }
    }
}
