import SennitDocument
import SennitWire

// What a device has typed, under other names: Replica+Renewing.swift.

/// Gives events of a log from a number on names in other logs, stretch by stretch:
///
///     events of the log    4 5 6 7 8 9
///     other names          x4 x5 │ m0 m1 m2 │ n0       x: the log itself, with the other copy's
///                                                      events; m: begun earlier; n: the new one
struct EventRenaming {
    private struct Stretch {
        let firstEvent: UInt64
        let target: EventID
    }

    let from: LogID
    // Invariant: ascending; the last one is that of the new log.
    private var stretches: [Stretch] = []

    /// The first event that is not there under another name.
    private(set) var firstEvent: UInt64

    /// Looks for events where they may be already.
    /// - Parameters:
    ///   - typed: what was typed in `log` since it differs.
    ///   - histories: of the log itself what differs, of others all.
    ///   - newLog: where the rest is to be.
    /// - Complexity: O(events that are found × logs).
    init(
        of typed: TypedEvents,
        from log: LogID,
        found histories: [LogID: TypedEvents],
        to newLog: LogID
    ) {
        let first = typed.batches.first?.firstEvent ?? 0
        self.init(from: log, firstEvent: first, to: newLog)
        while !typed.batches.isEmpty {
            var longest: (count: UInt64, target: EventID)?
            for (other, history) in histories.sorted(by: { $0.key < $1.key }) {
                guard other != log || firstEvent == first else { continue }
                let target = EventID(log: other, number: other == log ? first : 0)
                var attempt = self
                attempt.end(with: target)
                let count = attempt.commonCount(typed, history)
                if count > longest?.count ?? 0 { longest = (count, target) }
            }
            guard let longest else { return }
            end(with: longest.target)
            firstEvent += longest.count
            stretches.append(Stretch(firstEvent: firstEvent, target: newLog.start))
        }
    }

    /// Gives all events from a number on names in another log.
    init(from log: LogID, firstEvent: UInt64, to newLog: LogID) {
        from = log
        self.firstEvent = firstEvent
        stretches = [Stretch(firstEvent: firstEvent, target: newLog.start)]
    }

    private mutating func end(with target: EventID) {
        stretches[stretches.count - 1] = Stretch(firstEvent: firstEvent, target: target)
    }

    func renamed(_ event: EventID) -> EventID {
        guard event.log == from,
            let stretch = stretches.last(where: { $0.firstEvent <= event.number })
        else { return event }
        let index = event.number - stretch.firstEvent
        return EventID(log: stretch.target.log, number: stretch.target.number + index)
    }

    /// How many events from `firstEvent` on are those with which `history` begins.
    private func commonCount(_ typed: TypedEvents, _ history: TypedEvents) -> UInt64 {
        var ours = EventWalk(typed, from: firstEvent)
        var theirs = EventWalk(history, from: 0)
        var count: UInt64 = 0
        while var event = ours.next(), event.life != 0 {
            event.run = renamed(event.run)
            guard event == theirs.next() else { break }
            count += 1
        }
        return count
    }

    private func renamed(_ run: OperationRun) -> OperationRun {
        OperationRun(
            start: renamed(run.start),
            parents: run.parents.map(renamed).sorted(),
            content: run.content
        )
    }

    /// The part of a batch of the log that is nowhere yet; `nil` if all of it is there.
    func renamed(_ batch: OperationBatch) -> OperationBatch? {
        var runs: [OperationRun] = []
        for run in batch.runs {
            guard run.last.number >= firstEvent else { continue }
            let known = firstEvent > run.start.number ? firstEvent - run.start.number : 0
            runs.append(renamed(run.dropping(Int(known))))
        }
        return runs.isEmpty ? nil : OperationBatch(document: batch.document, runs: runs)
    }
}

extension OperationRun {
    /// The run without its first `count` events, of which it has more.
    fileprivate func dropping(_ count: Int) -> OperationRun {
        guard count > 0 else { return self }
        let first = EventID(log: start.log, number: start.number + UInt64(count))
        let content: Content
        switch self.content {
        case .insert(let position, let text):
            let rest = text.string.unicodeScalars.dropFirst(count)
            content = .insert(position: position + count, text: Text(String(rest)))
        case .delete(let range, let isBackward):
            let rest = range.lowerBound..<(range.upperBound - count)
            content = .delete(range: rest, isBackward: isBackward && rest.count > 1)
        default:
            preconditionFailure("A run of that kind has one event.")
        }
        return OperationRun(
            start: first,
            parents: [EventID(log: start.log, number: first.number - 1)],
            content: content
        )
    }
}

/// What was typed, with the lives that did.
struct TypedEvents {
    let batches: [OperationBatch]
    /// For all events of `batches`.
    let lives: Lives
}

/// The events of batches, one after another.
private struct EventWalk {
    struct Event: Hashable {
        let document: DocumentID
        var run: OperationRun
        let life: Life
    }

    private let batches: [OperationBatch]
    private let number: UInt64
    private var batch = 0
    private var run = 0
    private var event = 0
    private var events: [OperationRun] = []
    private var stretches: ArraySlice<(count: UInt64, life: Life)>
    private var used: UInt64 = 0

    /// From an event with this number on.
    init(_ typed: TypedEvents, from number: UInt64) {
        batches = typed.batches
        stretches = typed.lives.stretches[...]
        self.number = number
    }

    mutating func next() -> Event? {
        while let (document, run) = step() {
            let life = nextLife()
            if run.start.number >= number { return Event(document: document, run: run, life: life) }
        }
        return nil
    }

    private mutating func nextLife() -> Life {
        while let first = stretches.first, used == first.count {
            stretches.removeFirst()
            used = 0
        }
        used += 1
        return stretches.first?.life ?? 0
    }

    private mutating func step() -> (DocumentID, OperationRun)? {
        while event == events.count {
            if !events.isEmpty { run += 1 }
            while batch < batches.count, run == batches[batch].runs.count {
                batch += 1
                run = 0
            }
            guard batch < batches.count else { return nil }
            events = batches[batch].runs[run].events
            event = 0
        }
        defer { event += 1 }
        return (batches[batch].document, events[event])
    }
}

extension LogID {
    fileprivate var start: EventID { EventID(log: self, number: 0) }
}

extension OperationRun {
    /// Each of the run's events as a run of its own.
    fileprivate var events: [OperationRun] {
        switch content {
        case .insert(let position, let text):
            text.string.unicodeScalars.enumerated().map { index, scalar in
                event(index, .insert(position: position + index, text: Text(String(scalar))))
            }
        case .delete(let range, let isBackward):
            range.indices.map { place in
                let index = place - range.lowerBound
                let at = isBackward ? range.upperBound - 1 - index : range.lowerBound
                return event(index, .delete(range: at..<(at + 1), isBackward: false))
            }
        default: [self]
        }
    }

    private func event(_ index: Int, _ content: Content) -> OperationRun {
        OperationRun(
            start: EventID(log: start.log, number: start.number + UInt64(index)),
            parents: index == 0
                ? parents : [EventID(log: start.log, number: start.number + UInt64(index) - 1)],
            content: content
        )
    }
}
