import SennitWire
import Synchronization

// Giving back the room of what was deleted.
//
// A sealed segment is read, and what of it still counts is written to a new file: frames that tell
// of spaces and logs first, in their order, then batches by log and offset, so that each log's lie
// together. The new file is complete with its footer and synced before it takes the old one's name,
// so a crash leaves the one or the other. It has the same number, and rows hold numbers only.
//
//     segment 5: [log 1][a 0][log 2][b 0][a 1][b 1]      log 2 was removed with its space
//     becomes    [log 1][a 0][a 1]
//
// Kept besides live batches: the genesis, list and admissions of spaces that are there, the frames
// that created logs that are there, floors in force, and removals, which tell a reader of all
// segments that the space's other frames don't count.

extension SegmentStorage {
    /// What compaction did.
    public struct CompactionReport: Hashable, Sendable {
        /// Segments that were looked at.
        public var segmentCount = 0
        /// Segments that were written anew.
        public var rewrittenCount = 0
        /// Bytes of files that were given back.
        public var freedByteCount = 0

        /// Nothing yet.
        public init() {}
    }

    /// Writes those sealed segments anew of which no more than a share is live.
    ///
    /// Appends and reads go on meanwhile.
    /// - Parameters:
    ///   - maximumLiveShare: of the bytes of a segment's frames; 0.5 frees at least as much as it
    ///     writes.
    ///   - progress: called after each segment with the number done and of all.
    /// - Throws: `failed`; `damagedFile` for a segment with damage, which is left as it is.
    /// - Complexity: O(footers) to look, and O(bytes) of what is written anew.
    public func compact(
        maximumLiveShare: Double = 0.5,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws(StorageError) -> CompactionReport {
        var report = CompactionReport()
        let segments = state.withLock { state in
            state.segments.values.filter { state.tables[$0.number] == nil }
        }.sorted { $0.number < $1.number }
        for segment in segments {
            report.segmentCount += 1
            if try liveShare(of: segment) <= maximumLiveShare {
                let size = try StorageError.reading { () throws(FileFailure) in
                    try files.open(segment.name).size()
                }
                try compaction.withLock { _ throws(StorageError) in try rewrite(segment) }
                let newSize = try StorageError.reading { () throws(FileFailure) in
                    try files.open(segment.name).size()
                }
                report.rewrittenCount += 1
                report.freedByteCount += size - newSize
                state.withLock { $0.storedByteCount -= size - newSize }
            }
            progress(report.segmentCount, segments.count)
        }
        return report
    }

    /// How much of a segment's frames would survive; 1 if nothing of it was deleted.
    private func liveShare(of segment: Segment) throws(StorageError) -> Double {
        guard case .footer(let footer) = try segment.index() else { return 1 }
        let file = try segment.open().file
        let all = footer.framesEnd - SegmentHeader.byteCount
        var deadByteCount = 0
        try StorageError.reading { () throws(FileFailure) in
            try footer.forEachRun(in: file) { log, run, firstPlace throws(FileFailure) in
                // Most runs are wholly live, which their ends tell.
                let isWhole = state.withLock { $0.index.keeps(log: log, end: run.first + 1) }
                if isWhole || run.count == 0 { return }
                let range = firstPlace..<(firstPlace + Int(run.count))
                for place in try footer.places(range, in: file) {
                    let isLive = state.withLock { $0.index.keeps(log: log, end: place.end) }
                    if !isLive { deadByteCount += Frame.aligned(Int(place.length)) }
                }
            }
        }
        return all > 0 ? Double(all - deadByteCount) / Double(all) : 1
    }

    /// Writes a segment anew with what of it counts. Who calls holds `compaction`.
    func rewrite(_ segment: Segment) throws(StorageError) {
        let number = segment.number
        let (oldFile, oldEpoch) = try segment.open()
        let knownEnd = state.withLock { $0.ends[number] }
        var end = knownEnd
        if end == nil, case .footer(let footer) = try segment.index() { end = footer.framesEnd }
        guard let end else {
            throw .damagedFile(path: segment.path, reason: "its footer is unreadable")
        }
        let (bytes, header) = try StorageError.reading { () throws(FileFailure) in
            let bytes = try oldFile.read(end, at: 0)
            guard case .header(let header) = SegmentHeader.read(bytes) else {
                throw FileFailure(name: segment.path, reason: "its header is unreadable")
            }
            return (bytes, header)
        }
        let scan = SegmentScan(bytes, epoch: oldEpoch, knownEnd: end)
        guard scan.damages.isEmpty else {
            throw .damagedFile(
                path: segment.path,
                reason: "bytes \(scan.damages[0]) don't check out"
            )
        }
        var random = SystemRandomNumberGenerator()
        let epoch = UInt32.random(in: 1...(.max), using: &random)
        var copy = SegmentCopy(header, epoch: epoch)
        for frame in live(scan.frames, bytes, in: number) {
            let previous: UInt32
            if frame.header.kind == .batch {
                previous = try run(of: frame.header.number, in: number).run?.previous ?? .max
            } else {
                previous = .max
            }
            copy.add(frame, of: bytes, previous: previous)
        }
        let newName = segment.name + ".new"
        do throws(FileFailure) {
            let file = try files.create(newName)
            try file.writeAll(copy.finished(), at: 0)
            try file.synchronize()
            guard let footer = try SegmentFooter.open(file, epoch: epoch) else {
                throw FileFailure(name: newName, reason: "its footer reads back otherwise")
            }
            try files.rename(newName, to: segment.name)
            let new = Segment(number, in: files, file: file, epoch: epoch)
            new.setFooter(footer)
            state.withLock { state in
                state.segments[number] = new
                state.tables[number] = nil
                state.ends[number] = nil
                state.failed.remove(number)
            }
            try files.synchronizeDirectory()
        } catch {
            try? files.remove(newName)
            throw StorageError(error)
        }
    }

    /// The frames that count, in the order in which they are kept.
    private func live(
        _ frames: [PlacedFrame],
        _ bytes: [UInt8],
        in segment: UInt32
    ) -> [PlacedFrame] {
        var controls: [PlacedFrame] = []
        var batches: [PlacedFrame] = []
        let lastAccess = Dictionary(
            frames.filter { $0.header.kind == .access }.map { ($0.header.number, $0.position) }
        ) { max($0, $1) }
        // A few thousand at a time, so that appends needn't wait for all.
        for start in Swift.stride(from: 0, to: frames.count, by: 4096) {
            state.withLock { state in
                for frame in frames[start..<min(start + 4096, frames.count)] {
                    let header = frame.header
                    if header.kind == .batch {
                        let end = header.first + UInt64(header.count)
                        if state.index.keeps(log: header.number, end: end) { batches.append(frame) }
                    } else if header.kind != .access
                        || lastAccess[header.number] == frame.position,
                        state.index.keepsControl(header, segment: segment)
                    {
                        controls.append(frame)
                    }
                }
            }
        }
        batches.sort {
            ($0.header.number, $0.header.first) < ($1.header.number, $1.header.first)
        }
        return controls + batches
    }
}

extension StoreIndex {
    /// Whether a frame that isn't a batch still says something.
    fileprivate func keepsControl(_ header: FrameHeader, segment: UInt32) -> Bool {
        let number = header.number
        switch header.kind {
        case .removal, .batch: return true
        case .space, .admission, .dismissal:
            return number < content.spaces.count && !content.spaces[number].isGone
        case .access:
            return number < content.spaces.count && !content.spaces[number].isGone
                && content.spaces[number].access == segment
        case .log: return number < content.logs.count && !content.logs[number].isGone
        case .floor: return content.floors[number]?.offset == header.first
        }
    }
}

/// A segment in the making, in memory.
private struct SegmentCopy {
    private var bytes: [UInt8]
    private var table = SegmentTable()
    private let epoch: UInt32
    private let seed: UInt32

    init(_ old: SegmentHeader, epoch: UInt32) {
        let header = SegmentHeader(
            number: old.number,
            epoch: epoch,
            after: old.after,
            relayName: old.relayName
        )
        bytes = header.bytes
        self.epoch = epoch
        seed = Frame.seed(of: epoch)
    }

    mutating func add(_ frame: PlacedFrame, of old: [UInt8], previous: UInt32) {
        let (header, start) = (frame.header, bytes.count)
        bytes += old[frame.position..<(frame.position + Int(header.length))]
        for _ in Int(header.length)..<header.stride { bytes.append(0) }
        // Units were whole when they were read; from here on each frame is one.
        bytes[start + 17] |= 1
        Frame.seal(
            &bytes,
            at: start,
            epoch: epoch,
            seed: seed,
            synced: SegmentHeader.byteCount
        )
        guard header.kind == .batch else {
            table.addControl(header.kind, number: header.number, position: UInt32(start))
            return
        }
        table.addBatch(
            log: header.number,
            first: header.first,
            place: BatchPlace(
                end: header.first + UInt64(header.count),
                position: UInt32(start),
                length: header.length
            ),
            byteCount: Frame.byteCount(old, at: frame.position),
            previous: previous
        )
    }

    func finished() -> [UInt8] {
        bytes + SegmentFooter.bytes(of: table, epoch: epoch, framesEnd: bytes.count)
    }
}
