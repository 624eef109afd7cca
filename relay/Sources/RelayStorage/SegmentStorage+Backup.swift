import SennitWire
import Synchronization

// A backup is a directory with the segments as they were at one moment: sealed ones as they are,
// the active one up to the last group that was on disk. It opens like any storage, without a
// checkpoint: from the footers, and the frames of what wasn't sealed. So a restore is a copy, and a
// backup is proven by opening it.
//
// The moment is one of the index: all that was acked before `backup` was called is in it, and of
// each unit all or nothing. Appends go on; compaction waits.

/// How far a copy is.
public struct CopyProgress: Hashable, Sendable {
    /// Bytes that were copied.
    public var byteCount: Int
    /// Bytes of all that is to be copied.
    public var totalByteCount: Int
}

extension SegmentStorage {
    /// Copies all that is durable to another directory.
    /// - Parameters:
    ///   - target: an empty directory.
    ///   - progress: called after each piece.
    /// - Throws: `unfit` if the directory isn't empty; `failed`; `damagedFile`.
    public func backup(
        to target: any StorageFiles,
        progress: (CopyProgress) -> Void = { _ in }
    ) throws(StorageError) {
        try SegmentStorage.requireEmpty(target)
        try compaction.withLock { _ throws(StorageError) in
            // The writer's lock for a moment: no group is half way between disk and index.
            let (segments, active) = writer.withLock { writer in
                let segments = state.withLock { state in
                    state.segments.values.map { ($0, state.ends[$0.number]) }
                }
                return (segments, writer.active)
            }
            var copies: [(segment: Segment, file: any StorageFile, byteCount: Int)] = []
            for (segment, end) in segments.sorted(by: { $0.0.number < $1.0.number }) {
                let file = try segment.open().file
                let size = try StorageError.reading { () throws(FileFailure) in try file.size() }
                let activeEnd = active?.segment.number == segment.number ? active?.position : nil
                if activeEnd == SegmentHeader.byteCount { continue }
                copies.append((segment, file, activeEnd ?? end ?? size))
            }
            try SegmentStorage.copy(
                copies.map { ($0.segment.name, $0.file, $0.byteCount) },
                to: target,
                progress
            )
        }
    }

    /// Copies a backup to the directory of a relay to be, and proves that it opens.
    /// - Parameters:
    ///   - target: an empty directory.
    /// - Returns: the spaces and logs in it.
    /// - Throws: `unfit` if the directory isn't empty or the backup has no segments; what opening
    ///   throws; `failed`.
    public static func restore(
        from backup: any StorageFiles,
        to target: any StorageFiles,
        progress: (CopyProgress) -> Void = { _ in }
    ) throws(StorageError) -> StorageUsage {
        try requireEmpty(target)
        let copies = try StorageError.reading { () throws(FileFailure) in
            let names = try backup.names().filter { Segment.number($0) != nil }.sorted()
            return try names.map { name throws(FileFailure) in
                let file = try backup.open(name)
                return (name, file, try file.size())
            }
        }
        guard !copies.isEmpty else {
            throw .unfit(reason: "\(backup.path) has no segments")
        }
        try copy(copies, to: target, progress)
        var options = Options()
        options.hasThreads = false
        options.fillsAhead = false
        let storage = try SegmentStorage(files: target, options: options)
        if let damage = storage.damages.first { throw damage }
        var usage = StorageUsage()
        for space in try storage.spaces() {
            let more = try storage.usage(of: space)
            usage.logCount += more.logCount
            usage.entryCount += more.entryCount
            usage.byteCount += more.byteCount
        }
        try storage.close()
        return usage
    }

    private static func requireEmpty(_ target: any StorageFiles) throws(StorageError) {
        let names = try StorageError.reading { () throws(FileFailure) in try target.names() }
        guard !names.contains(where: { Segment.number($0) != nil || $0 == Checkpoint.name }) else {
            throw .unfit(reason: "\(target.path) has a relay's storage in it already")
        }
    }

    private static func copy(
        _ copies: [(name: String, file: any StorageFile, byteCount: Int)],
        to target: any StorageFiles,
        _ progress: (CopyProgress) -> Void
    ) throws(StorageError) {
        let total = copies.reduce(0) { $0 + $1.byteCount }
        var done = CopyProgress(byteCount: 0, totalByteCount: total)
        // The highest segment last: while it is missing, what is there already is no storage that
        // could be taken for whole, but one that ends earlier, which `verify` and figures show.
        try StorageError.reading { () throws(FileFailure) in
            for (name, source, byteCount) in copies {
                let partName = name + ".new"
                let file = try target.create(partName)
                var position = 0
                while position < byteCount {
                    let bytes = try source.read(min(1 << 20, byteCount - position), at: position)
                    guard !bytes.isEmpty else {
                        throw FileFailure(name: name, reason: "it is shorter than it was")
                    }
                    try file.writeAll(bytes, at: position)
                    position += bytes.count
                    done.byteCount += bytes.count
                    progress(done)
                }
                try file.synchronize()
                try target.rename(partName, to: name)
            }
            try target.synchronizeDirectory()
        }
    }
}
