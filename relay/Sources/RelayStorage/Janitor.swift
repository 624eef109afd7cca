import SennitWire
import Synchronization

// What can be done beside appending: sealing, checkpoints, and filling the next segment with zeros.
// Nothing acked depends on it. What fails is tried again with the next segment.

/// A thing for the janitor to do.
enum JanitorTask {
    /// Write the footer of a segment to which nothing is added any more.
    case seal(UInt32)
    case checkpoint(Checkpoint)
    /// Have a segment ready that is filled with zeros.
    case prepare
}

extension SegmentStorage {
    /// Does what is to be done.
    func tidy() {
        while let task = state.withLock({ $0.tasks.isEmpty ? nil : $0.tasks.removeFirst() }) {
            // What fails here loses nothing: a segment without footer is gone through again, and
            // without a checkpoint opening takes longer.
            switch task {
            case .seal(let number): try? compaction.withLock { _ in try seal(number) }
            case .checkpoint(let checkpoint): try? write(checkpoint)
            case .prepare: try? prepare()
            }
        }
    }

    private func seal(_ number: UInt32) throws(StorageError) {
        let (segment, table, end, hasFailed) = state.withLock { state in
            (
                state.segments[number], state.tables[number], state.ends[number],
                state.failed.contains(number)
            )
        }
        guard let segment, let table, let end else { return }
        // Of a file whose sync failed a copy is made, and the file never written again.
        if hasFailed { return try rewrite(segment) }
        let (file, epoch) = try segment.open()
        do throws(FileFailure) {
            let footer = SegmentFooter.bytes(of: table, epoch: epoch, framesEnd: end)
            try file.writeAll(footer, at: end)
            try file.truncate(to: end + footer.count)
            try file.synchronize()
            guard let opened = try SegmentFooter.open(file, epoch: epoch) else {
                throw FileFailure(name: segment.path, reason: "its footer reads back otherwise")
            }
            segment.setFooter(opened)
        } catch {
            state.withLock { _ = $0.failed.insert(number) }
            throw StorageError(error)
        }
        forgetTable(number)
    }

    /// The segment has a footer.
    func forgetTable(_ number: UInt32) {
        state.withLock { state in
            state.tables[number] = nil
            state.ends[number] = nil
            state.failed.remove(number)
        }
    }

    private func write(_ checkpoint: Checkpoint) throws(StorageError) {
        let unsealed = state.withLock { state in
            state.ends.keys.filter { $0 <= checkpoint.covered }.sorted()
        }
        for number in unsealed {
            try compaction.withLock { _ throws(StorageError) in try seal(number) }
        }
        do throws(FileFailure) { try checkpoint.write(to: files) } catch {
            throw StorageError(error)
        }
    }

    /// Fills a file with zeros, syncs it and its name.
    ///
    /// It gets its number last, for segments follow each other by number: had one been begun
    /// without a spare meanwhile, this one would come before it.
    private func prepare() throws(StorageError) {
        guard state.withLock({ $0.spare == nil && !$0.isClosed }) else { return }
        var name = SegmentStorage.unnumberedSpareName
        do throws(FileFailure) {
            let file = try files.create(name)
            let zeros = [UInt8](repeating: 0, count: min(1 << 20, options.segmentByteCount))
            var position = 0
            while position < options.segmentByteCount {
                try file.writeAll(zeros, at: position)
                position += zeros.count
                if state.withLock({ $0.isClosed }) {
                    throw FileFailure(name: name, reason: "nobody waits for it any more")
                }
                // In pieces, so that a commit never waits behind a whole segment.
                if position % (8 << 20) == 0 { try file.synchronize() }
            }
            try file.synchronize()
            var isReady = false
            while !isReady {
                let number = state.withLock { $0.takeNumber() }
                try files.rename(name, to: Segment.name(number))
                name = Segment.name(number)
                try files.synchronizeDirectory()
                isReady = state.withLock { state in
                    guard state.nextSegment == number + 1 else { return false }
                    state.spare = Spare(number: number, file: file)
                    return true
                }
            }
        } catch {
            try? files.remove(name)
            throw StorageError(error)
        }
    }

    private static let unnumberedSpareName = "spare.new"
}

extension SegmentStorage.State {
    /// The number for a new segment.
    mutating func takeNumber() -> UInt32 {
        nextSegment += 1
        return nextSegment - 1
    }
}
