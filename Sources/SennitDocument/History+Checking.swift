import SennitWire

extension History {
    /// Checks everything about a run that can be checked without knowing the document.
    /// - Returns: How many events it has.
    func validated(_ run: OperationRun) throws(DocumentError) -> Int {
        let limit = DocumentLimits.endOfNumbers
        try check(run.parents.count, "parents", DocumentLimits.maximumParentCount)
        let eventCount: Int
        switch run.content {
        case .insert(let position, _):
            eventCount = run.eventCount
            try check(eventCount, "scalars of an insert", DocumentLimits.maximumInsertScalarCount)
            guard (0..<limit).contains(position) else { throw .invalidRun(run.start) }
        case .delete(let range, let isBackward):
            eventCount = range.count
            guard range.lowerBound >= 0, range.upperBound < limit,
                !(isBackward && range.count == 1)
            else { throw .invalidRun(run.start) }
        case .mapSet(let key, let value):
            eventCount = 1
            try check(key.string.utf8.count, "bytes of key", DocumentLimits.maximumKeyByteCount)
            try check(value.count, "bytes of value", DocumentLimits.maximumValueByteCount)
        case .mapRemove(let key):
            eventCount = 1
            try check(key.string.utf8.count, "bytes of key", DocumentLimits.maximumKeyByteCount)
        case .gather:
            eventCount = 1
        case .unknown(let kind, _, let count, let bytes):
            eventCount = count
            try check(bytes.count, "unknown bytes", DocumentLimits.maximumUnknownByteCount)
            guard kind > OperationBatch.lastKnownKind else { throw .invalidRun(run.start) }
        }
        try check(eventCount, "events of a run", DocumentLimits.maximumRunEventCount)
        guard eventCount > 0, run.start.number < UInt64(limit - eventCount) else {
            throw .invalidRun(run.start)
        }
        return eventCount
    }

    private func check(_ value: Int, _ what: String, _ limit: Int) throws(DocumentError) {
        guard value <= limit else { throw .overLimit(what: what, value: value, limit: limit) }
    }

    /// How many events of a run, whose first one is known, are known. They must be the same.
    /// - Parameter parents: Those of the first one, unless they are compared later.
    func countKnownEvents(
        of run: OperationRun,
        eventCount: Int,
        parents: [LocalEvent]?
    ) throws(DocumentError) -> Int {
        var whole = OperationLog()
        whole.append(run.content, skipping: 0)
        var done = 0
        var previous: LocalEvent?
        while done < eventCount {
            let name = EventID(log: run.start.log, number: run.start.number + UInt64(done))
            guard let event = names.event(named: name) else { break }
            if let expected = previous.map({ [$0] }) ?? parents {
                guard graph.parents(of: event) == expected else { throw .conflictingEvent(name) }
            }
            let stored = longestPiece(from: event, atMost: eventCount - done)
            let given = whole[whole.operationIndex(of: done)]
            let count = min(stored.events.count, given.events.upperBound - done)
            let left = operations.piece(of: stored, event..<(event + count))
            let right = whole.piece(of: given, done..<(done + count))
            guard isSame(left, as: right, in: whole), hasName(name, count: count, at: event) else {
                throw .conflictingEvent(name)
            }
            done += count
            previous = event + count - 1
        }
        return done
    }

    /// The stored operation from `event` on, as far as its events are a chain.
    private func longestPiece(
        from event: LocalEvent,
        atMost count: Int
    ) -> OperationLog.Operation {
        let operation = operations[operations.operationIndex(of: event)]
        let chain = graph.events(ofRun: graph.runIndex(of: event)).upperBound
        let named = names.endOfRun(holding: event)
        let end = min(operation.events.upperBound, chain, named, event + count)
        return operations.piece(of: operation, event..<end)
    }

    private func hasName(_ name: EventID, count: Int, at event: LocalEvent) -> Bool {
        names.name(of: event + count - 1)
            == EventID(log: name.log, number: name.number + UInt64(count - 1))
    }

    private func isSame(
        _ left: OperationLog.Operation,
        as right: OperationLog.Operation,
        in other: OperationLog
    ) -> Bool {
        let isSingle = left.events.count == 1
        switch (left.kind, right.kind) {
        case (.insert, .insert):
            return left.position == right.position
                && operations.pool[left.text] == other.pool[right.text]
        case (.deleteForward, .deleteForward), (.deleteBackward, .deleteBackward):
            return left.position == right.position
        case (.deleteForward, .deleteBackward), (.deleteBackward, .deleteForward):
            return isSingle && left.position == right.position
        case (.map, .map):
            let old = operations.mapChanges[left.position]
            let new = other.mapChanges[right.position]
            return old.key == new.key && old.value == new.value
        case (.gather, .gather):
            return true
        case (.unknown, .unknown):
            let old = operations.unknowns[left.position]
            let new = other.unknowns[right.position]
            return old.kind == new.kind && old.container == new.container
                && old.bytes == new.bytes
        default:
            return false
        }
    }
}
