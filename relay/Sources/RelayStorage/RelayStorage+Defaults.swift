public import SennitWire

// What follows from the few calls that an implementation has.

extension RelayStorage {
    /// For storage that isn't asynchronous: commits each unit before this returns.
    public func submit(
        _ units: [StorageUnit],
        completion: @escaping @Sendable ([StorageError?]) -> Void
    ) {
        completion(
            units.map { unit in
                do throws(StorageError) { try commit(unit) } catch { return error }
                return nil
            }
        )
    }

    /// Storage of one relay alone.
    public var isShared: Bool { false }

    /// There are no other relays.
    public func tell(_ audience: StorageAudience) {}

    /// There are no other relays.
    public func broadcast(_ message: [UInt8], in space: SpaceID) {}

    /// Forgets the entries of a log before `offset`, which must be where a stored batch ends.
    /// - Throws: `unfit` if no batch ends there; `failed`.
    public func delete(below offset: Offset, of log: LogID) throws(StorageError) {
        guard let head = try head(of: log, endingAt: offset) else {
            throw .unfit(reason: "no batch of log \(log) ends at \(offset)")
        }
        try commit([.truncate(head, log: log)])
    }
}

extension StorageReading {
    /// Files don't go away; a disk that fails says so when it is used.
    public var outage: StorageError? { nil }

    /// Nothing, for storage that doesn't count.
    public var figures: StorageFigures { StorageFigures() }

    /// Nothing, for storage that doesn't know.
    public func sizes() -> StorageSizes? { nil }

    /// The walk over spaces, logs, chains and heads.
    public func verify(
        checksSignatures: Bool,
        progress: (StorageCheck.Report) -> Void
    ) throws(StorageError) -> StorageCheck.Report {
        try StorageCheck.run(
            on: self,
            checksSignatures: checksSignatures,
            progress: progress
        )
    }

    /// Goes through everything, signatures too.
    public func verify() throws(StorageError) -> StorageCheck.Report {
        try verify(checksSignatures: true) { _ in }
    }

    /// The logs of a space and their bytes, worked out from the heads.
    public func usage(of space: SpaceID) throws(StorageError) -> StorageUsage {
        var usage = StorageUsage()
        for record in try logs(of: space) {
            usage.logCount += 1
            usage.entryCount += record.end.value - (record.start?.end.value ?? 0)
            usage.byteCount += (record.head?.byteCount ?? 0) - (record.start?.byteCount ?? 0)
        }
        return usage
    }

    /// The entries from `from` on as one frame may carry them, in pieces up to a head; `nil` at the
    /// end of the log.
    public func pieces(
        of log: LogID,
        from: Offset
    ) throws(StorageError) -> (entries: [PackedEntries], head: Head)? {
        let batches = try batches(
            of: log,
            from: from,
            maximumCount: Limits.maximumBatchCount,
            maximumByteCount: Limits.maximumBatchByteCount
        )
        guard let first = batches.first, let last = batches.last else { return nil }
        let isWhole = zip(batches, batches.dropFirst()).allSatisfy { $0.end == $1.first }
        guard isWhole, first.first <= from, from < first.end else {
            throw .damagedLog(log: log, offset: from, reason: "a batch is missing")
        }
        let skipped = Int(from.value - first.first.value)
        let rest = batches.dropFirst().map(\.packed)
        return ([first.packed.dropFirst(skipped)] + rest, last.head)
    }

    /// The same as a range, each entry in an array of its own.
    public func range(
        of log: LogID,
        descriptor: LogDescriptor,
        from: Offset
    ) throws(StorageError) -> EntryRange? {
        guard let (pieces, head) = try pieces(of: log, from: from) else { return nil }
        return EntryRange(
            descriptor: descriptor,
            from: from,
            entries: pieces.flatMap(\.unpacked),
            head: head
        )
    }
}
