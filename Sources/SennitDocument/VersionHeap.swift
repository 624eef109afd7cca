/// A max-heap of local events with flags: the tool of every walk from tips to ancestors.
struct VersionHeap {
    struct Element {
        var event: LocalEvent
        var flags: UInt8
    }

    /// Invariant: no element is greater than the one at half its index (counted from 1).
    private var elements: [Element] = []

    var isEmpty: Bool { elements.isEmpty }
    var top: Element? { elements.first }

    mutating func push(_ event: LocalEvent, flags: UInt8 = 0) {
        elements.append(Element(event: event, flags: flags))
        var index = elements.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            if elements[parent].event >= elements[index].event { break }
            elements.swapAt(parent, index)
            index = parent
        }
    }

    mutating func pop() -> Element? {
        guard let result = elements.first else { return nil }
        let last = elements.removeLast()
        if elements.isEmpty { return result }
        var index = 0
        while true {
            var child = 2 * index + 1
            if child >= elements.count { break }
            if child + 1 < elements.count && elements[child + 1].event > elements[child].event {
                child += 1
            }
            if elements[child].event <= last.event { break }
            elements[index] = elements[child]
            index = child
        }
        elements[index] = last
        return result
    }
}
