/// The root map at one version: a register for each key that keeps concurrent values side by side.
///
/// Setting or removing a key takes away the values that its author had seen, and no others. So two
/// concurrent settings both stay until somebody who saw both decides.
struct MapState: Sendable {
    struct Live {
        var event: LocalEvent
        var value: [UInt8]
    }

    /// Invariant: no list is empty; no event of a list precedes another one of it.
    private(set) var values: [[UInt8]: [Live]] = [:]

    /// Applies a map operation.
    /// - Complexity: O(k) walks of the graph for k concurrent values of the key.
    mutating func apply(_ operation: OperationLog.Operation, of history: History) {
        let change = history.operations.mapChanges[operation.position]
        let event = operation.events.lowerBound
        let parents = history.graph.parents(of: event)
        var live = values[change.key] ?? []
        live.removeAll { history.graph.isInHistory($0.event, of: parents) }
        if let value = change.value { live.append(Live(event: event, value: value)) }
        values[change.key] = live.isEmpty ? nil : live
    }
}
