public import SennitDocument
import SennitWire

// Operations as the journal keeps them: the batch of SPEC.md section 14 with a log table that
// starts empty, so that each row stands alone.

extension OperationBatch {
    /// The batch as the journal keeps it.
    var stored: StoredOperations {
        var writer = ByteWriter()
        var logs = LogTable()
        write(to: &writer, logs: &logs)
        return StoredOperations(document: document, author: author, bytes: writer.bytes)
    }
}

extension OperationBatch {
    /// Batches of consecutive runs, each of about `byteCount` bytes at most if no run is larger.
    static func split(
        _ runs: [OperationRun],
        of document: DocumentID,
        byteCount: Int
    ) -> [OperationBatch] {
        var batches: [OperationBatch] = []
        var taken: [OperationRun] = []
        var size = 0
        for run in runs {
            var runSize = 32
            if case .insert(_, let text) = run.content { runSize += text.string.utf8.count }
            if !taken.isEmpty, size + runSize > byteCount {
                batches.append(OperationBatch(document: document, runs: taken))
                taken = []
                size = 0
            }
            taken.append(run)
            size += runSize
        }
        if !taken.isEmpty { batches.append(OperationBatch(document: document, runs: taken)) }
        return batches
    }
}

extension StoredOperations {
    /// The operations.
    /// - Throws: `malformed`.
    public func batch() throws(DocumentError) -> OperationBatch {
        var logs = LogTable()
        return try OperationBatch(decoding: bytes, author: author, logs: &logs)
    }
}
