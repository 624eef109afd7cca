import Testing

@testable import SennitDocument

@Suite struct SpanTreeTests {
    @Test(arguments: UInt64(1)...8)
    func `a tree agrees with an array of weights`(seed: UInt64) {
        var random = Seeded(seed: seed)
        var tree = SpanTree()
        var model: [(handle: Int32, weight: SpanTree.Weight)] = []
        for handle in 0..<Int32(1500) {
            let weight = SpanTree.Weight(current: random.weight(4), final: random.weight(3))
            let place = seed.isMultiple(of: 2) ? random.below(model.count + 1) : model.count
            let predecessor = place == 0 ? nil : tree.cursor(of: model[place - 1].handle)
            let cursor = tree.insert(handle, weight: weight, after: predecessor)
            let found = tree.cursor(of: handle)
            #expect(cursor == found, "seed \(seed)")
            model.insert((handle, weight), at: place)
            let changed = random.below(model.count)
            model[changed].weight = SpanTree.Weight(current: random.weight(4), final: 1)
            tree.setWeight(at: tree.cursor(of: model[changed].handle), to: model[changed].weight)
            if handle % 100 == 0 { tree.checkInvariants() }
        }
        tree.checkInvariants()
        let handles = tree.sequence.map(\.handle)
        #expect(handles == model.map(\.handle), "seed \(seed)")
        var before = SpanTree.Weight.zero
        for (index, item) in model.enumerated() {
            let cursor = tree.cursor(of: item.handle)
            let finalWeight = tree.finalWeight(before: cursor)
            #expect(finalWeight == Int(before.final), "seed \(seed)")
            if item.weight.current > 0 {
                let target = Int(before.current + item.weight.current) - 1
                let place = tree.place(at: target, in: .current)
                #expect(place.cursor == cursor && place.offset == Int(item.weight.current) - 1)
            }
            if item.weight.final > 0 {
                let place = tree.place(at: Int(before.final), in: .final)
                #expect(place.cursor == cursor && place.offset == 0, "seed \(seed)")
            }
            let next = index + 1 < model.count ? tree.cursor(of: model[index + 1].handle) : nil
            let successor = tree.successor(of: cursor)
            #expect(successor == next, "seed \(seed)")
            let other = random.below(model.count)
            let otherCursor = tree.cursor(of: model[other].handle)
            let isBefore = tree.isBefore(cursor, otherCursor)
            #expect(isBefore == (index < other))
            before &+= item.weight
        }
        let (total, first) = (tree.total, tree.first)
        #expect(total == before)
        let expected = tree.cursor(of: model[0].handle)
        #expect(first == expected)
    }

    @Test(arguments: UInt64(1)...8)
    func `side views agree with arrays of what is visible`(seed: UInt64) {
        var random = Seeded(seed: seed)
        var tree = SpanTree()
        var model: [SideSpan] = []
        var viewCount = 0
        for handle in 0..<Int32(1500) {
            let size = 2 + random.below(5)
            let isCurrent = random.below(2) == 0
            let weight = SpanTree.Weight(current: isCurrent ? UInt32(size) : 0, final: 1)
            let place = seed.isMultiple(of: 2) ? random.below(model.count + 1) : model.count
            let predecessor = place == 0 ? nil : tree.cursor(of: model[place - 1].handle)
            let cursor = tree.insert(handle, weight: weight, after: predecessor)
            let span = SideSpan(handle: handle, size: size, isCurrent: isCurrent)
            model.insert(span, at: place)
            if viewCount > 0 { tree.setSize(at: cursor, to: size) }
            if handle % 200 == 17 {
                // Each view once more, and one that shows what the tree itself does.
                let sources = Array(-1..<viewCount)
                let sizes = Dictionary(uniqueKeysWithValues: model.map { ($0.handle, $0.size) })
                tree.setSideViews(sources) { sizes[$0] ?? 0 }
                for index in model.indices { model[index].copy(sources) }
                viewCount += 1
            }
            for view in 0..<viewCount {
                let index = random.below(model.count)
                model[index].shown[view].toggle()
                let cursor = tree.cursor(of: model[index].handle)
                tree.setVisible(at: cursor, inSideView: view, to: model[index].shown[view])
            }
            if viewCount > 1, handle % 50 == 0 {
                for index in model.indices { model[index].shown[1] = model[index].shown[0] }
                tree.copySideView(0, to: 1)
                let index = random.below(model.count)
                model[index].size += 3
                let cursor = tree.cursor(of: model[index].handle)
                tree.setSize(at: cursor, to: model[index].size)
                let current = model[index].isCurrent ? UInt32(model[index].size) : 0
                tree.setWeight(at: cursor, to: SpanTree.Weight(current: current, final: 1))
            }
            if handle % 100 == 0 { tree.checkInvariants() }
        }
        tree.checkInvariants()
        for view in 0..<viewCount {
            var before = 0
            for span in model where span.shown[view] {
                let cursor = tree.cursor(of: span.handle)
                for offset in [0, span.size - 1] {
                    let found = tree.place(at: before + offset, inSideView: view)
                    #expect(found.cursor == cursor && found.offset == offset, "seed \(seed)")
                }
                before += span.size
            }
            let total = tree.sideViews.totals[view]
            #expect(Int(total) == before, "seed \(seed)")
        }
    }
}

/// What a handle should count for.
private struct SideSpan {
    var handle: Int32
    var size: Int
    var isCurrent: Bool
    var shown: [Bool] = Array(repeating: false, count: 9)

    /// Makes each view what another was; -1 is the tree's own.
    mutating func copy(_ sources: [Int]) {
        let old = shown
        for (view, source) in sources.enumerated() {
            shown[view] = source < 0 ? isCurrent : old[source]
        }
    }
}

extension Seeded {
    fileprivate mutating func weight(_ limit: Int) -> UInt32 { UInt32(below(limit)) }
}

@Suite struct KeyIndexTests {
    @Test(arguments: UInt64(1)...8)
    func `an index finds the highest key that is not above`(seed: UInt64) {
        var random = Seeded(seed: seed)
        var index = KeyIndex(key: 0, handle: 0)
        var model = [0: Int32(0)]
        for handle in 1..<Int32(900) {
            let key = seed.isMultiple(of: 2) ? Int(handle) * 3 : 1 + random.below(9000)
            guard model[key] == nil else { continue }
            index.insert(key, handle)
            model[key] = handle
            let wanted = random.below(9100)
            let expected = model.keys.filter { $0 <= wanted }.max() ?? 0
            let place = index.place(of: wanted)
            let found = index.handle(at: place)
            #expect(found == model[expected], "seed \(seed)")
            let next = model.keys.filter { $0 > expected }.min()
            var following: Int32?
            if let successor = index.successor(of: place) {
                following = index.handle(at: successor)
            }
            #expect(following == next.flatMap { model[$0] }, "seed \(seed)")
        }
        let keys = index.sequence.map(\.key)
        #expect(keys == model.keys.sorted(), "seed \(seed)")
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
            let (onlyLeft, onlyRight, _) = graph.difference(left, right)
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
