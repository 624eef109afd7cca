import Foundation
import SennitWire
import Synchronization

// Writing groups. One thread at a time is here: the committer.

/// A segment file that is filled with zeros and has no header yet.
struct Spare {
    let number: UInt32
    let file: any StorageFile
}

/// A spare on its way there.
struct Filling {
    let file: any StorageFile
    /// Everything before it is zeros, on disk or on the way there.
    var position = 0

    static let pieceByteCount = 256 << 10
}

/// Where the next group goes.
struct Writer {
    struct Active {
        let segment: Segment
        let file: any StorageFile
        let epoch: UInt32
        let isFilled: Bool
        /// Invariant: everything before it is on disk.
        var position = SegmentHeader.byteCount
    }

    private(set) var active: Active?
    /// Where the log ends on disk: what the next segment says that it continues.
    private(set) var last: SegmentHeader.Place?
    /// Segments since the last checkpoint.
    private var uncheckpointedCount: Int

    init(last: SegmentHeader.Place?, uncheckpointedCount: Int) {
        self.last = last
        self.uncheckpointedCount = uncheckpointedCount
    }

    /// Writes a group and syncs it.
    /// - Returns: the segment and the place in it where the group begins.
    mutating func write(
        _ group: inout CommitGroup,
        _ storage: SegmentStorage
    ) throws(StorageError) -> (segment: UInt32, position: Int) {
        try storage.requireRoom(for: group)
        try makeRoom(for: group.bytes.count, storage)
        guard let active else { throw .closed }
        let start = active.position
        let seed = Frame.seed(of: active.epoch)
        for frame in group.frames {
            Frame.seal(
                &group.bytes,
                at: frame.start,
                epoch: active.epoch,
                seed: seed,
                synced: start
            )
        }
        do throws(FileFailure) {
            try active.file.writeAll(group.bytes, at: start)
            try active.file.synchronize()
        } catch {
            abandon(storage)
            throw StorageError(error)
        }
        let end = start + group.bytes.count
        self.active?.position = end
        last = SegmentHeader.Place(number: active.segment.number, end: UInt32(end))
        return (active.segment.number, start)
    }

    /// The segment is never written again. What was synced stays readable.
    private mutating func abandon(_ storage: SegmentStorage) {
        guard let active else { return }
        self.active = nil
        storage.state.withLock { $0.activeEnd = nil }
        let number = active.segment.number
        guard active.position == SegmentHeader.byteCount else {
            storage.state.withLock { state in
                state.ends[number] = active.position
                state.failed.insert(number)
                state.tasks.append(.seal(number))
            }
            return
        }
        storage.state.withLock { state in
            state.segments[number] = nil
            state.tables[number] = nil
        }
        // Nothing in it counts, for the next header continues the segment before. If the name
        // can't be removed, opening does.
        try? storage.files.remove(active.segment.name)
    }

    private mutating func makeRoom(
        for byteCount: Int,
        _ storage: SegmentStorage
    ) throws(StorageError) {
        let spare = storage.state.withLock { $0.spare }
        if let active {
            let isEmpty = active.position == SegmentHeader.byteCount
            let fits = active.position + byteCount <= storage.options.segmentByteCount
            // A segment that wasn't filled ahead serves until one is there that was.
            if isEmpty || fits && (active.isFilled || spare == nil || !storage.options.fillsAhead) {
                return
            }
        }
        let next = try open(storage)
        retire(storage)
        active = next
        storage.state.withLock { state in
            state.segments[next.segment.number] = next.segment
            state.tables[next.segment.number] = SegmentTable()
            state.activeEnd = next.isFilled ? SegmentHeader.byteCount : nil
            if storage.options.fillsAhead { state.tasks.append(.prepare) }
        }
        storage.wakeJanitor()
    }

    /// A new segment with its header, which the sync of its first group makes durable.
    private func open(_ storage: SegmentStorage) throws(StorageError) -> Active {
        var random = SystemRandomNumberGenerator()
        let epoch = UInt32.random(in: 1...(.max), using: &random)
        // In one step, so that a spare is never passed over: segments follow each other by number.
        let (spare, number) = storage.state.withLock { state in
            let spare = state.spare
            state.spare = nil
            return (spare, spare?.number ?? state.takeNumber())
        }
        let header = SegmentHeader(
            number: number,
            epoch: epoch,
            after: last,
            relayName: storage.relayName
        )
        do throws(FileFailure) {
            let name = Segment.name(number)
            let file =
                if let spare { spare.file } else { try storage.files.create(name) }
            try file.writeAll(header.bytes, at: 0)
            // The name of a spare is durable already.
            if spare == nil { try storage.files.synchronizeDirectory() }
            let segment = Segment(number, in: storage.files, file: file, epoch: epoch)
            return Active(segment: segment, file: file, epoch: epoch, isFilled: spare != nil)
        } catch {
            try? storage.files.remove(Segment.name(number))
            throw StorageError(error)
        }
    }

    /// Hands the active segment to the janitor, to be sealed.
    mutating func retire(_ storage: SegmentStorage) {
        guard let active, active.position > SegmentHeader.byteCount else { return }
        self.active = nil
        uncheckpointedCount += 1
        storage.state.withLock { state in
            state.ends[active.segment.number] = active.position
            state.tasks.append(.seal(active.segment.number))
            let isDue = Checkpoint.isDue(
                after: uncheckpointedCount,
                rowCount: state.index.content.logs.count,
                options: storage.options
            )
            guard isDue || state.isClosed else { return }
            uncheckpointedCount = 0
            // Nothing has been applied past this segment yet, so the index is that of its end.
            state.tasks.append(
                .checkpoint(
                    Checkpoint(
                        relayName: storage.relayName,
                        covered: active.segment.number,
                        segments: state.segments.keys.sorted(),
                        nextSegment: state.nextSegment,
                        content: state.index.content
                    )
                )
            )
        }
    }
}

extension SegmentStorage {
    /// What deletes is never refused for want of room.
    fileprivate func requireRoom(for group: CommitGroup) throws(StorageError) {
        guard let maximum = options.maximumByteCount else { return }
        let onlyDeletes = group.frames.allSatisfy { frame in
            switch frame.effect {
            case .floor, .removal, .dismissal: true
            default: false
            }
        }
        guard onlyDeletes || state.withLock({ $0.storedByteCount }) + group.bytes.count <= maximum
        else {
            throw .failed(path: files.path, reason: "the storage is as large as it may be")
        }
    }

    /// Makes durable what is queued, group after group.
    func pump() {
        while let group = state.withLock({ $0.queue.isEmpty ? nil : $0.queue.removeFirst() }) {
            commit(group)
        }
    }

    private func commit(_ group: CommitGroup) {
        var group = group
        do throws(StorageError) {
            if !group.frames.isEmpty {
                let start = ContinuousClock.now
                let place = try writer.withLock { writer throws(StorageError) in
                    try writer.write(&group, self)
                }
                apply(group, place, took: start.duration(to: .now))
            }
            for submission in group.submissions { submission.completion(submission.results) }
        } catch {
            fail(group, error)
        }
    }

    private func apply(
        _ group: CommitGroup,
        _ place: (segment: UInt32, position: Int),
        took time: Duration
    ) {
        let resumesFilling = state.withLock { state in
            var table = state.tables.removeValue(forKey: place.segment) ?? SegmentTable()
            var rest = group.frames[...]
            while let first = rest.first {
                if case .batch(let log, _, _, _) = first.effect {
                    let run = rest.prefix { $0.effect.isBatch(of: log) }
                    state.index.apply(run, of: log, place, table: &table)
                    if let last = run.last { state.reservation.settle(last.effect) }
                    rest = rest.dropFirst(run.count)
                    continue
                }
                state.index.apply(
                    first.effect,
                    segment: place.segment,
                    position: UInt32(place.position + first.start),
                    length: UInt32(first.length),
                    table: &table
                )
                state.reservation.settle(first.effect)
                rest = rest.dropFirst()
            }
            state.tables[place.segment] = table
            state.storedByteCount += group.bytes.count
            state.figures.addSync(
                byteCount: group.bytes.count,
                changeCount: group.frames.count,
                took: time
            )
            if state.activeEnd != nil { state.activeEnd = place.position + group.bytes.count }
            return state.resumesFilling(options)
        }
        if resumesFilling { wakeJanitor() }
    }

    /// Refuses the group and all that is reserved after it, and forgets what was reserved.
    private func fail(_ group: CommitGroup, _ error: StorageError) {
        let groups = state.withLock { state in
            defer {
                state.queue = []
                state.reservation = Reservation(over: state.index)
            }
            state.figures.addFailure()
            return [group] + state.queue
        }
        for submission in groups.flatMap(\.submissions) {
            submission.completion(submission.results.map { $0 ?? error })
        }
    }
}
