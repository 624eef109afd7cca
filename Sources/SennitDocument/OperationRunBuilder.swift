import SennitWire

/// Turns changes into runs, joining what was typed or deleted in one go.
struct OperationRunBuilder {
    private(set) var runs: [OperationRun] = []
    /// What the next run follows.
    private var next: OperationRun?
    /// How many events the last run has.
    private var lastCount = 0

    /// Begins without runs, to join runs that exist.
    init() {}

    /// Begins with the first event's number and parents, to make runs. If the parents are more than
    /// one run may have, runs that gather them come first.
    init(author: LogID, firstEvent: UInt64, parents: [EventID]) {
        let start = EventID(log: author, number: firstEvent)
        next = OperationRun(start: start, parents: parents, content: .gather)
    }

    /// Adds the runs of `patches`, each of which applies to the text that the one before it left.
    /// - Throws: `positionOutOfBounds` if one does not apply to a text of that length.
    mutating func add(_ patches: [Patch], scalarCount: Int) throws(DocumentError) {
        var count = scalarCount
        for patch in patches {
            let range = patch.range
            guard range.lowerBound >= 0, range.upperBound <= count else {
                throw .positionOutOfBounds(position: range.upperBound, scalarCount: count)
            }
            addDeletion(range)
            let inserted = addInsertion(patch.text, at: range.lowerBound)
            count += inserted - range.count
        }
    }

    private mutating func addDeletion(_ range: Range<Int>) {
        var rest = range.count
        while rest > 0 {
            let count = min(rest, DocumentLimits.maximumRunEventCount)
            let piece = range.lowerBound..<(range.lowerBound + count)
            append(.delete(range: piece, isBackward: false), count: count)
            rest -= count
        }
    }

    /// Adds a text in pieces that a run may have; returns how many scalars it has.
    private mutating func addInsertion(_ text: String, at position: Int) -> Int {
        if !text.isEmpty, text.utf8.count <= DocumentLimits.maximumInsertScalarCount {
            let whole = OperationRun.Text(text)
            let count = whole.scalarCount
            append(.insert(position: position, text: whole), count: count)
            return count
        }
        let scalars = text.unicodeScalars
        var done = 0
        var rest = scalars[...]
        while !rest.isEmpty {
            let piece = rest.prefix(DocumentLimits.maximumInsertScalarCount)
            let count = piece.count
            append(.insert(position: position + done, text: .init(String(piece))), count: count)
            done += count
            rest = rest[piece.endIndex...]
        }
        return done
    }

    /// Adds an operation that follows all before it.
    mutating func append(_ content: OperationRun.Content, count: Int) {
        guard var run = next else { return }
        while run.parents.count > DocumentLimits.maximumParentCount {
            var gathering = run
            gathering.parents = Array(run.parents.prefix(DocumentLimits.maximumParentCount))
            append(gathering)
            run.start = EventID(log: run.start.log, number: run.start.number &+ 1)
            let rest = run.parents.dropFirst(DocumentLimits.maximumParentCount)
            run.parents = (rest + [gathering.start]).sorted()
        }
        run.content = content
        append(run)
        // A number past the limit is refused when the runs are added.
        let last = EventID(log: run.start.log, number: run.start.number &+ UInt64(count - 1))
        run.start = EventID(log: last.log, number: last.number &+ 1)
        run.parents = [last]
        next = run
    }

    /// Adds a run, to the last one if it goes on where that one ended.
    mutating func append(_ run: OperationRun) {
        let count = run.eventCount
        if let index = runs.indices.last, runs[index].start.log == run.start.log,
            runs[index].start.number &+ UInt64(lastCount) == run.start.number,
            run.parents == [EventID(log: run.start.log, number: run.start.number &- 1)],
            let joined = joined(runs[index].content, run.content, count: count)
        {
            runs[index].content = joined
            lastCount += count
        } else {
            runs.append(run)
            lastCount = count
        }
    }

    private func joined(
        _ last: OperationRun.Content,
        _ next: OperationRun.Content,
        count: Int
    ) -> OperationRun.Content? {
        switch (last, next) {
        case (.insert(let start, let before), .insert(let position, let text)):
            guard start + lastCount == position,
                lastCount + count <= DocumentLimits.maximumInsertScalarCount
            else { return nil }
            return .insert(position: start, text: .init(before.string + text.string))
        case (.delete(let before, let wasBackward), .delete(let range, let isBackward)):
            guard lastCount + count <= DocumentLimits.maximumRunEventCount else { return nil }
            if !wasBackward && !isBackward && range.lowerBound == before.lowerBound {
                let whole = range.lowerBound..<(before.upperBound + count)
                return .delete(range: whole, isBackward: false)
            }
            if (wasBackward || lastCount == 1) && (isBackward || count == 1)
                && range.upperBound == before.lowerBound
            {
                return .delete(range: range.lowerBound..<before.upperBound, isBackward: true)
            }
            return nil
        default:
            return nil
        }
    }
}
