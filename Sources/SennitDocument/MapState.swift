import SennitWire

/// The root map at one version: a register for each key that keeps concurrent values side by side.
///
/// Setting or removing a key takes away the values that its author had seen, and no others. So two
/// concurrent settings both stay until somebody who saw both decides.
struct MapState: Sendable {
    struct Live {
        /// -1 if it lies before the base of the history, and so in every other event's past.
        var event: LocalEvent
        /// The number of the event in the document, where it was read from a head.
        var number: LocalEvent
        var name: EventID
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
        live.removeAll { $0.event < 0 || history.graph.isInHistory($0.event, of: parents) }
        if let value = change.value {
            let name = history.names.name(of: event)
            live.append(Live(event: event, number: event, name: name, value: value))
        }
        values[change.key] = live.isEmpty ? nil : live
    }

    /// Begins without values.
    init() {}

    /// The values of a document that was opened without its history.
    init(_ entries: [DocumentHead.Entry]) {
        for entry in entries {
            values[entry.key] = entry.values.map {
                Live(event: -1, number: $0.event.local, name: $0.event.name, value: $0.bytes)
            }
        }
    }

    /// The values as a head has them.
    /// - Parameter offset: How many events lie before the base of the history.
    func headEntries(offset: Int) -> [DocumentHead.Entry] {
        values.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, live in
            let values = live.map {
                let number = $0.event < 0 ? $0.number : $0.event + offset
                let event = DocumentHead.Event(local: number, name: $0.name)
                return DocumentHead.Value(event: event, bytes: $0.value)
            }
            return DocumentHead.Entry(
                key: key,
                values: values.sorted { $0.event.local < $1.event.local }
            )
        }
    }

    /// Makes all values lie before the base.
    mutating func leaveHistory(offset: Int) {
        for key in values.keys {
            values[key] = values[key]?.map {
                var live = $0
                live.number = live.event < 0 ? live.number : live.event + offset
                live.event = -1
                return live
            }
        }
    }
}
