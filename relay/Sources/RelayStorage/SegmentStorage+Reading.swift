public import SennitWire
import Synchronization

// Reading: rows name segments, footers name places, and the bytes come from the page cache by
// pread. Not by mmap, where a failing disk is a signal that ends the process instead of an error.

/// A segment on the way through a log, and the first offset that it has of it.
struct LogWalk: Hashable {
    let segment: UInt32
    let first: UInt64
}

extension SegmentStorage {
    // MARK: Spaces

    public func spaces() throws(StorageError) -> [SpaceID] {
        let content = state.withLock { $0.index.content.spaces }
        return (0..<UInt32(content.count)).compactMap { number in
            content[number].isGone ? nil : content[number].id
        }.sorted()
    }

    public func spaceCount() throws(StorageError) -> Int {
        state.withLock { $0.index.liveSpaceCount }
    }

    public func space(_ space: SpaceID) throws(StorageError) -> SpaceRecord? {
        let found = state.withLock { state in
            state.index.number(of: space).map { number in
                (number, state.index.space(number), state.index.content.admissions[number] ?? [:])
            }
        }
        guard let (number, row, admissions) = found else { return nil }
        do throws(StorageError) {
            let genesisBytes = try spaceFrame(number, in: row.created, \.genesis)
            let accessBytes =
                row.access == .max ? nil : try spaceFrame(number, in: row.access, \.access)
            return try StorageError.decoding(space) { () throws(WireError) in
                SpaceRecord(
                    genesis: try Genesis(decoding: genesisBytes),
                    access: try accessBytes.map { bytes throws(WireError) in
                        try AccessList(decoding: bytes)
                    },
                    admissions: admissions
                )
            }
        } catch .damagedFile(let path, let reason) {
            throw .damagedSpace(space: space, reason: "\(path): \(reason)")
        }
    }

    public func usage(of space: SpaceID) throws(StorageError) -> StorageUsage {
        state.withLock { state in
            guard let number = state.index.number(of: space) else { return StorageUsage() }
            let row = state.index.space(number)
            return StorageUsage(
                logCount: Int(row.logCount),
                entryCount: row.entryCount,
                byteCount: row.byteCount
            )
        }
    }

    private func spaceFrame(
        _ number: UInt32,
        in segment: UInt32,
        _ position: (SpaceRun) -> UInt32
    ) throws(StorageError) -> [UInt8] {
        let (run, segment) = try look(in: segment) { table in
            table.spaces[number]
        } footer: { footer, file throws(FileFailure) in
            try footer.spaceRun(of: number, in: file)
        }
        guard let run, position(run) > 0 else {
            throw .damagedFile(path: segment.path, reason: "a space's frame is missing")
        }
        let (bytes, header) = try segment.frame(at: position(run))
        guard header.number == number else {
            throw .damagedFile(path: segment.path, reason: "a frame is another space's")
        }
        return Frame.body(bytes, at: 0, header)
    }

    // MARK: Logs

    public func logs(of space: SpaceID) throws(StorageError) -> [LogRecord] {
        let numbers = state.withLock { state in
            state.index.number(of: space).map { state.index.logs(of: $0) } ?? []
        }
        var records: [(LogID, LogRecord)] = []
        for number in numbers {
            guard let found = try record(number, of: space, isPatient: true) else { continue }
            records.append(found)
        }
        return records.sorted { $0.0 < $1.0 }.map(\.1)
    }

    public func logCount(of space: SpaceID) throws(StorageError) -> Int {
        state.withLock { state in
            state.index.number(of: space).map { Int(state.index.space($0).logCount) } ?? 0
        }
    }

    public func log(_ log: LogID) throws(StorageError) -> LogRecord? {
        let found = state.withLock { state in
            state.index.number(of: log).map { number in
                (number, state.index.space(state.index.log(number).space).id)
            }
        }
        guard let (number, space) = found, let (id, record) = try record(number, of: space),
            id == log
        else { return nil }
        return record
    }

    private func record(
        _ number: UInt32,
        of space: SpaceID,
        isPatient: Bool = false
    ) throws(StorageError) -> (LogID, LogRecord)? {
        let (row, floor) = state.withLock { state in
            (state.index.log(number), state.index.content.floors[number])
        }
        if row.isGone { return nil }
        let (run, segment) = try run(of: number, in: row.created)
        guard let run, run.created > 0 else {
            throw .damagedSpace(space: space, reason: "\(segment.path): a log's frame is missing")
        }
        let (bytes, header) = try segment.frame(at: run.created)
        let names = FrameHeader.byteCount
        guard header.kind == .log, header.number == number, let id: LogID = bytes.name(at: names),
            let device: DeviceKey = bytes.name(at: names + 32), bytes.count >= names + 80,
            let incarnation = Incarnation(Array(bytes[(names + 64)..<(names + 80)]))
        else {
            throw .damagedSpace(space: space, reason: "\(segment.path): a frame is another log's")
        }
        let start = try floor.map { floor throws(StorageError) in
            try startHead(of: number, id, floor)
        }
        var head = start
        if row.last != .max, row.end > floor?.offset ?? 0 {
            do throws(StorageError) {
                head = try storedHead(of: number, id, endingAt: row.end, row)
            } catch {
                guard isPatient, case .damagedLog = error else { throw error }
                head = nil
            }
        }
        let record = LogRecord(
            space: space,
            descriptor: LogDescriptor(device: device, incarnation: incarnation),
            head: head,
            start: start,
            end: Offset(row.end)
        )
        return (id, record)
    }

    public func head(of log: LogID, endingAt end: Offset) throws(StorageError) -> Head? {
        let found = state.withLock { state in
            state.index.number(of: log).map { number in
                (number, state.index.log(number), state.index.content.floors[number])
            }
        }
        guard let (number, row, floor) = found, end > .zero, end.value <= row.end else {
            return nil
        }
        if let floor, end.value <= floor.offset {
            return end.value == floor.offset ? try startHead(of: number, log, floor) : nil
        }
        return try storedHead(of: number, log, endingAt: end.value, row)
    }

    private func startHead(
        of number: UInt32,
        _ log: LogID,
        _ floor: LogFloor
    ) throws(StorageError) -> Head {
        let (run, segment) = try run(of: number, in: floor.segment)
        let (bytes, header) = try segment.frame(at: run?.floor ?? 0)
        guard header.kind == .floor, header.number == number, header.first == floor.offset else {
            throw .damagedLog(log: log, offset: Offset(floor.offset), reason: "its start is lost")
        }
        return try StorageError.decoding(log, at: floor.offset) { () throws(WireError) in
            try Frame.head(bytes, at: 0)
        }
    }

    /// The head of the batch that ends at `end`; `nil` if none does.
    private func storedHead(
        of number: UInt32,
        _ log: LogID,
        endingAt end: UInt64,
        _ row: LogRow
    ) throws(StorageError) -> Head? {
        for item in try walk(number, holding: end - 1, row).prefix(1) {
            let (places, segment) = try places(of: number, in: item.segment, after: end - 1, 1)
            guard let place = places.first, place.end == end else { return nil }
            let frame = try StorageError.locating(log, at: end - 1) { () throws(StorageError) in
                try segment.frame(at: place.position, length: place.length)
            }
            guard frame.header.kind == .batch, frame.header.number == number else {
                throw .damagedLog(log: log, offset: Offset(end - 1), reason: "a batch is misplaced")
            }
            return try StorageError.decoding(log, at: end) { () throws(WireError) in
                try Frame.head(frame.bytes, at: 0)
            }
        }
        return nil
    }

    // MARK: Batches

    public func batches(
        of log: LogID,
        from: Offset,
        maximumCount: Int,
        maximumByteCount: Int
    ) throws(StorageError) -> [Batch] {
        let found = state.withLock { state in
            state.index.number(of: log).map { number in
                (number, state.index.log(number), state.index.content.floors[number])
            }
        }
        guard let (number, row, floor) = found, from.value < row.end else { return [] }
        if let floor, from.value < floor.offset {
            throw .deleted(log: log, start: Offset(floor.offset))
        }
        var taker = BatchTaker(log, from, maximumCount, maximumByteCount)
        for item in try walk(number, holding: from.value, row) where !taker.isFull {
            while !taker.isFull {
                let after = max(taker.next.value, from.value)
                let (places, segment) = try places(
                    of: number,
                    in: item.segment,
                    after: after,
                    maximumCount - taker.count + 1
                )
                if places.isEmpty { break }
                try taker.take(places, of: number, from: segment)
                if taker.next.value == after { break }
            }
        }
        if taker.batches.isEmpty {
            throw .damagedLog(log: log, offset: from, reason: "a batch is missing")
        }
        return taker.batches
    }

    // MARK: Finding

    /// The segments with a log's batches, from the one that holds `offset` to the last.
    private func walk(
        _ log: UInt32,
        holding offset: UInt64,
        _ row: LogRow
    ) throws(StorageError) -> [LogWalk] {
        let known = walks.withLock { $0[log] } ?? []
        var back: [LogWalk] = []
        var next = row.last
        // Each step goes to a segment of a lower number, so this ends.
        while next != .max, back.last.map({ $0.first > offset }) ?? true {
            if let joint = known.last, joint.segment == next {
                back += known.reversed()
                next = try previous(of: log, in: back[back.count - 1].segment)
                continue
            }
            guard let run = try run(of: log, in: next).run, run.count > 0 else { break }
            back.append(LogWalk(segment: next, first: run.first))
            next = try previous(of: log, in: next, run)
        }
        let all = Array(back.reversed())
        if all.count > 4 {
            walks.withLock { walks in
                if walks.count > 1024 { walks = [:] }
                walks[log] = all
            }
        }
        let start = all.lastIndex { $0.first <= offset } ?? 0
        return Array(all[start...])
    }

    private func previous(
        of log: UInt32,
        in segment: UInt32,
        _ known: LogRun? = nil
    ) throws(StorageError) -> UInt32 {
        let found = if let known { known } else { try run(of: log, in: segment).run }
        guard let found, found.previous == LogRun.unknownPrevious else {
            return found?.previous ?? .max
        }
        let earlier = state.withLock { $0.segments.keys.filter { $0 < segment }.sorted(by: >) }
        for number in earlier {
            if let run = try run(of: log, in: number).run, run.count > 0 { return number }
        }
        return .max
    }

    func run(
        of log: UInt32,
        in number: UInt32
    ) throws(StorageError) -> (run: LogRun?, segment: Segment) {
        try look(in: number) { table in
            table.run(of: log)
        } footer: { footer, file throws(FileFailure) in
            try footer.run(of: log, in: file)?.run
        }
    }

    private func places(
        of log: UInt32,
        in number: UInt32,
        after offset: UInt64,
        _ maximumCount: Int
    ) throws(StorageError) -> (places: [BatchPlace], segment: Segment) {
        try look(in: number) { table in
            table.places(of: log, after: offset, maximumCount: maximumCount)
        } footer: { footer, file throws(FileFailure) in
            guard let (run, firstPlace) = try footer.run(of: log, in: file) else { return [] }
            let range = firstPlace..<(firstPlace + Int(run.count))
            let start = try footer.firstPlace(in: range, after: offset, file)
            let count = min(maximumCount, range.upperBound - start)
            return try footer.places(start..<(start + count), in: file)
        }
    }

    /// Looks in a segment's table, or in its footer. The segment that is returned with the answer
    /// is the one whose file the positions are in.
    private func look<Value: Sendable>(
        in number: UInt32,
        table: (SegmentTable) -> Value,
        footer: (SegmentFooter, any StorageFile) throws(FileFailure) -> Value
    ) throws(StorageError) -> (Value, Segment) {
        let found = state.withLock { state in
            state.segments[number].map { segment in (state.tables[number].map(table), segment) }
        }
        guard let (value, segment) = found else {
            let path = files.path + "/" + Segment.name(number)
            throw .damagedFile(path: path, reason: "the segment is missing")
        }
        if let value { return (value, segment) }
        switch try segment.index() {
        case .table(let rebuilt): return (table(rebuilt), segment)
        case .footer(let opened):
            let file = try segment.open().file
            do throws(FileFailure) { return (try footer(opened, file), segment) } catch {
                throw StorageError(error)
            }
        }
    }
}
