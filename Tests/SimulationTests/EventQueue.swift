/// Things that will happen, earliest first; of those at one time the one that was planned first.
struct EventQueue<Element> {
    private struct Item {
        let time: Int
        let sequence: Int
        let element: Element

        func isBefore(_ other: Item) -> Bool {
            (time, sequence) < (other.time, other.sequence)
        }
    }

    // Invariant: a binary heap, no item is after its children.
    private var items: [Item] = []
    private var nextSequence = 0

    mutating func push(_ element: Element, at time: Int) {
        items.append(Item(time: time, sequence: nextSequence, element: element))
        nextSequence += 1
        var index = items.count - 1
        while index > 0, items[index].isBefore(items[(index - 1) / 2]) {
            items.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    func peekTime() -> Int? { items.first?.time }

    mutating func pop() -> (time: Int, element: Element)? {
        guard let first = items.first else { return nil }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < items.count && items[child].isBefore(items[least]) {
                least = child
            }
            if least == index { break }
            items.swapAt(index, least)
            index = least
        }
        return (first.time, first.element)
    }
}
