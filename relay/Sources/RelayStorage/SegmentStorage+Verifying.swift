import SennitWire
import Synchronization

extension SegmentStorage {
    /// Goes through every frame's checksum, every footer, and every log's chain and heads.
    ///
    /// It can run while the relay serves; what is appended meanwhile may or may not be seen.
    /// - Parameters:
    ///   - checksSignatures: each costs about 50 µs.
    ///   - progress: called with what was proven so far.
    public func verify(
        checksSignatures: Bool = true,
        progress: (StorageCheck.Report) -> Void = { _ in }
    ) throws(StorageError) -> StorageCheck.Report {
        var result = StorageCheck.Report()
        result.damages = damages
        let segments = writer.withLock { writer in
            let active = writer.active
            return state.withLock { state in
                state.segments.values.map { segment -> (Segment, Int?) in
                    let isActive = active?.segment.number == segment.number
                    return (segment, isActive ? active?.position : state.ends[segment.number])
                }
            }
        }
        for (segment, end) in segments.sorted(by: { $0.0.number < $1.0.number }) {
            do throws(StorageError) {
                try verify(segment, end: end, &result)
            } catch {
                result.damages.append(error)
            }
            progress(result)
        }
        let files = result
        /// A walk over the logs, and what the files showed before.
        func joined(_ walk: StorageCheck.Report) -> StorageCheck.Report {
            var report = walk
            report.segmentCount = files.segmentCount
            report.frameCount = files.frameCount
            report.damages = files.damages
            report.damages += walk.damages.filter { !files.damages.contains($0) }
            return report
        }
        let walk = try StorageCheck.run(on: self, checksSignatures: checksSignatures) {
            progress(joined($0))
        }
        return joined(walk)
    }

    private func verify(
        _ segment: Segment,
        end: Int?,
        _ result: inout StorageCheck.Report
    ) throws(StorageError) {
        let (file, epoch) = try segment.open()
        var knownEnd = end
        if knownEnd == nil {
            // Read again: what is in memory may be better than what is on disk.
            let footer = try StorageError.reading { () throws(FileFailure) in
                try SegmentFooter.open(file, epoch: epoch)
            }
            guard let footer else {
                throw .damagedFile(path: segment.path, reason: "its footer doesn't check out")
            }
            knownEnd = footer.framesEnd
        }
        let (bytes, limit) = try StorageError.reading { () throws(FileFailure) in
            let limit = knownEnd ?? 0
            return (try file.read(limit, at: 0), limit)
        }
        guard case .header = SegmentHeader.read(bytes) else {
            throw .damagedFile(path: segment.path, reason: "both copies of its header are damaged")
        }
        let scan = SegmentScan(bytes, epoch: epoch, knownEnd: limit)
        result.segmentCount += 1
        result.frameCount += scan.frames.count { !$0.isDamaged }
        for damage in scan.damages {
            let error = StorageError.damagedFile(
                path: segment.path,
                reason: "bytes \(damage) don't check out"
            )
            if !result.damages.contains(error) { result.damages.append(error) }
        }
    }
}
