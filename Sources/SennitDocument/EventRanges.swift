/// A set of events.
struct EventRanges: Sendable {
    /// Invariant: ascending, none empty, none touches the next.
    private(set) var ranges: [Range<LocalEvent>] = []

    /// The union of ranges in any order.
    /// - Complexity: O(n log n).
    init(_ ranges: [Range<LocalEvent>] = []) {
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
            if let last = self.ranges.last, last.upperBound >= range.lowerBound {
                let end = max(last.upperBound, range.upperBound)
                self.ranges[self.ranges.count - 1] = last.lowerBound..<end
            } else {
                self.ranges.append(range)
            }
        }
    }

    /// Whether an event is in the set.
    /// - Complexity: O(log n).
    func contains(_ event: LocalEvent) -> Bool {
        let index = index(after: event)
        return index < ranges.count && ranges[index].contains(event)
    }

    /// The index of the first range that ends behind an event.
    private func index(after event: LocalEvent) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= event { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Calls `body` with the parts of a range that are in the set and those that are not, in order.
    /// - Complexity: O(log n + parts).
    func split(_ range: Range<LocalEvent>, _ body: (Range<LocalEvent>, Bool) -> Void) {
        var low = index(after: range.lowerBound)
        var event = range.lowerBound
        while event < range.upperBound {
            let next = low < ranges.count ? ranges[low] : range.upperBound..<range.upperBound
            if event < next.lowerBound {
                let end = min(next.lowerBound, range.upperBound)
                body(event..<end, false)
                event = end
            } else {
                let end = min(next.upperBound, range.upperBound)
                body(event..<end, true)
                event = end
                low += 1
            }
        }
    }
}
