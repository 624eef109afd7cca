// All causal graphs of a few events, and all orders in which each may be delivered.
//
// A graph of n events is a partial order. Event i is described by its history, a set of lower
// events that holds with each event what came before it, as a row of bits:
//
//     0 -> 1 -> 3        histories 0000 0001 0000 0011
//     2
//
// Every order can be numbered so, most in several ways. Of those the one counts whose row of
// histories is the least; it is found by trying all numberings, which are the orders of delivery.
// There are 1, 2, 5, 16, 63, 318 graphs of 1, 2, 3, 4, 5, 6 events (OEIS A000112).

/// Which of a few events came before which.
struct SmallGraph: Hashable {
    /// For each event the set of those before it, as bits.
    private(set) var histories: [UInt8] = []

    /// All graphs of `count` events, each once.
    static func all(eventCount count: Int) -> [SmallGraph] {
        numbered(eventCount: count).filter { graph in
            graph.orders.allSatisfy { !graph.histories.isAfter(graph.histories(numberedBy: $0)) }
        }
    }

    /// All graphs of `count` events, each in every numbering.
    static func numbered(eventCount count: Int) -> [SmallGraph] {
        (0..<count).reduce(into: [SmallGraph()]) { graphs, event in
            graphs = graphs.flatMap { graph in
                (0..<(1 << event)).compactMap { graph.adding(UInt8($0)) }
            }
        }
    }

    /// The graph with one more event, if that set of events is a history.
    private func adding(_ history: UInt8) -> SmallGraph? {
        for (event, below) in histories.enumerated() where history & 1 << event != 0 {
            if below & ~history != 0 { return nil }
        }
        var graph = self
        graph.histories.append(history)
        return graph
    }

    private func histories(numberedBy order: [Int]) -> [UInt8] {
        var numbers = order
        for (number, event) in order.enumerated() { numbers[event] = number }
        return order.map { event in
            var history: UInt8 = 0
            for other in histories.indices where histories[event] & 1 << other != 0 {
                history |= 1 << numbers[other]
            }
            return history
        }
    }

    /// The events right before one.
    func parents(of event: Int) -> [Int] {
        let before = histories.indices.filter { histories[event] & 1 << $0 != 0 }
        return before.filter { parent in
            !before.contains { histories[$0] & 1 << parent != 0 }
        }
    }

    /// Every order that has ancestors first.
    var orders: [[Int]] {
        var orders: [(order: [Int], done: UInt8)] = [([], 0)]
        for _ in histories {
            orders = orders.flatMap { (order, done) in
                histories.indices.filter { done & 1 << $0 == 0 && histories[$0] & ~done == 0 }
                    .map { (order + [$0], done | 1 << $0) }
            }
        }
        return orders.map(\.order)
    }
}

extension [UInt8] {
    fileprivate func isAfter(_ other: [UInt8]) -> Bool {
        other.lexicographicallyPrecedes(self)
    }
}
