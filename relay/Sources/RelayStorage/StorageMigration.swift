// From one storage to another, over the protocol alone.
//
// A space is created with its list and admissions in one unit, then log after log, in units of some
// batches each. What is there already is skipped, so a migration that was interrupted goes on where
// it stopped. The source is only read. Each log is copied up to where it ended when its turn came,
// so a source that others write to is copied as it was, log by log; its head must then be the
// copy's.
//
// The relay's name is chosen when the target is made: give `SegmentStorage` that of the source, or
// devices that have noted the relay's name find another.

import SennitWire

/// Copies all spaces and logs.
public struct StorageMigration {
    /// How far a migration is.
    public struct Progress: Hashable, Sendable {
        /// Spaces done, of `totalSpaceCount`.
        public var spaceCount = 0
        /// Spaces of the source.
        public var totalSpaceCount = 0
        /// Logs done.
        public var logCount = 0
        /// Entries copied, without those that were there already.
        public var entryCount: UInt64 = 0
        /// Their bytes.
        public var byteCount: UInt64 = 0
    }

    private let source: any StorageReading
    private let target: any RelayStorage
    private var progress = Progress()

    private static let unitByteCount = 1 << 20

    /// Copies everything from `source` to `target` that isn't there.
    /// - Parameters:
    ///   - report: called after each unit.
    /// - Throws: what reading the source throws; `conflict` or `unfit` if the target has other
    ///   entries than the source; `failed`.
    public static func run(
        from source: any StorageReading,
        to target: any RelayStorage,
        report: (Progress) -> Void = { _ in }
    ) throws(StorageError) -> Progress {
        var migration = StorageMigration(source: source, target: target)
        let spaces = try source.spaces()
        migration.progress.totalSpaceCount = spaces.count
        for space in spaces {
            try migration.copy(space, report)
            migration.progress.spaceCount += 1
            report(migration.progress)
        }
        return migration.progress
    }

    private init(source: any StorageReading, target: any RelayStorage) {
        self.source = source
        self.target = target
    }

    private mutating func copy(
        _ space: SpaceID,
        _ report: (Progress) -> Void
    ) throws(StorageError) {
        guard let record = try source.space(space) else { return }
        let known = try target.space(space)
        var unit: StorageUnit = []
        if known == nil { unit.append(.createSpace(record.genesis)) }
        if let list = record.access, known?.access != list { unit.append(.setAccess(list)) }
        for (device, invite) in record.admissions where known?.admissions[device] != invite {
            unit.append(.admit(device: device, invite: invite, space: space))
        }
        if !unit.isEmpty { try target.commit(unit) }
        for log in try source.logs(of: space) {
            try copy(log, report)
            progress.logCount += 1
        }
    }

    private mutating func copy(
        _ record: LogRecord,
        _ report: (Progress) -> Void
    ) throws(StorageError) {
        let log = record.descriptor.logID(in: record.space)
        var unit: StorageUnit = []
        var byteCount = 0
        var next: Offset
        if let known = try target.log(log) {
            next = known.end
        } else {
            unit.append(.createLog(record.descriptor, space: record.space))
            next = .zero
        }
        if let start = record.start, next < start.end {
            guard next == .zero else { throw .conflict(log: log, end: next) }
            unit.append(.truncate(start, log: log))
            next = start.end
        }
        while next < record.end {
            let found = try source.batches(
                of: log,
                from: next,
                maximumCount: Limits.maximumBatchCount,
                maximumByteCount: StorageMigration.unitByteCount
            )
            let batches = found.prefix { $0.end <= record.end }
            guard let last = batches.last, next < last.end else {
                throw .damagedLog(log: log, offset: next, reason: "a batch is missing")
            }
            for batch in batches {
                unit.append(.append(batch, log: log))
                byteCount += batch.packed.byteCount
                progress.entryCount += UInt64(batch.packed.count)
                progress.byteCount += UInt64(batch.packed.byteCount)
            }
            next = last.end
            guard byteCount >= StorageMigration.unitByteCount else { continue }
            try target.commit(unit)
            unit = []
            byteCount = 0
            report(progress)
        }
        if !unit.isEmpty { try target.commit(unit) }
        let copied = try target.log(log)
        guard copied?.head == record.head, copied?.end == record.end else {
            throw .damagedLog(log: log, offset: record.end, reason: "its copy has another head")
        }
    }
}
