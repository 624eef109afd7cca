import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

/// Histories with more concurrency than people make: the limits of plan and tracker.
@Suite struct WideGraphTests {
    @Test func `a history of too many pieces is replayed without a plan`() throws {
        let shape = RandomGraph.Shape(
            testDescription: "pieces",
            runCount: 8000,
            authorCount: 3,
            mergeInterval: 9,
            textLimit: 2,
            voidInterval: 50,
            deleteInterval: 2
        )
        let graph = RandomGraph(seed: 4, shape: shape)
        let expected = graph.reference.text
        var whole = FollowedDocument()
        try whole.merge(graph.runs, by: .batch)
        #expect(whole.fault(expected: expected) == nil)
        whole.document.checkInvariants()
        var plan = ReplayPlan()
        let events = 0..<whole.document.eventCount
        let isPlanned = plan.prepare(of: whole.document.history.graph, events: events, cut: 0)
        #expect(!isPlanned)
        // In parts, some of which can be planned, and one by one from there.
        var parts = FollowedDocument()
        try parts.merge(Array(graph.runs[..<3000]), by: .batch)
        try parts.merge(Array(graph.runs[3000..<7900]), by: .batch)
        for run in graph.runs[7900...] { try parts.merge([run], by: .live) }
        #expect(parts.fault(expected: expected) == nil)
        #expect(parts.document.hasSameState(as: whole.document))
    }

    @Test(arguments: [64, 65, 400])
    func `a document that rests where many have parted says whether an edit takes its history`(
        authorCount: Int
    ) throws {
        var document = Document()
        _ = try document.edit([.init(range: 0..<0, text: "-")], author: log, firstEvent: 0)
        let start = document.frontier
        for author in 1...authorCount {
            let edits = [Patch(range: 1..<1, text: "\(author) ")]
            _ = try document.edit(edits, at: start, author: Fixture.log(author), firstEvent: 0)
        }
        #expect(document.frontier.count == authorCount)
        var opened = try Document(head: document.encodeHead())
        let isNeeded = authorCount > DocumentLimits.maximumParentCount
        #expect(opened.needsHistory(toEditAt: opened.frontier) == isNeeded)
        let edit = [Patch(range: 0..<1, text: "+")]
        if isNeeded {
            #expect(throws: DocumentError.historyNeeded) {
                try opened.edit(edit, author: log, firstEvent: 1)
            }
            try opened.attach(history: [document.encodeChunk()])
            #expect(!opened.needsHistory(toEditAt: opened.frontier))
        }
        let runs = try opened.edit(edit, author: log, firstEvent: 1)
        _ = try document.merge(runs)
        #expect(document.hasSameState(as: opened) && document.text.string.first == "+")
        document.checkInvariants()
        opened.checkInvariants()
    }

    private let log = Fixture.log(0)

    /// Many authors far apart: the tracker takes several views.
    @Test(arguments: [Delivery.live, .batch])
    func `forty authors who seldom hear of each other`(delivery: Delivery) throws {
        let shape = RandomGraph.Shape(
            testDescription: "crowd",
            runCount: 4800,
            authorCount: 40,
            mergeInterval: 60,
            textLimit: 2,
            voidInterval: 50
        )
        let graph = RandomGraph(seed: 6, shape: shape)
        var followed = FollowedDocument()
        try followed.merge(graph.runs, by: delivery)
        #expect(followed.fault(expected: graph.reference.text) == nil)
        followed.document.checkInvariants()
        let viewCount = try #require(followed.document.branch.state).tracker.views.count
        #expect(viewCount > 8)
    }

    /// Whatever the history is like: with as many views as there may be, from the first move on.
    @Test(.internalChecks, arguments: RandomGraph.Shape.all + RandomGraph.Shape.long)
    func `views change no text`(shape: RandomGraph.Shape) throws {
        var viewCount = 0
        for seed in UInt64(1)...20 {
            let graph = RandomGraph(seed: seed, shape: shape)
            var followed = FollowedDocument()
            followed.document.branch.ownState().tracker.addsViewsEagerly = true
            for run in graph.runs {
                try followed.merge([run], by: .live)
                guard let state = followed.document.branch.state else { continue }
                viewCount = max(viewCount, state.tracker.views.count)
            }
            #expect(followed.fault(expected: graph.reference.text) == nil, "seed \(seed)")
        }
        #expect(viewCount > 8)
    }

    @Test(arguments: [Delivery.live, .batch])
    func `a thousand people insert at one place`(delivery: Delivery) throws {
        var random = Seeded(seed: 9)
        let base = Fixture.insert("[]", at: 0, Fixture.event(0, 0))
        let parent = [Fixture.event(0, 1)]
        let runs = (1...1000).map { author in
            Fixture.insert("\(author)é;", at: 1, Fixture.event(author, 0), after: parent)
        }
        let middle = runs.map { "\($0.text)" }.joined()
        var followed = FollowedDocument()
        try followed.merge([base] + runs.shuffled(using: &random), by: delivery)
        #expect(followed.fault(expected: "[\(middle)]") == nil)
        followed.document.checkInvariants()
        // A thousand others delete what all saw.
        let deletions = (2001...3000).map { author in
            Fixture.delete(0..<2, Fixture.event(author, 0), after: parent)
        }
        try followed.merge(deletions.shuffled(using: &random), by: delivery)
        #expect(followed.fault(expected: middle) == nil)
        followed.document.checkInvariants()
    }

    @Test(arguments: [Delivery.live, .batch])
    func `the graph that tells Fugue from FugueMax`(delivery: Delivery) throws {
        let a = Fixture.event(1, 0)
        let b = Fixture.event(2, 0)
        let runs = [
            Fixture.insert("a", at: 0, a), Fixture.insert("b", at: 0, b),
            Fixture.insert("x", at: 1, Fixture.event(4, 0), after: [a]),
            Fixture.insert("y", at: 1, Fixture.event(3, 0), after: [a, b]),
        ]
        for order in OrderOfDelivery(runs).all {
            var followed = FollowedDocument()
            try followed.merge(order, by: delivery)
            #expect(followed.fault(expected: "axyb") == nil)
        }
    }

    @Test(arguments: [Delivery.live, .batch])
    func `graphs that tell Fugue from FugueMax are found`(delivery: Delivery) throws {
        let shape = RandomGraph.Shape(
            testDescription: "search",
            runCount: 14,
            authorCount: 4,
            mergeInterval: 4,
            textLimit: 2,
            isCrowded: true,
            deleteInterval: 40
        )
        var found = 0
        for seed in UInt64(301)...900 {
            let graph = RandomGraph(seed: seed, shape: shape)
            let fugue = RandomGraph(seed: seed, shape: shape, order: .fugue)
            if fugue.reference.text.bytes == graph.reference.text.bytes { continue }
            found += 1
            var followed = FollowedDocument()
            try followed.merge(graph.runs, by: delivery)
            let fault = followed.fault(expected: graph.reference.text)
            #expect(fault == nil, "seed \(seed)")
        }
        #expect(found > 10)
    }

    @Test(arguments: Delivery.allCases)
    func `the public random graphs end in their text`(delivery: Delivery) throws {
        let path = Fixture.path("Vectors/egwalker-conformance.json.gz")
        let vectors = try ConformanceVector.all(path: path)
        #expect(vectors.count > 40)
        for (index, vector) in vectors.enumerated() {
            let runs = vector.operations.map(Fixture.run)
            for cut in [0, runs.count / 3, runs.count - 1] {
                var followed = FollowedDocument()
                try followed.merge(Array(runs[..<cut]), by: delivery)
                try followed.merge(Array(runs[cut...]), by: delivery)
                followed.document.checkInvariants()
                let fault = followed.fault(expected: vector.endContent)
                #expect(fault == nil, "graph \(index), cut at \(cut)")
            }
        }
    }
}

extension OperationRun {
    /// The inserted text.
    fileprivate var text: String {
        if case .insert(_, let text) = content { text.string } else { "" }
    }
}
