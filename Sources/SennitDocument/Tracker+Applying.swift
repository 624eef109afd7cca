extension Tracker {
    /// Which text the position of an operation counts in.
    enum Frame {
        /// The text at `version`, which is at the operation's parents.
        case version
        /// The text of everything applied so far, which are the operation's parents.
        case everything
    }

    /// What an operation does to the text of everything applied so far.
    enum Effect {
        case insert(at: Int)
        case delete(Range<Int>)
    }

    /// Applies the next operation; its position exists in its frame unless it has no effect.
    /// - Parameters:
    ///   - names: Those of all events, for the order of concurrent insertions.
    ///   - emit: Receives the effects in order, each on the text that the last one left.
    /// - Complexity: O(k log n) for k spans touched, or concurrently inserted at the same place.
    mutating func apply(
        _ operation: OperationLog.Operation,
        in frame: Frame,
        parents: [LocalEvent],
        names: EventNames,
        emit: (Effect) -> Void
    ) {
        let last = operation.events.upperBound - 1
        EventGraph.advance(&tip, to: last, over: parents)
        end = last + 1
        guard operation.hasEffectOnText else { return }
        if operation.kind == .insert {
            let (handle, cursor) = insert(operation, in: frame, names: names)
            // The new characters may be the tail of a span that was extended.
            let before = content.finalWeight(before: cursor)
            let rest = Int(spans[handle].count) - operation.events.count
            emit(.insert(at: before + rest))
        } else {
            delete(operation, in: frame, emit: emit)
        }
        if frame == .version { version = [last] }
    }

    /// Applies the next operation of a batch, which has an effect, at the version.
    @inline(__always)
    mutating func replay(
        _ operation: OperationLog.Operation,
        names: EventNames
    ) {
        if operation.kind == .insert {
            _ = insert(operation, in: .version, names: names)
        } else {
            delete(operation, in: .version, emit: { _ in }, isSilent: true)
        }
    }

    /// Inserts the characters; returns the span that ends with them.
    private mutating func insert(
        _ operation: OperationLog.Operation,
        in frame: Frame,
        names: EventNames
    ) -> (Handle, Cursor) {
        let key = key(of: operation.events.lowerBound)
        let state: Int32 = frame == .version ? 1 : 0
        var left = Tracker.startKey
        var predecessor: Cursor?
        var right: Cursor
        if operation.position > 0 {
            var (cursor, offset) = place(at: operation.position - 1, in: frame)
            let handle = content.handle(at: cursor)
            left = spans[handle].key + offset
            if offset + 1 < Int(spans[handle].count) {
                _ = split(handle, at: cursor, offset: offset + 1)
                cursor = content.cursor(of: handle)
            }
            predecessor = cursor
            right = successor(of: cursor)
        } else {
            right = content.first
        }
        if frame == .version && self.state(at: right) == 0 {
            while self.state(at: right) == 0 { right = successor(of: right) }
            predecessor = integrate(
                after: predecessor,
                left: left,
                right: right,
                of: operation.events.lowerBound,
                names: names
            )
        }
        let rightKey = spans[content.handle(at: right)].key
        let count = Int32(operation.events.count)
        if let predecessor {
            let handle = content.handle(at: predecessor)
            let last = spans[handle]
            if last.end == key && left == key - 1 && last.right == rightKey
                && isOnly(state, of: handle) && !last.wasDeleted
            {
                spans[handle].count += count
                content.setWeight(at: predecessor, to: spans[handle].weight)
                if sideViewCount > 0 {
                    content.setSize(at: predecessor, to: Int(spans[handle].count))
                }
                return (handle, predecessor)
            }
        }
        let span = Span(
            key: key,
            left: left,
            right: rightKey,
            count: count,
            state: activeView == 0 ? state : 0
        )
        let handle = append(span)
        let cursor = content.insert(handle, weight: span.weight, after: predecessor)
        if sideViewCount > 0 {
            content.setSize(at: cursor, to: operation.events.count)
            if activeView > 0 { addToState(state, of: handle, at: cursor) }
        }
        return (handle, cursor)
    }

    /// The span in which a place lies, and how far inside.
    @inline(__always)
    private func place(at position: Int, in frame: Frame) -> (cursor: Cursor, offset: Int) {
        if frame == .everything { return content.place(at: position, in: .final) }
        return activeView == 0
            ? content.place(at: position, in: .current)
            : content.place(at: position, inSideView: activeView - 1)
    }

    @inline(__always)
    private func state(at cursor: Cursor) -> Int32 { state(of: content.handle(at: cursor)) }

    /// The end of the placeholder stays at the end, untouched and seen by all.
    @inline(__always)
    private func successor(of cursor: Cursor) -> Cursor {
        guard let successor = content.successor(of: cursor) else {
            preconditionFailure("The base text has no end that an operation could pass.")
        }
        return successor
    }

    private mutating func delete(
        _ operation: OperationLog.Operation,
        in frame: Frame,
        emit: (Effect) -> Void,
        isSilent: Bool = false
    ) {
        let isBackward = operation.kind == .deleteBackward
        let count = operation.events.count
        var done = 0
        while done < count {
            let rest = count - done
            let target = isBackward ? operation.position + rest - 1 : operation.position
            var (cursor, offset) = place(at: target, in: frame)
            var handle = content.handle(at: cursor)
            let spanCount = Int(spans[handle].count)
            let pieceCount = min(isBackward ? offset + 1 : spanCount - offset, rest)
            let low = isBackward ? offset + 1 - pieceCount : offset
            if low > 0 {
                handle = split(handle, at: cursor, offset: low)
                cursor = content.cursor(of: handle)
            }
            if pieceCount < spanCount - low {
                _ = split(handle, at: cursor, offset: pieceCount)
                cursor = content.cursor(of: handle)
            }
            if !spans[handle].wasDeleted {
                if !isSilent {
                    let start = content.finalWeight(before: cursor)
                    emit(.delete(start..<(start + pieceCount)))
                }
                spans[handle].wasDeleted = true
                spans[handle].wasDeletedByBatch = true
            }
            if frame == .version { addToState(1, of: handle, at: cursor) }
            content.setWeight(at: cursor, to: spans[handle].weight)
            appendDeletion(
                key: key(of: operation.events.lowerBound + done),
                count: pieceCount,
                lowestTarget: spans[handle].key,
                isBackward: isBackward
            )
            done += pieceCount
        }
    }
}
