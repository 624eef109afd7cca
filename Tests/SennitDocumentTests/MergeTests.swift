import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

@Suite struct MergeTests {
    @Test(arguments: RandomGraph.Shape.all, UInt64(1)...8)
    func `any delivery gives what the slow implementation gives`(
        shape: RandomGraph.Shape,
        seed: UInt64
    ) throws {
        var graph = RandomGraph(seed: seed, shape: shape)
        var random = Seeded(seed: seed &+ 1000)
        let expected = graph.reference.text.bytes
        let whole = try Document(merging: graph.runs)
        whole.checkInvariants()
        #expect(whole.text.string.bytes == expected, "\(shape) seed \(seed), one batch")
        for round in 0..<3 {
            let runs = graph.shuffled(using: &random)
            var document = Document()
            var text = Rope()
            var start = 0
            while start < runs.count {
                let end = min(runs.count, start + 1 + (round == 0 ? 0 : random.below(9)))
                let result = try document.merge(Array(runs[start..<end]))
                for patch in result.changes { text.apply(patch) }
                document.checkInvariants()
                if round == 2 { try disturb(&document, random: &random) }
                start = end
            }
            #expect(document.hasSameState(as: whole), "\(shape) seed \(seed) round \(round)")
            #expect(text == document.text, "\(shape) seed \(seed) round \(round), changes")
        }
        for _ in 0..<6 {
            let version = graph.anyVersion()
            let old = graph.reference.text(at: version).bytes
            #expect(try whole.text(at: version).bytes == old, "\(shape) seed \(seed) \(version)")
        }
    }

    /// Things between merges that must make no difference.
    private func disturb(_ document: inout Document, random: inout Seeded) throws {
        switch random.below(4) {
        case 0: document.releaseMergeState()
        case 1: document = try Document(decoding: document.encode())
        case 2: document = try Document(decoding: document.encode(), isTrusted: true)
        default: break
        }
    }

    @Test(arguments: UInt64(1)...60)
    func `every order of delivery of a small graph gives the same`(seed: UInt64) throws {
        let shape = RandomGraph.Shape(
            testDescription: "tiny",
            runCount: 5,
            authorCount: 3,
            mergeInterval: 5,
            textLimit: 2,
            isCrowded: true,
            voidInterval: 9,
            deleteInterval: 4
        )
        let graph = RandomGraph(seed: seed, shape: shape)
        let expected = graph.reference.text.bytes
        for runs in OrderOfDelivery(graph.runs).all {
            var document = Document()
            for run in runs { _ = try document.merge([run]) }
            #expect(document.text.string.bytes == expected, "seed \(seed): \(runs)")
        }
    }

    @Test(arguments: UInt64(1)...20)
    func `runs may be cut and sent again in any way`(seed: UInt64) throws {
        let graph = RandomGraph(seed: seed, shape: RandomGraph.Shape.all[0])
        var random = Seeded(seed: seed)
        var document = Document()
        for run in graph.runs {
            let count = run.eventCount
            let cut = random.below(count) + 1
            if let head = run.prefix(cut) { _ = try document.merge([head]) }
            _ = try document.merge([run, run])
            if let tail = run.dropFirst(cut) { _ = try document.merge([tail]) }
            document.checkInvariants()
        }
        #expect(try document.merge(graph.runs).changes.isEmpty)
        #expect(document.text.string.bytes == graph.reference.text.bytes, "seed \(seed)")
        #expect(document.hasSameState(as: try Document(merging: graph.runs)), "seed \(seed)")
    }

    @Test func `insertions at one place keep together and ascend by log`() throws {
        let runs = [
            Fixture.insert("[]", at: 0, Fixture.event(0, 0)),
            Fixture.insert("ccc", at: 1, Fixture.event(3, 0), after: [Fixture.event(0, 0)]),
            Fixture.insert("aaa", at: 1, Fixture.event(1, 0), after: [Fixture.event(0, 1)]),
            Fixture.insert("bbb", at: 1, Fixture.event(2, 0), after: [Fixture.event(0, 1)]),
        ]
        #expect(try Document(merging: runs).text.string == "[aaabbb]ccc")
    }

    @Test func `only FugueMax keeps a scalar next to its right neighbour`() throws {
        // Two people insert a and b into nothing. Who saw both inserts y between them; who saw only
        // a inserts x after it. y was made right before b, so it stays there, though its log is
        // the smaller one and comes first in Fugue.
        let a = Fixture.event(1, 0)
        let b = Fixture.event(2, 0)
        let runs = [
            Fixture.insert("a", at: 0, a),
            Fixture.insert("b", at: 0, b),
            Fixture.insert("x", at: 1, Fixture.event(4, 0), after: [a]),
            Fixture.insert("y", at: 1, Fixture.event(3, 0), after: [a, b]),
        ]
        #expect(ReferenceOrder.fugueMax.text(of: runs) == "axyb")
        #expect(ReferenceOrder.fugue.text(of: runs) == "ayxb")
        for order in OrderOfDelivery(runs).all {
            let document = try Document(merging: order)
            #expect(document.text.string == "axyb")
        }
    }

    @Test func `a search finds graphs that tell Fugue from FugueMax`() throws {
        var found = 0
        for seed in UInt64(1)...300 {
            let shape = RandomGraph.Shape(
                testDescription: "search",
                runCount: 14,
                authorCount: 4,
                mergeInterval: 4,
                textLimit: 2,
                isCrowded: true,
                deleteInterval: 40
            )
            let graph = RandomGraph(seed: seed, shape: shape)
            let fugue = RandomGraph(seed: seed, shape: shape, order: .fugue)
            if fugue.reference.text.bytes == graph.reference.text.bytes { continue }
            found += 1
            let document = try Document(merging: graph.runs)
            #expect(document.text.string.bytes == graph.reference.text.bytes, "seed \(seed)")
        }
        #expect(found > 0)
    }
}

extension ReferenceOrder {
    /// What the slow implementation makes of insertions by this order.
    func text(of runs: [OperationRun]) -> String {
        var reference = ReferenceDocument(order: self)
        for run in runs {
            guard case .insert(let position, let text) = run.content else { continue }
            reference.add(
                author: run.start.log,
                firstNumber: run.start.number,
                parents: run.parents,
                operation: .insert(position: position, text: text.string)
            )
        }
        return reference.text
    }
}

extension OperationRun {
    /// The first `count` events, if that is not all or none.
    func prefix(_ count: Int) -> OperationRun? {
        guard count > 0, count < eventCount else { return nil }
        var part = self
        switch content {
        case .insert(let position, let text):
            let scalars = String.UnicodeScalarView(text.string.unicodeScalars.prefix(count))
            part.content = .insert(position: position, text: .init(String(scalars)))
        case .delete(let range, let isBackward):
            let low = isBackward ? range.upperBound - count : range.lowerBound
            part.content = .delete(range: low..<(low + count), isBackward: isBackward && count > 1)
        default:
            return nil
        }
        return part
    }

    /// All but the first `count` events, if that is not all or none.
    func dropFirst(_ count: Int) -> OperationRun? {
        guard count > 0, count < eventCount else { return nil }
        var part = self
        part.start = EventID(log: start.log, number: start.number + UInt64(count))
        part.parents = [EventID(log: start.log, number: part.start.number - 1)]
        switch content {
        case .insert(let position, let text):
            let scalars = String.UnicodeScalarView(text.string.unicodeScalars.dropFirst(count))
            part.content = .insert(position: position + count, text: .init(String(scalars)))
        case .delete(let range, let isBackward):
            let rest = range.lowerBound..<(range.upperBound - count)
            part.content = .delete(range: rest, isBackward: isBackward && rest.count > 1)
        default:
            return nil
        }
        return part
    }
}
