import SennitWire

/// Walks everything that is stored and proves it against the heads.
public struct StorageCheck {
    /// What a walk saw.
    public struct Report: Hashable, Sendable {
        /// Spaces walked.
        public var spaceCount = 0
        /// Logs walked.
        public var logCount = 0
        /// Entries whose hashes are in their log's chain.
        public var entryCount: UInt64 = 0
        /// Bytes of these entries.
        public var byteCount: UInt64 = 0
        /// Segments whose frames were gone through, where there are any.
        public var segmentCount = 0
        /// Frames whose checksums are right.
        public var frameCount = 0
        /// What is wrong; each names its log and offset, or its space.
        public var damages: [StorageError] = []
    }

    private let storage: any StorageReading
    private let checksSignatures: Bool
    private var report = Report()

    /// Walks all of `storage`.
    /// - Throws: `storage` and `damagedFile`, which end the walk. Damage to a space or log is
    ///   reported and the walk goes on with the next.
    /// - Complexity: O(bytes stored), and one signature check for each batch.
    /// - Parameters:
    ///   - checksSignatures: whether each head's signature is checked, about 50 µs each.
    ///   - progress: called after each log with what was proven so far.
    public static func run(
        on storage: any StorageReading,
        checksSignatures: Bool = true,
        progress: (Report) -> Void = { _ in }
    ) throws(StorageError) -> Report {
        var check = StorageCheck(storage: storage, checksSignatures: checksSignatures)
        for space in try storage.spaces() { try check.walk(space, progress) }
        return check.report
    }

    private init(storage: any StorageReading, checksSignatures: Bool) {
        self.storage = storage
        self.checksSignatures = checksSignatures
    }

    private mutating func walk(
        _ space: SpaceID,
        _ progress: (Report) -> Void
    ) throws(StorageError) {
        report.spaceCount += 1
        do throws(StorageError) {
            if let list = try storage.space(space)?.access {
                guard list.space == space, list.isSigned else {
                    throw .damagedSpace(space: space, reason: "the access list is not signed")
                }
            }
            for log in try storage.logs(of: space) {
                try walkNoting(log)
                progress(report)
            }
        } catch {
            try note(error)
        }
    }

    private mutating func walk(_ record: LogRecord) throws(StorageError) {
        report.logCount += 1
        let log = record.descriptor.logID(in: record.space)
        var walk = Walk(tail: LogTail(startOf: record.descriptor, in: record.space))
        if let start = record.start {
            walk = Walk(tail: LogTail(log, record.descriptor, at: start))
        }
        while walk.end < record.end {
            let batches = try storage.batches(
                of: log,
                from: walk.end,
                maximumCount: Limits.maximumBatchCount,
                maximumByteCount: Limits.maximumBatchByteCount
            )
            for batch in batches {
                guard batch.first == walk.end else { break }
                try prove(batch, of: log, record, &walk)
                if let head = record.head, head.end == walk.end, head != batch.head {
                    throw .damagedLog(
                        log: log,
                        offset: walk.end,
                        reason: "its last head isn't that of its last batch"
                    )
                }
            }
            guard batches.last?.end == walk.end else {
                throw .damagedLog(log: log, offset: walk.end, reason: "a batch is missing")
            }
        }
    }

    private mutating func prove(
        _ batch: Batch,
        of log: LogID,
        _ record: LogRecord,
        _ walk: inout Walk
    ) throws(StorageError) {
        let head = batch.head
        batch.packed.forEach { entry in
            walk.take(EntryHash(of: batch.packed.bytes, in: entry), byteCount: entry.count)
        }
        guard walk.end == head.end, walk.chain == head.chain else {
            throw .damagedLog(
                log: log,
                offset: batch.first,
                reason: "the entries' chain isn't that of the head at \(head.end)"
            )
        }
        guard walk.byteCount == head.byteCount else {
            throw .damagedLog(
                log: log,
                offset: batch.first,
                reason: "the entries' bytes aren't those of the head at \(head.end)"
            )
        }
        guard
            !checksSignatures
                || head.isSigned(by: record.descriptor.device, space: record.space, log: log)
        else {
            throw .damagedLog(
                log: log,
                offset: head.end,
                reason: "the head's signature is wrong"
            )
        }
        report.entryCount += UInt64(batch.packed.count)
        report.byteCount += UInt64(batch.packed.byteCount)
    }

    private mutating func walkNoting(_ log: LogRecord) throws(StorageError) {
        do throws(StorageError) { try walk(log) } catch { try note(error) }
    }

    private mutating func note(_ error: StorageError) throws(StorageError) {
        switch error {
        case .damagedLog, .damagedSpace: report.damages.append(error)
        default: throw error
        }
    }
}
