import SennitWire

/// All operations in the order they were added, which is a causal order, and who knows what.
struct History: Sendable {
    /// What an operation did. Event k of it is the k-th node or target.
    enum Effect: Sendable {
        case inserted(nodes: Range<Int>)
        case deleted(targets: [Int])
        case void
    }

    struct Entry: Sendable {
        let author: LogID
        let numbers: Range<UInt64>
        let parents: [Place]
        var effect = Effect.void
    }

    /// Event `offset` of operation `entry`.
    struct Place: Sendable {
        let entry: Int
        let offset: Int
    }

    private(set) var entries: [Entry] = []

    // The indexes of each log's entries, ascending by event number.
    private var entriesByLog: [LogID: [Int]] = [:]

    /// Records an operation without effect; its parents must be known and its numbers new.
    mutating func append(author: LogID, numbers: Range<UInt64>, parents: [EventID]) {
        let places = parents.map { place(of: $0) }
        let index = index(forNew: numbers, of: author)
        entriesByLog[author, default: []].insert(entries.count, at: index)
        entries.append(Entry(author: author, numbers: numbers, parents: places))
    }

    /// Sets what the operation recorded last did.
    mutating func setLastEffect(_ effect: Effect) {
        entries[entries.count - 1].effect = effect
    }

    /// For each operation how many of its events are known at `version`: those that `version` names
    /// and all that came before them.
    func knownCounts(at version: [EventID]) -> [Int] {
        var counts = [Int](repeating: 0, count: entries.count)
        for event in version {
            let place = place(of: event)
            counts[place.entry] = max(counts[place.entry], place.offset + 1)
        }
        // Parents stand before their children, so one pass from last to first meets them all.
        var index = entries.count
        while index > 0 {
            index -= 1
            if counts[index] == 0 { continue }
            for parent in entries[index].parents where counts[parent.entry] <= parent.offset {
                counts[parent.entry] = parent.offset + 1
            }
        }
        return counts
    }

    private func place(of event: EventID) -> Place {
        let index = index(in: event.log, after: event.number)
        precondition(index > 0, "parents are added before their children")
        let entry = entriesByLog[event.log, default: []][index - 1]
        let numbers = entries[entry].numbers
        precondition(numbers.contains(event.number), "parents are added before their children")
        return Place(entry: entry, offset: Int(event.number - numbers.lowerBound))
    }

    /// Where among the entries of `log` one with the unused `numbers` belongs.
    private func index(forNew numbers: Range<UInt64>, of log: LogID) -> Int {
        let index = index(in: log, after: numbers.lowerBound)
        let ofLog = entriesByLog[log, default: []]
        let neighbours = ofLog[max(0, index - 1)..<min(ofLog.count, index + 1)]
        let isUnused = neighbours.allSatisfy { !entries[$0].numbers.overlaps(numbers) }
        precondition(isUnused, "an event number is used once")
        return index
    }

    /// How many entries of `log` begin at or before `number`.
    private func index(in log: LogID, after number: UInt64) -> Int {
        let ofLog = entriesByLog[log, default: []]
        var low = 0
        var high = ofLog.count
        while low < high {
            let middle = (low + high) / 2
            if entries[ofLog[middle]].numbers.lowerBound <= number {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
