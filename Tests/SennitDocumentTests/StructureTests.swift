import Testing

@testable import SennitDocument

@Suite struct SpanTreeTests {
    @Test(arguments: UInt64(1)...8)
    func `a tree agrees with an array of weights`(seed: UInt64) {
        var random = Seeded(seed: seed)
        var tree = SpanTree()
        var model: [(handle: Int32, weight: SpanTree.Weight)] = []
        for handle in 0..<Int32(1500) {
            let weight = SpanTree.Weight(first: random.below(4), second: random.below(3))
            let place = seed.isMultiple(of: 2) ? random.below(model.count + 1) : model.count
            tree.insert(handle, weight: weight, after: place == 0 ? nil : model[place - 1].handle)
            model.insert((handle, weight), at: place)
            let changed = random.below(model.count)
            model[changed].weight = SpanTree.Weight(first: random.below(4), second: 1)
            tree.setWeight(of: model[changed].handle, to: model[changed].weight)
            if handle % 100 == 0 { tree.checkInvariants() }
        }
        tree.checkInvariants()
        #expect(tree.sequence.map(\.handle) == model.map(\.handle), "seed \(seed)")
        var before = SpanTree.Weight.zero
        for (index, item) in model.enumerated() {
            #expect(tree.weight(before: item.handle) == before, "seed \(seed)")
            if item.weight.first > 0 {
                let place = tree.place(at: before.first + item.weight.first - 1, in: .first)
                #expect(place.handle == item.handle && place.offset == item.weight.first - 1)
            }
            if item.weight.second > 0 {
                let place = tree.place(at: before.second, in: .second)
                #expect(place.handle == item.handle && place.offset == 0, "seed \(seed)")
            }
            let next = index + 1 < model.count ? model[index + 1].handle : nil
            #expect(tree.successor(of: item.handle) == next, "seed \(seed)")
            let other = random.below(model.count)
            #expect(tree.isBefore(item.handle, model[other].handle) == (index < other))
            before += item.weight
        }
        #expect(tree.total == before && tree.first == model[0].handle)
    }
}

@Suite struct EventGraphTests {
    /// A random graph of single events and, for each event, all it descends from with itself.
    private func makeGraph(seed: UInt64) -> (graph: EventGraph, histories: [Set<LocalEvent>]) {
        var random = Seeded(seed: seed)
        var graph = EventGraph()
        var histories: [Set<LocalEvent>] = []
        for event in 0..<60 {
            var parents = event == 0 ? [] : [event - 1]
            if random.below(3) == 0 {
                parents = (0..<random.below(3)).map { _ in random.below(max(event, 1)) }
                parents = parents.filter { $0 < event }
            }
            parents = Set(parents).filter { parent in
                !parents.contains { $0 != parent && histories[$0].contains(parent) }
            }.sorted()
            graph.append(eventCount: 1, parents: parents)
            histories.append(parents.reduce(into: [event]) { $0.formUnion(histories[$1]) })
        }
        return (graph, histories)
    }

    @Test(arguments: UInt64(1)...40)
    func `ancestry is what following all parents gives`(seed: UInt64) {
        var random = Seeded(seed: seed)
        let (graph, histories) = makeGraph(seed: seed)
        func anyVersion() -> [LocalEvent] {
            graph.dominators(of: (0..<random.below(4)).map { _ in random.below(60) })
        }
        for _ in 0..<80 {
            let events = (0..<random.below(5)).map { _ in random.below(60) }
            let minimal = Set(events).filter { event in
                !events.contains { $0 != event && histories[$0].contains(event) }
            }
            #expect(graph.dominators(of: events) == minimal.sorted(), "seed \(seed)")
            let left = anyVersion()
            let right = anyVersion()
            let inLeft = left.reduce(into: Set<Int>()) { $0.formUnion(histories[$1]) }
            let inRight = right.reduce(into: Set<Int>()) { $0.formUnion(histories[$1]) }
            let (onlyLeft, onlyRight) = graph.difference(left, right)
            #expect(onlyLeft.flatMap(\.self) == inLeft.subtracting(inRight).sorted())
            #expect(onlyRight.flatMap(\.self) == inRight.subtracting(inLeft).sorted())
            #expect(graph.history(of: left).flatMap(\.self) == inLeft.sorted(), "seed \(seed)")
            let event = random.below(60)
            #expect(graph.isInHistory(event, of: left) == inLeft.contains(event), "seed \(seed)")
            expectBase(of: left, right, in: graph, histories, seed: seed)
        }
    }

    private func expectBase(
        of left: [LocalEvent],
        _ right: [LocalEvent],
        in graph: EventGraph,
        _ histories: [Set<LocalEvent>],
        seed: UInt64
    ) {
        let all = (left + right).reduce(into: Set<Int>()) { $0.formUnion(histories[$1]) }
        let critical = all.sorted().last { base in
            all.allSatisfy { histories[$0].contains(base) || histories[base].contains($0) }
                && (left + right).allSatisfy { histories[$0].contains(base) }
        }
        let isRoot = left.isEmpty || right.isEmpty
        let expected = isRoot ? .root : critical.map { EventGraph.Base.event($0) } ?? .root
        #expect(graph.base(of: [left, right], floor: 0) == expected, "seed \(seed)")
    }
}
