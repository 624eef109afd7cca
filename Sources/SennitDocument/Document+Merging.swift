extension Document {
    /// What a merge did.
    public struct MergeResult: Hashable, Sendable {
        /// What happened to the text, in order.
        public var changes: [Patch]
        /// How many new runs had a position that did not exist at their parents. Their events are
        /// in the history and have no effect, on every replica.
        public var voidRunCount: Int
    }

    /// Adds the events of others.
    ///
    /// Events that are here already are passed over. Either all runs are added or none.
    /// - Parameter runs: In an order that has ancestors first.
    /// - Throws: `unknownEvents` if a parent is neither here nor in an earlier run;
    ///   `conflictingEvent` if a name is taken by another event; `overLimit`, `invalidRun`;
    ///   `historyNeeded` if that is neither here nor packed.
    /// - Complexity: O(k log n) for k concurrent runs, after O(m) once for m events since the last
    ///   critical version.
    public mutating func merge(_ runs: [OperationRun]) throws(DocumentError) -> MergeResult {
        try merge(runs, minimumBatchCount: nil)
    }

    /// - Parameter minimumBatchCount: How many new operations are replayed as a batch, if not what
    ///   is best.
    mutating func merge(
        _ runs: [OperationRun],
        minimumBatchCount: Int?
    ) throws(DocumentError) -> MergeResult {
        do {
            return try add(runs, minimumBatchCount ?? branch.minimumBatchCount)
        } catch {
            guard error == .historyNeeded, !packed.isEmpty else { throw error }
            try unpackHistory()
            return try add(runs, minimumBatchCount ?? branch.minimumBatchCount)
        }
    }

    private mutating func add(
        _ runs: [OperationRun],
        _ minimumBatchCount: Int
    ) throws(DocumentError) -> MergeResult {
        settle()
        let mark = history.beginAdding()
        var firstOperations: [Int] = []
        do {
            for run in runs {
                let first = history.operations.operationCount
                if try history.add(run) { firstOperations.append(first) }
            }
            try history.compareParents(since: mark)
        } catch {
            history.truncate(to: mark)
            throw error
        }
        var result = MergeResult(changes: [], voidRunCount: 0)
        var changes = PatchList()
        let end = history.operations.operationCount
        if end - mark.operationCount >= minimumBatchCount {
            _ = branch.applyBatch(from: mark.count, of: &history, changes: &changes)
            for (index, first) in firstOperations.enumerated() {
                let next = index + 1 < firstOperations.count ? firstOperations[index + 1] : end
                var isVoid = false
                for index in first..<next {
                    let operation = history.operations[index]
                    isVoid = isVoid || operation.isVoid
                    if operation.kind == .map { map.apply(operation, of: history) }
                }
                result.voidRunCount += isVoid ? 1 : 0
            }
            history.coalesce(since: mark)
            result.changes = changes.patches
            return result
        }
        for (index, first) in firstOperations.enumerated() {
            let next = index + 1 < firstOperations.count ? firstOperations[index + 1] : end
            let isVoid = applyOperations(first..<next, changes: &changes)
            result.voidRunCount += isVoid ? 1 : 0
        }
        history.coalesce(since: mark)
        result.changes = changes.patches
        return result
    }

    /// Applies to text and map what one run added to the history.
    /// - Returns: Whether it has no effect because its position did not exist.
    private mutating func applyOperations(
        _ indexes: Range<Int>,
        changes: inout PatchList
    ) -> Bool {
        var isVoid = false
        for index in indexes {
            let operation = history.operations[index]
            if branch.apply(operation, of: history, changes: &changes) == .void {
                history.markVoid(operationIndex: index)
                isVoid = true
            }
            if operation.kind == .map { map.apply(operation, of: history) }
        }
        return isVoid
    }
}
