import Foundation
import SennitWire
import Synchronization

// Reserving: each change is judged against what is reserved, then encoded into the group that is
// written next.

/// What one sync makes durable.
struct CommitGroup {
    struct Placed {
        let start: Int
        let length: Int
        let effect: Effect
    }

    struct Submission {
        var results: [StorageError?]
        let completion: @Sendable ([StorageError?]) -> Void
    }

    var bytes: [UInt8] = []
    var frames: [Placed] = []
    var submissions: [Submission] = []
}

extension SegmentStorage {
    public func submit(
        _ units: [StorageUnit],
        completion: @escaping @Sendable ([StorageError?]) -> Void
    ) {
        let isClosed = state.withLock { state in
            if state.isClosed { return true }
            let last = state.queue.last?.bytes.count ?? .max
            if last >= options.groupByteCount { state.queue.append(CommitGroup()) }
            let group = state.queue.count - 1
            let results = units.map { unit -> StorageError? in
                do throws(StorageError) {
                    try state.reserve(unit, in: group)
                    return nil
                } catch {
                    return error
                }
            }
            state.queue[group].submissions.append(
                CommitGroup.Submission(results: results, completion: completion)
            )
            return false
        }
        if isClosed { return completion(units.map { _ in .closed }) }
        if options.hasThreads { wakeCommitter() }
    }

    public func commit(_ changes: StorageUnit) throws(StorageError) {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<StorageError?>(nil)
        submit([changes]) { results in
            result.withLock { $0 = results.first ?? nil }
            done.signal()
        }
        if !options.hasThreads { pump() }
        done.wait()
        if let error = result.withLock({ $0 }) { throw error }
    }
}

extension SegmentStorage.State {
    /// Judges a unit and encodes it, or leaves everything as it was.
    fileprivate mutating func reserve(_ unit: StorageUnit, in group: Int) throws(StorageError) {
        let byteCount = queue[group].bytes.count
        let frameCount = queue[group].frames.count
        reservation.begin()
        do throws(StorageError) {
            var open: OpenLog?
            for index in unit.indices {
                let isLast = index == unit.count - 1
                if case .append(let batch, let log) = unit[index] {
                    if open?.log != log { open = try openLog(log, after: open) }
                    try reserve(batch, &open, isLast: isLast, in: group)
                    continue
                }
                if let last = open { reservation.setEnd(last.end, of: last.number) }
                open = nil
                if case .removeSpace = unit[index], unit.count > 1 {
                    throw .unfit(reason: "a space is removed by itself")
                }
                try reserve(unit[index], isLast: isLast, in: group)
            }
            if let last = open { reservation.setEnd(last.end, of: last.number) }
        } catch {
            reservation.rollBack()
            queue[group].bytes.removeSubrange(byteCount...)
            queue[group].frames.removeSubrange(frameCount...)
            throw error
        }
    }

    private mutating func reserve(
        _ change: StorageChange,
        isLast: Bool,
        in group: Int
    ) throws(StorageError) {
        switch change {
        case .append: preconditionFailure("Appends are reserved in runs.")
        case .createLog(let descriptor, let space):
            try reserve(descriptor, space, isLast: isLast, in: group)
        case .truncate(let head, let log): try reserve(head, log, isLast: isLast, in: group)
        case .createSpace(let genesis):
            let id = genesis.spaceID
            guard reservation.number(of: id, index) == nil else {
                throw .unfit(reason: "space \(id) is there already")
            }
            let number = reservation.addSpace(id)
            add(.space, number, .space(number, id), isLast: isLast, to: group) {
                $0 += genesis.bytes
            }
        case .setAccess(let list):
            let number = try number(of: list.space)
            add(.access, number, .access(space: number), isLast: isLast, to: group) {
                $0 += list.bytes
            }
        case .admit(let device, let invite, let space):
            let number = try number(of: space)
            let effect = Effect.admission(space: number, device: device, invite: invite)
            add(.admission, number, effect, isLast: isLast, to: group) {
                $0.append(device.value)
                $0.append(invite.value)
            }
        case .forget(let devices, let space):
            let number = try number(of: space)
            let effect = Effect.dismissal(space: number, devices)
            add(.dismissal, number, effect, isLast: isLast, to: group) {
                for device in devices { $0.append(device.value) }
            }
        case .removeSpace(let space):
            let number = try number(of: space)
            reservation.removeSpace(space, number)
            add(.removal, number, .removal(space: number), isLast: isLast, to: group) { _ in }
        }
    }

    /// The log that is appended to, so that a run of appends looks it up once.
    private struct OpenLog {
        let log: LogID
        let number: UInt32
        var end: UInt64
    }

    private mutating func openLog(
        _ log: LogID,
        after last: OpenLog?
    ) throws(StorageError) -> OpenLog {
        if let last { reservation.setEnd(last.end, of: last.number) }
        guard let number = reservation.number(of: log, index) else {
            throw .unfit(reason: "there is no log \(log)")
        }
        return OpenLog(log: log, number: number, end: reservation.end(of: number, index))
    }

    private mutating func reserve(
        _ batch: Batch,
        _ open: inout OpenLog?,
        isLast: Bool,
        in group: Int
    ) throws(StorageError) {
        guard let (log, number, end) = open.map({ ($0.log, $0.number, $0.end) }) else { return }
        guard batch.first.value == end else { throw .conflict(log: log, end: Offset(end)) }
        guard batch.packed.count > 0, batch.packed.count <= Limits.maximumBatchCount,
            batch.end.value == end + UInt64(batch.packed.count)
        else { throw .unfit(reason: "the head isn't that of the batch") }
        open?.end = batch.end.value
        let effect = Effect.batch(
            log: number,
            first: end,
            end: batch.end.value,
            byteCount: batch.head.byteCount
        )
        add(
            .batch,
            number,
            effect,
            first: end,
            count: batch.packed.count,
            isLast: isLast,
            to: group
        ) { Frame.appendBatch(batch, to: &$0) }
    }

    private mutating func reserve(
        _ descriptor: LogDescriptor,
        _ space: SpaceID,
        isLast: Bool,
        in group: Int
    ) throws(StorageError) {
        let spaceNumber = try number(of: space)
        let id = descriptor.logID(in: space)
        guard reservation.number(of: id, index) == nil else {
            throw .unfit(reason: "log \(id) is there already")
        }
        let number = reservation.addLog(id, space: spaceNumber)
        let effect = Effect.log(number, id, space: spaceNumber)
        add(.log, number, effect, first: UInt64(spaceNumber), isLast: isLast, to: group) {
            $0.append(id.value)
            $0.append(descriptor.device.value)
            $0 += descriptor.incarnation.bytes
        }
    }

    private mutating func reserve(
        _ head: Head,
        _ log: LogID,
        isLast: Bool,
        in group: Int
    ) throws(StorageError) {
        guard let number = reservation.number(of: log, index) else {
            throw .unfit(reason: "there is no log \(log)")
        }
        let end = reservation.end(of: number, index)
        let isEmpty = end == 0
        guard isEmpty || head.end.value <= end, head.end > .zero else {
            throw .unfit(reason: "log \(log) ends before the head it is to begin at")
        }
        if isEmpty { reservation.setEnd(head.end.value, of: number) }
        let effect = Effect.floor(log: number, end: head.end.value, byteCount: head.byteCount)
        add(.floor, number, effect, first: head.end.value, isLast: isLast, to: group) {
            Frame.append(head, to: &$0)
        }
    }

    private func number(of space: SpaceID) throws(StorageError) -> UInt32 {
        guard let number = reservation.number(of: space, index) else {
            throw .unfit(reason: "there is no space \(space)")
        }
        return number
    }

    private mutating func add(
        _ kind: FrameHeader.Kind,
        _ number: UInt32,
        _ effect: Effect,
        first: UInt64 = 0,
        count: Int = 0,
        isLast: Bool,
        to group: Int,
        body: (inout [UInt8]) -> Void
    ) {
        let start = queue[group].bytes.count
        let length = Frame.append(
            kind,
            number: number,
            first: first,
            count: count,
            isLastOfUnit: isLast,
            to: &queue[group].bytes,
            body: body
        )
        queue[group].frames.append(
            CommitGroup.Placed(start: start, length: length, effect: effect)
        )
    }
}
