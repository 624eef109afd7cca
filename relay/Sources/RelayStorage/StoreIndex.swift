// What is kept in memory of all that is stored: 48 bytes a log and a slot of 4 to 8 to find it, 64
// bytes a space and its slot. Everything else is on disk: batches, descriptors, lists.
//
// A log's row names the segment with its last batch. That segment's table or footer has the
// batches, and names the segment with the ones before (LogRun.previous), and so on back.
//
//     row of log 7: end 90, last segment 12
//     segment 12: log 7 has 60..<90, before that segment 5
//     segment 5:  log 7 has  0..<60, before that none
//
// Rows hold segment numbers and never positions, so compaction can replace a segment's file by a
// smaller one under the same number without touching a row.

import SennitWire

/// A log.
struct LogRow: BitwiseCopyable {
    /// The first 16 bytes of the log's id.
    var word0: UInt64 = 0
    var word1: UInt64 = 0
    /// The offset after the last durable entry.
    var end: UInt64 = 0
    /// Bytes of all entries before `end`, as its head says.
    var byteCount: UInt64 = 0
    /// The segment with the last batch; all ones for none.
    var last: UInt32 = .max
    /// The segment with the frame that created the log.
    var created: UInt32 = .max
    /// The space; all ones for a log that is gone.
    var space: UInt32 = .max
    /// The next log of the space; all ones for none.
    var next: UInt32 = .max

    var words: (UInt64, UInt64) { (word0, word1) }
    var isGone: Bool { space == .max }
}

/// A space.
struct SpaceRow {
    var id: SpaceID
    /// The segments with genesis and list; all ones for none. Without genesis the space is gone.
    var created: UInt32 = .max
    var access: UInt32 = .max
    var firstLog: UInt32 = .max
    var logCount: UInt32 = 0
    var entryCount: UInt64 = 0
    var byteCount: UInt64 = 0

    var isGone: Bool { created == .max }
}

/// Where a truncated log begins.
struct LogFloor: Hashable {
    var offset: UInt64
    var byteCount: UInt64
    /// The segment with the frame that says so.
    var segment: UInt32
}

/// What a frame does to the index.
enum Effect {
    case batch(log: UInt32, first: UInt64, end: UInt64, byteCount: UInt64)
    case space(UInt32, SpaceID)
    case access(space: UInt32)
    case admission(space: UInt32, device: DeviceKey, invite: DeviceKey)
    case dismissal(space: UInt32, [DeviceKey])
    case log(UInt32, LogID, space: UInt32)
    case floor(log: UInt32, end: UInt64, byteCount: UInt64)
    case removal(space: UInt32)
}

extension Effect {
    /// Whether it is a batch of this log.
    func isBatch(of log: UInt32) -> Bool {
        if case .batch(log, _, _, _) = self { true } else { false }
    }
}

/// All logs and spaces as they are on disk.
struct StoreIndex {
    /// What a checkpoint keeps.
    struct Content {
        var logs = ChunkedRows<LogRow>()
        var spaces = ChunkedRows<SpaceRow>()
        var floors: [UInt32: LogFloor] = [:]
        var admissions: [UInt32: [DeviceKey: DeviceKey]] = [:]
    }

    private(set) var content: Content
    private(set) var liveSpaceCount = 0
    private var logSlots: NameSlots
    private var spaceSlots: NameSlots

    init(_ content: Content = Content()) {
        var random = SystemRandomNumberGenerator()
        logSlots = NameSlots(seed: (random.next(), random.next()))
        spaceSlots = NameSlots(seed: (random.next(), random.next()))
        self.content = content
        let logs = content.logs
        for number in 0..<UInt32(logs.count) where !logs[number].isGone {
            logSlots.insert(number, logs[number].words) { logs[$0].words }
        }
        let spaces = content.spaces
        for number in 0..<UInt32(spaces.count) where !spaces[number].isGone {
            spaceSlots.insert(number, [UInt8].words(of: spaces[number].id.value)) {
                [UInt8].words(of: spaces[$0].id.value)
            }
            liveSpaceCount += 1
        }
    }

    // MARK: Looking up

    func number(of log: LogID) -> UInt32? {
        logSlots.find([UInt8].words(of: log.value)) { content.logs[$0].words }
    }

    func number(of space: SpaceID) -> UInt32? {
        let number = spaceSlots.find([UInt8].words(of: space.value)) {
            [UInt8].words(of: content.spaces[$0].id.value)
        }
        return number.flatMap { content.spaces[$0].id == space ? $0 : nil }
    }

    func log(_ number: UInt32) -> LogRow { content.logs[number] }
    func space(_ number: UInt32) -> SpaceRow { content.spaces[number] }

    /// The logs of a space, in no order.
    func logs(of space: UInt32) -> [UInt32] {
        var numbers: [UInt32] = []
        var next = content.spaces[space].firstLog
        while next != .max, numbers.count < content.logs.count {
            numbers.append(next)
            next = content.logs[next].next
        }
        return numbers
    }

    /// Whether a batch that ends at `end` is kept.
    func keeps(log number: UInt32, end: UInt64) -> Bool {
        number < content.logs.count && !content.logs[number].isGone
            && end > (content.floors[number]?.offset ?? 0)
    }

    // MARK: Changing

    /// Takes in what a frame does, and notes in `table` where it lies.
    mutating func apply(
        _ effect: Effect,
        segment: UInt32,
        position: UInt32,
        length: UInt32,
        table: inout SegmentTable
    ) {
        switch effect {
        case .batch(let log, let first, let end, let byteCount):
            guard isKnown(log: log), content.logs[log].end < end else { return }
            table.addBatch(
                log: log,
                first: first,
                place: BatchPlace(end: end, position: position, length: length),
                byteCount: byteCount,
                previous: content.logs[log].last
            )
            grow(log, to: end, byteCount: byteCount, segment: segment)
        case .space(let number, _): table.addControl(.space, number: number, position: position)
        case .access(let number): table.addControl(.access, number: number, position: position)
        case .admission(let number, _, _):
            table.addControl(.admission, number: number, position: position)
        case .dismissal(let number, _):
            table.addControl(.dismissal, number: number, position: position)
        case .log(let number, _, _): table.addControl(.log, number: number, position: position)
        case .floor(let number, _, _): table.addControl(.floor, number: number, position: position)
        case .removal(let number): table.addControl(.removal, number: number, position: position)
        }
        applyControl(effect, segment: segment)
    }

    /// Takes in batches of one log that were written together.
    mutating func apply(
        _ run: ArraySlice<CommitGroup.Placed>,
        of log: UInt32,
        _ place: (segment: UInt32, position: Int),
        table: inout SegmentTable
    ) {
        guard isKnown(log: log), case .batch(_, let first, _, _) = run.first?.effect,
            case .batch(_, _, let end, let byteCount) = run.last?.effect,
            content.logs[log].end < end
        else { return }
        table.addBatches(log: log, first: first, previous: content.logs[log].last, byteCount) {
            links in
            for frame in run {
                guard case .batch(_, _, let end, _) = frame.effect else { continue }
                links(
                    BatchPlace(
                        end: end,
                        position: UInt32(place.position + frame.start),
                        length: UInt32(frame.length)
                    )
                )
            }
        }
        grow(log, to: end, byteCount: byteCount, segment: place.segment)
    }

    /// A segment's last batch of a log, as its footer tells of it.
    mutating func apply(_ run: LogRun, of log: UInt32, segment: UInt32) {
        guard isKnown(log: log), content.logs[log].end < run.end || content.logs[log].last == .max
        else { return }
        grow(log, to: run.end, byteCount: run.byteCount, segment: segment)
    }

    /// Takes in what a frame that isn't a batch does.
    mutating func applyControl(_ effect: Effect, segment: UInt32) {
        switch effect {
        case .batch: break
        case .space(let number, let id): addSpace(number, id, segment: segment)
        case .access(let number):
            if isKnown(space: number) { content.spaces[number].access = segment }
        case .admission(let number, let device, let invite):
            if isKnown(space: number) { content.admissions[number, default: [:]][device] = invite }
        case .dismissal(let number, let devices):
            for device in devices { content.admissions[number]?[device] = nil }
            if content.admissions[number]?.isEmpty == true { content.admissions[number] = nil }
        case .log(let number, let id, let space):
            addLog(number, id, space: space, segment: segment)
        case .floor(let log, let end, let byteCount):
            if isKnown(log: log) { truncate(log, end, byteCount, segment: segment) }
        case .removal(let number): if isKnown(space: number) { removeSpace(number) }
        }
    }

    private func isKnown(log number: UInt32) -> Bool {
        number < content.logs.count && !content.logs[number].isGone
    }

    private func isKnown(space number: UInt32) -> Bool {
        number < content.spaces.count && !content.spaces[number].isGone
    }

    private mutating func grow(
        _ log: UInt32,
        to end: UInt64,
        byteCount: UInt64,
        segment: UInt32
    ) {
        let row = content.logs[log]
        var grown = row
        grown.end = max(row.end, end)
        grown.byteCount = max(row.byteCount, byteCount)
        grown.last = segment
        content.logs[log] = grown
        content.spaces[row.space].entryCount &+= end - min(row.end, end)
        content.spaces[row.space].byteCount &+= byteCount - min(row.byteCount, byteCount)
    }

    private mutating func addSpace(_ number: UInt32, _ id: SpaceID, segment: UInt32) {
        // Numbers whose frames compaction has dropped are of spaces that are gone.
        while content.spaces.count <= number { content.spaces.append(SpaceRow(id: id)) }
        guard content.spaces[number].isGone else { return }
        content.spaces[number] = SpaceRow(id: id, created: segment)
        let spaces = content.spaces
        spaceSlots.insert(number, [UInt8].words(of: id.value)) {
            [UInt8].words(of: spaces[$0].id.value)
        }
        liveSpaceCount += 1
    }

    private mutating func addLog(
        _ number: UInt32,
        _ id: LogID,
        space: UInt32,
        segment: UInt32
    ) {
        while content.logs.count <= number { content.logs.append(LogRow()) }
        guard isKnown(space: space), content.logs[number].isGone else { return }
        let (word0, word1) = [UInt8].words(of: id.value)
        content.logs[number] = LogRow(
            word0: word0,
            word1: word1,
            created: segment,
            space: space,
            next: content.spaces[space].firstLog
        )
        content.spaces[space].firstLog = number
        content.spaces[space].logCount += 1
        let logs = content.logs
        logSlots.insert(number, (word0, word1)) { logs[$0].words }
    }

    private mutating func truncate(
        _ log: UInt32,
        _ end: UInt64,
        _ byteCount: UInt64,
        segment: UInt32
    ) {
        let row = content.logs[log]
        let floor = content.floors[log] ?? LogFloor(offset: 0, byteCount: 0, segment: .max)
        guard end > floor.offset else { return }
        // A floor past the end is that of a log which begins there, or of one whose later batches a
        // footer tells of only after this.
        let gone = min(end, row.end)
        let goneByteCount = min(byteCount, row.byteCount)
        content.spaces[row.space].entryCount -= gone - min(floor.offset, gone)
        content.spaces[row.space].byteCount -= goneByteCount - min(floor.byteCount, goneByteCount)
        if end > row.end {
            content.logs[log].end = end
            content.logs[log].byteCount = byteCount
        }
        content.floors[log] = LogFloor(offset: end, byteCount: byteCount, segment: segment)
    }

    private mutating func removeSpace(_ number: UInt32) {
        for log in logs(of: number) {
            let logs = content.logs
            logSlots.remove(logs[log].words) { logs[$0].words }
            content.logs[log].space = .max
            content.floors[log] = nil
        }
        let spaces = content.spaces
        spaceSlots.remove([UInt8].words(of: spaces[number].id.value)) {
            [UInt8].words(of: spaces[$0].id.value)
        }
        content.admissions[number] = nil
        content.spaces[number].created = .max
        content.spaces[number].firstLog = .max
        liveSpaceCount -= 1
    }
}
