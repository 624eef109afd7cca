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
    ///   - isBefore: Whether the name of the operation's first event is smaller than that of a
    ///     local event.
    ///   - emit: Receives the effects in order, each on the text that the last one left.
    /// - Complexity: O(k log n) for k spans touched, or concurrently inserted at the same place.
    mutating func apply(
        _ operation: OperationLog.Operation,
        in frame: Frame,
        parents: [LocalEvent],
        isBefore: (LocalEvent) -> Bool,
        emit: (Effect) -> Void
    ) {
        let last = operation.events.upperBound - 1
        EventGraph.advance(&tip, to: last, over: parents)
        end = last + 1
        guard operation.hasEffectOnText else { return }
        if operation.kind == .insert {
            let handle = insert(operation, in: frame, isBefore: isBefore)
            // The new characters may be the tail of a span that was extended.
            let before = content.weight(before: handle).second
            let rest = spans[Int(handle)].count - operation.events.count
            emit(.insert(at: before + rest))
        } else {
            delete(operation, in: frame, emit: emit)
        }
        if frame == .version { version = [last] }
    }

    /// Inserts the characters; returns the span that ends with them.
    private mutating func insert(
        _ operation: OperationLog.Operation,
        in frame: Frame,
        isBefore: (LocalEvent) -> Bool
    ) -> Handle {
        var left = Tracker.startKey
        var predecessor: Handle?
        if operation.position > 0 {
            let side: SpanTree.Side = frame == .version ? .first : .second
            let (handle, offset) = content.place(at: operation.position - 1, in: side)
            left = spans[Int(handle)].key + offset
            if offset + 1 < spans[Int(handle)].count { _ = split(handle, at: offset + 1) }
            predecessor = handle
        }
        var right = successor(of: predecessor)
        if frame == .version && spans[Int(right)].state == 0 {
            while spans[Int(right)].state == 0 { right = successor(of: right) }
            predecessor = integrate(
                after: predecessor,
                left: left,
                right: right,
                isBefore: isBefore
            )
        }
        let span = Span(
            key: key(of: operation.events.lowerBound),
            count: operation.events.count,
            kind: .inserted,
            state: frame == .version ? 1 : 0,
            left: left,
            right: spans[Int(right)].key
        )
        if let predecessor, continues(spans[Int(predecessor)], span) {
            extend(predecessor, by: span.count)
            return predecessor
        }
        let handle = append(span)
        content.insert(handle, weight: contentWeight(of: handle), after: predecessor)
        return handle
    }

    /// The end of the placeholder stays at the end, untouched and seen by all.
    private func successor(of handle: Handle?) -> Handle {
        guard let successor = content.successor(of: handle) else {
            preconditionFailure("The base text has no end that an operation could pass.")
        }
        return successor
    }

    private func continues(_ last: Span, _ next: Span) -> Bool {
        last.key + last.count == next.key && next.left == next.key - 1 && last.right == next.right
            && last.state == next.state && !last.wasDeleted
    }

    private mutating func delete(
        _ operation: OperationLog.Operation,
        in frame: Frame,
        emit: (Effect) -> Void
    ) {
        let side: SpanTree.Side = frame == .version ? .first : .second
        let isBackward = operation.kind == .deleteBackward
        let count = operation.events.count
        var done = 0
        while done < count {
            let rest = count - done
            let target = isBackward ? operation.position + rest - 1 : operation.position
            let (found, offset) = content.place(at: target, in: side)
            let pieceCount = min(isBackward ? offset + 1 : spans[Int(found)].count - offset, rest)
            let low = isBackward ? offset + 1 - pieceCount : offset
            let handle = low > 0 ? split(found, at: low) : found
            if pieceCount < spans[Int(handle)].count { _ = split(handle, at: pieceCount) }
            if !spans[Int(handle)].wasDeleted {
                let start = content.weight(before: handle).second
                emit(.delete(start..<(start + pieceCount)))
                spans[Int(handle)].wasDeleted = true
            }
            if frame == .version { spans[Int(handle)].state += 1 }
            content.setWeight(of: handle, to: contentWeight(of: handle))
            appendDeletion(
                Span(
                    key: key(of: operation.events.lowerBound + done),
                    count: pieceCount,
                    kind: .deleted,
                    isBackward: isBackward,
                    left: spans[Int(handle)].key
                )
            )
            done += pieceCount
        }
    }

    /// Adds the record of a deletion, to the last one if it goes on where that one ended.
    private mutating func appendDeletion(_ next: Span) {
        let handle = lastHandle
        let last = spans[Int(handle)]
        guard last.kind == .deleted && last.key + last.count == next.key else {
            _ = append(next)
            return
        }
        let mayGoForward = (!last.isBackward || last.count == 1)
        let mayGoBackward = (last.isBackward || last.count == 1)
        if mayGoForward && (!next.isBackward || next.count == 1)
            && last.left + last.count == next.left
        {
            spans[Int(handle)].isBackward = false
            extend(handle, by: next.count)
        } else if mayGoBackward && (next.isBackward || next.count == 1)
            && next.left + next.count == last.left
        {
            spans[Int(handle)].isBackward = true
            spans[Int(handle)].left = next.left
            extend(handle, by: next.count)
        } else {
            _ = append(next)
        }
    }
}
