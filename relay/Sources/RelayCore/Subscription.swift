// What one connection has been sent, and what to send it next.
//
// A subscription is a cursor per log and a wake-up, never a queue: a device that reads slowly costs
// a few numbers. What a log gained is sent
//
// - at once, from the frame that all subscribers share, if the device stands right before it and
//   its socket takes more,
// - else later, read from storage, one range at a time, when the socket takes more. Logs that are
//   behind take turns.
//
//     cursor 4, log grows 4→6, socket writable     the shared frame, cursor 6
//     cursor 4, log grows 4→6, socket full         end 6 is noted, nothing else
//     socket writable again                        read 4…, send what comes, cursor 6

import NIOCore
import SennitWire

/// The cursors of one connection.
struct Subscription {
    /// What is to be done next.
    enum Step {
        case sendShared(ByteBuffer)
        case read(log: LogID, descriptor: LogDescriptor, from: Offset)
        case caughtUp
    }

    private struct Known {
        let descriptor: LogDescriptor
        var end: Offset
    }

    /// Whether the device asked for entries.
    private(set) var isActive = false

    private var known: [LogID: Known] = [:]
    private var cursors: [LogID: Offset] = [:]
    // Invariant: each log at most once; only logs that are behind or were when they were put here.
    private var waiting = CircularBuffer<LogID>(initialCapacity: 0)
    private var isWaiting: Set<LogID> = []
    private var reading: LogID?
    // The logs that were behind when the device subscribed, with their ends then.
    private var backlog: [LogID: Offset] = [:]
    private var owesCaughtUp = false

    /// Knows the logs of the space and waits for the device to subscribe.
    init(logs: [Welcome.Log], in space: SpaceID) {
        for log in logs {
            known[log.descriptor.logID(in: space)] = Known(descriptor: log.descriptor, end: log.end)
        }
    }

    /// The device has everything before `positions` and nothing of other logs.
    mutating func subscribe(_ positions: [Position], isWritable: Bool) -> [Step] {
        isActive = true
        cursors = Dictionary(positions.map { ($0.log, $0.offset) }) { first, _ in first }
        backlog = known.filter { cursor(of: $0.key) < $0.value.end }.mapValues(\.end)
        owesCaughtUp = true
        for log in backlog.keys.sorted() { wait(for: log) }
        return next(isWritable: isWritable)
    }

    /// A log of the space grew.
    mutating func grow(_ tail: CommittedTail, isWritable: Bool) -> [Step] {
        note(tail.log, Known(descriptor: tail.descriptor, end: tail.end))
        let cursor = cursor(of: tail.log)
        guard isActive, cursor < tail.end else { return [] }
        guard isWritable, cursor == tail.from, let frame = tail.frame else {
            wait(for: tail.log)
            return next(isWritable: isWritable)
        }
        advance(tail.log, to: tail.end)
        return [.sendShared(frame)] + caughtUp()
    }

    /// The device itself appended these entries and needs no copy of them.
    mutating func skip(
        _ log: LogID,
        _ descriptor: LogDescriptor,
        from: Offset,
        to end: Offset
    ) {
        note(log, Known(descriptor: descriptor, end: end))
        guard isActive, (from..<end).contains(cursor(of: log)) else { return }
        advance(log, to: end)
    }

    /// A range came from storage.
    mutating func receive(
        _ range: ReadRange?,
        of log: LogID,
        from: Offset,
        isWritable: Bool
    ) -> [Step] {
        guard reading == log else { return [] }
        reading = nil
        var steps: [Step] = []
        // The cursor may have moved meanwhile: by a new subscription or by the device's own append.
        if let range, cursor(of: log) == from {
            advance(log, to: range.end)
            steps.append(.sendShared(range.frame))
        }
        wait(for: log)
        return steps + next(isWritable: isWritable)
    }

    /// A log can't be read; the others go on.
    mutating func abandon(_ log: LogID, isWritable: Bool) -> [Step] {
        guard reading == log else { return [] }
        reading = nil
        backlog[log] = nil
        return next(isWritable: isWritable)
    }

    /// The socket takes more.
    mutating func resume() -> [Step] { next(isWritable: true) }

    /// Word of two commits may come in either order.
    private mutating func note(_ log: LogID, _ new: Known) {
        if known[log, default: new].end <= new.end { known[log] = new }
    }

    private func cursor(of log: LogID) -> Offset { cursors[log] ?? .zero }

    private mutating func advance(_ log: LogID, to end: Offset) {
        cursors[log] = end
        if let target = backlog[log], target <= end { backlog[log] = nil }
    }

    private mutating func wait(for log: LogID) {
        guard let end = known[log]?.end, cursor(of: log) < end else { return }
        if isWaiting.insert(log).inserted { waiting.append(log) }
    }

    private mutating func next(isWritable: Bool) -> [Step] {
        guard isActive, reading == nil else { return caughtUp() }
        while isWritable, let log = waiting.popFirst() {
            isWaiting.remove(log)
            let cursor = cursor(of: log)
            guard let known = known[log], cursor < known.end else { continue }
            reading = log
            return caughtUp() + [.read(log: log, descriptor: known.descriptor, from: cursor)]
        }
        return caughtUp()
    }

    private mutating func caughtUp() -> [Step] {
        guard owesCaughtUp, backlog.isEmpty else { return [] }
        owesCaughtUp = false
        return [.caughtUp]
    }
}
