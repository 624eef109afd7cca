// Opening: what is on disk decides what the log is.
//
//     checkpoint, covers …12   13, footer   14, "after 13"       15, "after 14 at 9000"   16, 0000
//     └─ rows ───────────────► + footer ──► + frames to 9000 ──► + frames, torn tail      spare
//
// 1. The last segment is the one of the highest number with a readable header.
// 2. From there, each header names the segment it continues and where that one ends, back to what
//    the checkpoint covers. Segments that nobody continues hold nothing that was acked.
// 3. They are taken in, in order: by footer, or frame by frame (SegmentScan).
// 4. The last segment is synced: its frames may be in the page cache only, if a process was killed
//    before its sync, and nothing may be served that a power cut could still take away.
// 5. Writing goes on in a new segment. So a torn tail needs no repair: the next header ends it.
//
// If the highest file has no readable header but frames that say something was synced before them,
// both copies of the header are damaged, and opening stops instead of losing what was acked.

import SennitWire

/// What opening finds.
struct Recovery {
    var relayName = Bytes32.zero
    var index = StoreIndex()
    var segments: [UInt32: Segment] = [:]
    var tables: [UInt32: SegmentTable] = [:]
    var ends: [UInt32: Int] = [:]
    var last: SegmentHeader.Place?
    var nextSegment: UInt32 = 1
    var spare: Spare?
    var uncheckpointedCount = 0
    var damages: [StorageError] = []

    private let files: any StorageFiles

    private struct Found {
        let header: SegmentHeader
        let file: any StorageFile
        /// From the header of the segment that continues this one.
        var end: Int?
    }

    /// Opens what is in a directory, or begins.
    /// - Parameter newName: for a new storage; random if it is `nil`.
    static func run(
        _ files: any StorageFiles,
        newName: Bytes32?
    ) throws(StorageError) -> Recovery {
        var recovery = Recovery(files)
        try recovery.run(newName)
        return recovery
    }

    private init(_ files: any StorageFiles) { self.files = files }

    private mutating func run(_ newName: Bytes32?) throws(StorageError) {
        let names = try failing { () throws(FileFailure) in try files.names() }
        let numbers = names.compactMap(Segment.number).sorted()
        let checkpoint = try Checkpoint.read(from: files)
        if checkpoint == nil, names.contains(Checkpoint.name) {
            let path = files.path + "/" + Checkpoint.name
            damages.append(.damagedFile(path: path, reason: "it is read from the segments instead"))
        }
        let covered = checkpoint?.covered ?? 0
        let chain = try findChain(numbers, above: covered)
        if let checkpoint {
            index = StoreIndex(checkpoint.content)
            for number in checkpoint.segments {
                segments[number] = Segment(number, in: files)
                guard numbers.contains(number) else {
                    damages.append(
                        .damagedFile(path: path(number), reason: "the segment is missing")
                    )
                    continue
                }
            }
        }
        for found in chain { try takeIn(found, isLast: found.header == chain.last?.header) }
        reportGaps()
        uncheckpointedCount = chain.count
        nextSegment = max(nextSegment, checkpoint?.nextSegment ?? 1, (numbers.last ?? 0) + 1)
        if last == nil, let checkpoint {
            let segment = segments[checkpoint.covered]
            if case .footer(let footer) = try segment?.index() {
                let end = UInt32(footer.framesEnd)
                last = SegmentHeader.Place(number: checkpoint.covered, end: end)
            } else if let file = try segment?.open().file {
                let size = try failing { () throws(FileFailure) in try file.size() }
                last = SegmentHeader.Place(number: checkpoint.covered, end: UInt32(size))
            }
        }
        relayName =
            checkpoint?.relayName ?? chain.last?.header.relayName ?? newName
            ?? Recovery.randomName()
        try removeStrays(names, above: covered)
    }

    // MARK: Finding

    /// The segments that the checkpoint doesn't cover, in order.
    private mutating func findChain(
        _ numbers: [UInt32],
        above covered: UInt32
    ) throws(StorageError) -> [Found] {
        var rest = numbers.filter { $0 > covered }
        var chain: [Found] = []
        while let number = rest.popLast() {
            if let found = try open(number) {
                chain = [found]
                break
            }
        }
        // Each segment continues one of a lower number, so this ends.
        while let first = chain.first, let after = first.header.after, after.number > covered {
            guard numbers.contains(after.number), after.number < first.header.number,
                var found = try open(after.number, isNeeded: true)
            else {
                throw .damagedFile(path: path(after.number), reason: "the segment is missing")
            }
            found.end = Int(after.end)
            chain.insert(found, at: 0)
        }
        if let after = chain.first?.header.after, after.number < covered {
            throw .damagedFile(
                path: path(chain[0].header.number),
                reason: "it continues segment \(after.number), which has been continued before"
            )
        }
        return chain
    }

    /// Opens a segment; `nil` if nothing was ever synced in it.
    private mutating func open(
        _ number: UInt32,
        isNeeded: Bool = false
    ) throws(StorageError) -> Found? {
        let (file, start) = try failing { () throws(FileFailure) in
            let file = try files.open(Segment.name(number))
            return (file, try file.read(SegmentHeader.byteCount, at: 0))
        }
        switch SegmentHeader.read(start) {
        case .newer(let version): throw .newerFormat(path: path(number), version: version)
        case .header(let header):
            guard header.number == number else {
                throw .damagedFile(path: path(number), reason: "its header is another's")
            }
            return Found(header: header, file: file)
        case .none: break
        }
        guard !isNeeded else {
            throw .damagedFile(path: path(number), reason: "both copies of its header are damaged")
        }
        let bytes = try failing { () throws(FileFailure) in try file.read(try file.size(), at: 0) }
        guard bytes.contains(where: { $0 != 0 }) else {
            if bytes.count > SegmentHeader.byteCount { spare = Spare(number: number, file: file) }
            return nil
        }
        guard !Recovery.hasSyncedFrames(bytes) else {
            throw .damagedFile(path: path(number), reason: "both copies of its header are damaged")
        }
        return nil
    }

    /// Whether a file without header has frames that others were on disk before.
    private static func hasSyncedFrames(_ bytes: [UInt8]) -> Bool {
        var at = SegmentHeader.byteCount
        while at + FrameHeader.byteCount <= bytes.count {
            let epoch: UInt32 = bytes.field(at: at)
            if epoch != 0, let header = Frame.header(bytes, at: at, epoch: epoch),
                Int(header.synced) > SegmentHeader.byteCount,
                Frame.checked(bytes, at: at, epoch: epoch, seed: Frame.seed(of: epoch)) != nil
            {
                return true
            }
            at += FrameHeader.alignment
        }
        return false
    }

    // MARK: Taking in

    private mutating func takeIn(_ found: Found, isLast: Bool) throws(StorageError) {
        let number = found.header.number
        let epoch = found.header.epoch
        let footer = try failing { () throws(FileFailure) in
            try SegmentFooter.open(found.file, epoch: epoch)
        }
        let segment = Segment(number, in: files, file: found.file, epoch: epoch, end: found.end)
        if let footer {
            segments[number] = segment
            segment.setFooter(footer)
            try takeIn(footer, of: segment, found.file)
            last = SegmentHeader.Place(number: number, end: UInt32(footer.framesEnd))
            return
        }
        let bytes = try failing { () throws(FileFailure) in
            if isLast { try found.file.synchronize() }
            let size = try found.file.size()
            return try found.file.read(found.end ?? size, at: 0)
        }
        let scan = SegmentScan(bytes, epoch: epoch, knownEnd: found.end)
        guard scan.end > SegmentHeader.byteCount else {
            // Nothing in it; what comes next continues the one before.
            last = found.header.after
            return
        }
        segments[number] = segment
        var table = SegmentTable()
        for frame in scan.frames { takeIn(frame, bytes, of: number, &table) }
        for damage in scan.damages {
            damages.append(
                .damagedFile(path: path(number), reason: "bytes \(damage) don't check out")
            )
        }
        tables[number] = table
        ends[number] = scan.end
        last = SegmentHeader.Place(number: number, end: UInt32(scan.end))
    }

    private mutating func takeIn(
        _ frame: PlacedFrame,
        _ bytes: [UInt8],
        of number: UInt32,
        _ table: inout SegmentTable
    ) {
        let header = frame.header
        var effect = Effect(header, bytes, at: frame.position)
        if case .batch(let log, let first, let end, _) = effect {
            guard log < index.content.logs.count else { return }
            let row = index.log(log)
            if frame.isDamaged {
                // The header is not proven. It counts if it says what the log's end says.
                guard first == row.end, !row.isGone, end - first <= Limits.maximumBatchCount
                else { return }
                effect = .batch(log: log, first: first, end: end, byteCount: row.byteCount)
            }
            if first > row.end || frame.isDamaged {
                gaps.append((log, row.end, frame.isDamaged ? end : first))
            }
        }
        guard let effect else { return }
        index.apply(
            effect,
            segment: number,
            position: UInt32(frame.position),
            length: header.length,
            table: &table
        )
    }

    /// Batches that are missing or damaged. Those below a log's floor are not: compaction may have
    /// dropped them already, and the floor may lie in a later segment.
    private var gaps: [(log: UInt32, from: UInt64, end: UInt64)] = []

    private mutating func reportGaps() {
        for gap in gaps where index.keeps(log: gap.log, end: gap.end) {
            let from = max(gap.from, index.content.floors[gap.log]?.offset ?? 0)
            guard let id = logID(gap.log) else { continue }
            damages.append(
                .damagedLog(log: id, offset: Offset(from), reason: "a batch is damaged")
            )
        }
    }

    private func logID(_ log: UInt32) -> LogID? {
        let row = index.log(log)
        guard let segment = segments[row.created] else { return nil }
        do throws(StorageError) {
            var position = tables[row.created]?.run(of: log)?.created
            if position == nil, case .footer(let footer) = try segment.index() {
                let file = try segment.open().file
                position = try failing { () throws(FileFailure) in
                    try footer.run(of: log, in: file)?.run.created
                }
            }
            guard let position else { return nil }
            return try segment.frame(at: position).bytes.name(at: FrameHeader.byteCount)
        } catch {
            return nil
        }
    }

    private mutating func takeIn(
        _ footer: SegmentFooter,
        of segment: Segment,
        _ file: any StorageFile
    ) throws(StorageError) {
        try takeInControls(of: footer, segment, file)
        var runs: [(log: UInt32, run: LogRun)] = []
        try failing { () throws(FileFailure) in
            try footer.forEachRun(in: file) { log, run, _ throws(FileFailure) in
                if run.count > 0 { runs.append((log, run)) }
            }
        }
        for (log, run) in runs { index.apply(run, of: log, segment: segment.number) }
    }

    private mutating func takeInControls(
        of footer: SegmentFooter,
        _ segment: Segment,
        _ file: any StorageFile
    ) throws(StorageError) {
        let positions = try failing { () throws(FileFailure) in try footer.controls(in: file) }
        // Where there are many, one read of all frames costs less than one for each.
        let isDense = positions.count > Recovery.denseControlCount
        let epoch = try segment.open().epoch
        let seed = Frame.seed(of: epoch)
        let all =
            isDense
            ? try failing { () throws(FileFailure) in try file.read(footer.framesEnd, at: 0) } : []
        for position in positions {
            let at = Int(position)
            if isDense, let header = Frame.checked(all, at: at, epoch: epoch, seed: seed) {
                guard let effect = Effect(header, all, at: at) else { continue }
                index.applyControl(effect, segment: segment.number)
                continue
            }
            do throws(StorageError) {
                let (bytes, header) = try segment.frame(at: position)
                guard let effect = Effect(header, bytes, at: 0) else { continue }
                index.applyControl(effect, segment: segment.number)
            } catch {
                damages.append(error)
            }
        }
    }

    private static let denseControlCount = 256

    // MARK: Helpers

    /// Takes away what is no segment of the log: what a crash left half done.
    private func removeStrays(_ names: [String], above covered: UInt32) throws(StorageError) {
        for name in names {
            let number = Segment.number(name)
            let isStray =
                number.map { segments[$0] == nil && $0 != spare?.number } ?? name.hasSuffix(".new")
            guard isStray else { continue }
            try failing { () throws(FileFailure) in try files.remove(name) }
        }
    }

    private func path(_ number: UInt32) -> String { files.path + "/" + Segment.name(number) }

    private static func randomName() -> Bytes32 {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<Bytes32.byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
        return Bytes32(bytes) ?? .zero
    }

    private func failing<Value>(
        _ body: () throws(FileFailure) -> Value
    ) throws(StorageError) -> Value {
        do throws(FileFailure) { return try body() } catch { throw StorageError(error) }
    }
}
