import SennitWire
import Testing

@testable import SennitDocument

/// Graphs that somebody made to be dear: they are refused, or merged in bounded time. The limits
/// are far above what any machine needs.
@Suite struct HostileGraphTests {
    private static let limit = Duration.seconds(10)

    /// A batch of `count` runs, each of which names as many parents as it says, or all but those.
    private func batch(runCount: Int, parentCount: Int, written: Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.write([UInt8](repeating: 7, count: 32))
        writer.writeVarint(1 << 20)
        writer.writeVarint(runCount)
        for _ in 0..<runCount {
            writer.writeVarint(2 * 1 + 1)
            writer.writeVarint(parentCount)
            for back in (1...max(written, 1)).reversed() { writer.writeVarint(back) }
            writer.writeBlob([0, 0x61])
        }
        return writer.bytes
    }

    private func error(decoding bytes: [UInt8]) -> DocumentError? {
        var logs = LogTable()
        do {
            _ = try OperationBatch(decoding: bytes, author: Fixture.log(1), logs: &logs)
            return nil
        } catch {
            return error
        }
    }

    @Test func `375 runs of 4096 parents are refused at the first`() {
        #expect(error(decoding: batch(runCount: 375, parentCount: 64, written: 64)) == nil)
        for parentCount in [65, 4096, Int(Int32.max), Int.max] {
            let written = min(parentCount, 4096)
            let bytes = batch(runCount: 375, parentCount: parentCount, written: written)
            var refusal: DocumentError?
            let time = ContinuousClock().measure { refusal = error(decoding: bytes) }
            guard case .malformed(.overLimit) = refusal else {
                Issue.record("\(parentCount): \(String(describing: refusal))")
                continue
            }
            #expect(time < HostileGraphTests.limit)
        }
    }

    @Test(arguments: Delivery.allCases)
    func `375 runs of as many parents as there may be, merged`(delivery: Delivery) throws {
        let base = (0..<64).map { Fixture.insert("x", at: 0, Fixture.event($0, 0)) }
        var tips = base.map(\.start)
        var runs = base
        for index in 0..<375 {
            let author = index % 64
            let number = UInt64(1 + index / 64)
            let run = Fixture.insert(
                "y",
                at: 0,
                Fixture.event(author, number),
                after: tips.sorted()
            )
            runs.append(run)
            // Each follows everything; the next follow it and what they followed.
            tips[author] = run.start
        }
        var followed = FollowedDocument()
        let time = try ContinuousClock().measure { try followed.merge(runs, by: delivery) }
        #expect(time < HostileGraphTests.limit)
        #expect(followed.document.eventCount == 64 + 375)
        #expect(followed.document.text.scalarCount == 64 + 375)
        followed.document.checkInvariants()
    }

    /// Each run follows the one before it and, as if that said more, the very first event.
    @Test(arguments: Delivery.allCases)
    func `a row of runs that all name the first event again`(delivery: Delivery) throws {
        let first = Fixture.event(0, 0)
        var runs = [Fixture.insert("x", at: 0, first)]
        var last = first
        for index in 0..<30_000 {
            // Two authors in turn, so that no run lengthens the one before it.
            let start = Fixture.event(1 + index % 2, UInt64(index / 2))
            runs.append(Fixture.insert("y", at: 0, start, after: [first, last].sorted()))
            last = start
        }
        try expectQuick(runs, by: delivery)
    }

    /// Two long branches, each of whose runs names an old event of the other again. Whether that
    /// says more is found by a walk down both, so this costs the square of the runs.
    @Test(arguments: Delivery.allCases)
    func `two branches that look far back at each other`(delivery: Delivery) throws {
        var runs = [Fixture.insert("x", at: 0, Fixture.event(0, 0))]
        var tips = [runs[0].start, runs[0].start]
        for index in 0..<2000 {
            let side = index % 2
            // A run of its own, because an event of somebody else comes in between.
            let author = 1 + side + 2 * (index / 2 % 2)
            let start = Fixture.event(author, UInt64(index / 4))
            let far = Fixture.event(2 - side, 0)
            let parents = index < 4 ? [tips[side]] : Set([tips[side], far]).sorted()
            runs.append(Fixture.insert("y", at: 0, start, after: parents))
            tips[side] = start
        }
        try expectQuick(runs, by: delivery)
    }

    /// A row of runs, each of which names the next event of a long branch, and half of them the one
    /// before it again, which says nothing. Compared one by one, that is the square of the runs.
    @Test(arguments: [1_500, 30_000])
    func `a row of runs that look far back at new events`(count: Int) throws {
        let base = Fixture.insert("x", at: 0, Fixture.event(0, 0))
        let branch = Fixture.insert(
            String(repeating: "b", count: count),
            at: 1,
            Fixture.event(3, 0),
            after: [base.start]
        )
        var runs = [base, branch]
        var parents: [[EventID]] = []
        var last = base.start
        for index in 0..<count {
            let start = Fixture.event(1 + index % 2, UInt64(index / 2))
            // The first of them follows the branch alone, which follows the base.
            let own = index == 0 ? [] : [last]
            parents.append((own + [Fixture.event(3, UInt64(index))]).sorted())
            let again = index % 2 == 1 ? [Fixture.event(3, UInt64(index - 1))] : []
            let named = (parents[index] + again).sorted()
            runs.append(Fixture.insert("y", at: 0, start, after: named))
            last = start
        }
        var document = Document()
        let time = try ContinuousClock().measure { _ = try document.merge(runs) }
        #expect(time < HostileGraphTests.limit, "\(time)")
        #expect(document.eventCount == 1 + 2 * count)
        for index in [0, 1, count / 2, count - 2, count - 1] {
            let event = try #require(document.history.names.event(named: runs[index + 2].start))
            let found = document.history.graph.parents(of: event)
            #expect(found.map(document.history.names.name(of:)).sorted() == parents[index])
        }
        let frontier = document.history.graph.frontier
        #expect(frontier == document.history.graph.dominators(of: frontier))

        // Again, all of it is here. With a parent that none of those named descends from it is not.
        let copy = document
        let again = try ContinuousClock().measure { _ = try document.merge(runs) }
        #expect(again < HostileGraphTests.limit, "\(again)")
        #expect(document.hasSameState(as: copy))
        let forged = Fixture.event(3, UInt64(count - 1))
        let middle = runs[count / 2]
        runs[count / 2] = Fixture.insert(
            "y",
            at: 0,
            middle.start,
            after: (middle.parents + [forged]).sorted()
        )
        #expect(throws: DocumentError.conflictingEvent(middle.start)) { try document.merge(runs) }
        #expect(document.hasSameState(as: copy))
    }

    @Test(arguments: RandomGraph.Shape.all)
    func `many questions about ancestry get the answers of one`(shape: RandomGraph.Shape) throws {
        for seed in UInt64(1)...6 {
            let graph = try Document(merging: RandomGraph(seed: seed, shape: shape).runs)
                .history.graph
            var random = Seeded(seed: seed)
            let questions = (0..<700).map { _ in
                EventGraph.AncestryQuestion(
                    event: random.below(graph.count),
                    descendants: (0..<(1 + random.below(3))).map { _ in random.below(graph.count) }
                )
            }
            let answers = graph.answers(to: questions)
            for (question, answer) in zip(questions, answers) {
                let histories = question.descendants.map { graph.history(of: [$0]) }
                let expected = histories.joined().contains { $0.contains(question.event) }
                #expect(answer == expected, "seed \(seed)")
            }
            #expect(answers.contains(true) && answers.contains(false))
        }
    }

    private func expectQuick(_ runs: [OperationRun], by delivery: Delivery) throws {
        var followed = FollowedDocument()
        let time = try ContinuousClock().measure { try followed.merge(runs, by: delivery) }
        #expect(time < HostileGraphTests.limit, "\(time)")
        #expect(followed.document.eventCount == runs.count)
        #expect(followed.document.text.scalarCount == runs.count)
        let stored = followed.document.encode()
        var opened: Document?
        let readTime = try ContinuousClock().measure { opened = try Document(decoding: stored) }
        #expect(readTime < HostileGraphTests.limit, "\(readTime)")
        #expect(opened?.hasSameState(as: followed.document) == true)
    }
}
