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
    /// It is filled in small pieces, in step with the segment in use and twice as fast: so it is
    /// ready in time at any rate, and a commit waits for a piece or two on their way to the disk,
    /// not for a whole segment. There is one sync at the end, since each costs a commit of the file
    /// system's journal. Without a filled segment in use there is no time to lose.
    ///
    /// It gets its number last, for segments follow each other by number: had one been begun
    /// without a spare meanwhile, this one would come before it.
    private func prepare() throws(StorageError) {
        guard state.withLock({ $0.spare == nil && !$0.isClosed }) else { return }
        var name = SegmentStorage.unnumberedSpareName
        do throws(FileFailure) {
            let begun = state.withLock { $0.filling }
            var filling = if let begun { begun } else { Filling(file: try files.create(name)) }
            let zeros = [UInt8](
                repeating: 0,
                count: min(Filling.pieceByteCount, options.segmentByteCount)
            )
            while filling.position < options.segmentByteCount {
                guard filling.position < state.withLock({ $0.fillTarget(options) }) else {
                    // The committer says when it is time to go on.
                    return state.withLock { $0.filling = filling }
                }
                let end = filling.position + zeros.count
                try filling.file.writeAll(zeros, at: filling.position)
                filling.file.startWriting(filling.position..<end)
                filling.position = end
                if state.withLock({ $0.isClosed }) {
                    throw FileFailure(name: name, reason: "nobody waits for it any more")
                }
            }
            let file = filling.file
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
                    state.filling = nil
                    return true
                }
            }
        } catch {
            state.withLock { $0.filling = nil }
            try? files.remove(name)
            throw StorageError(error)
        }
    }

    /// Lets go of a spare that isn't filled yet.
    func dropFilling() {
        let filling = state.withLock { state in
            defer { state.filling = nil }
            return state.filling
        }
        if filling != nil { try? files.remove(SegmentStorage.unnumberedSpareName) }
    }

    private static let unnumberedSpareName = "spare.new"
}

extension SegmentStorage.State {
    /// The number for a new segment.
    mutating func takeNumber() -> UInt32 {
        nextSegment += 1
        return nextSegment - 1
    }

    /// How far the spare should be filled by now.
    func fillTarget(_ options: SegmentStorage.Options) -> Int {
        guard options.hasThreads, let activeEnd else { return options.segmentByteCount }
        return min(options.segmentByteCount, 2 * activeEnd + options.segmentByteCount / 8)
    }

    /// Whether the janitor should go on filling the spare.
    mutating func resumesFilling(_ options: SegmentStorage.Options) -> Bool {
        let target = fillTarget(options)
        guard let filling, filling.position + Filling.pieceByteCount <= target else { return false }
        for case .prepare in tasks { return false }
        tasks.append(.prepare)
        return true
    }
}
