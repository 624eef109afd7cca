import Foundation
import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

/// A document that is merged into in any way, edited, typed in, saved, opened and merged into
/// again, beside the slow implementation and a plain copy of its text.
private struct LongLife {
    private let shape: RandomGraph.Shape
    private let seed: UInt64
    private var random: Seeded
    private var graph: RandomGraph
    private var followed = FollowedDocument()
    /// What nobody told the document yet.
    private var waiting: ArraySlice<OperationRun>
    private var nextNumber: UInt64 = 0
    /// Where the document is stored, head and chunks apart.
    private var store = ChunkStore()
    /// Copies that must stay as they were.
    private var snapshots: [(document: Document, text: [UInt8])] = []

    init(seed: UInt64, shape: RandomGraph.Shape) {
        self.seed = seed
        self.shape = shape
        random = Seeded(seed: seed &+ 0x11FE)
        graph = RandomGraph(seed: seed, shape: shape)
        waiting = graph.shuffled(using: &random)[...]
    }

    /// Lives it; returns what went wrong first, if anything did.
    mutating func run() throws -> String? {
        while !waiting.isEmpty {
            let count = min(waiting.count, 1 + random.below(random.below(3) == 0 ? 40 : 4))
            let runs = Array(waiting.prefix(count))
            waiting = waiting.dropFirst(count)
            try merge(runs, by: Delivery.allCases[random.below(3)])
            if let fault = fault() { return fault }
            if random.below(3) == 0 {
                try disturb()
                if let fault = fault() { return fault }
            }
        }
        for (document, text) in snapshots where document.text.string.bytes != text {
            return "\(shape) seed \(seed): a copy changed"
        }
        return try faultOfOthers()
    }

    private func fault() -> String? {
        let frontier = followed.document.frontier
        return followed.fault(expected: graph.reference.text(at: frontier))
            .map { "\(shape) seed \(seed), \(followed.document.eventCount) events: \($0)" }
    }

    /// Others who learn the same in another way.
    private mutating func faultOfOthers() throws -> String? {
        for delivery in Delivery.allCases {
            var other = FollowedDocument()
            let runs = graph.shuffled(using: &random)
            try other.merge(runs, by: delivery)
            if let fault = other.fault(expected: graph.reference.text) {
                return "\(shape) seed \(seed), \(delivery): \(fault)"
            }
            if !other.document.hasSameState(as: followed.document) {
                return "\(shape) seed \(seed), \(delivery): another state"
            }
        }
        let version = graph.anyVersion()
        if followed.document.needsHistory(toShow: version) { try wake() }
        let old = try followed.document.text(at: version)
        if old.bytes != graph.reference.text(at: version).bytes {
            return "\(shape) seed \(seed): another text at \(version)"
        }
        return nil
    }

    private mutating func disturb() throws {
        switch random.below(10) {
        case 0:
            followed.document.releaseMergeState()
        case 1:
            try wake()
            let isTrusted = random.below(2) == 0
            followed.document = try followed.document.savedAndOpened(isTrusted: isTrusted)
            try followed.document.unpackHistory()
            store = ChunkStore()
        case 7:
            try store.write(&followed.document)
        case 8:
            try store.write(&followed.document)
            followed.document.rest()
        case 9:
            try store.write(&followed.document)
            followed.document = try Document(head: store.head)
        case 2, 3:
            try edit()
        case 4:
            try type()
        case 5:
            let document = followed.document
            snapshots.append((document, document.text.string.bytes))
        default:
            // Old news changes nothing.
            let old = graph.runs.filter { followed.document.contains($0.last) }
            try merge(old, by: .batch)
        }
    }

    /// Merges, after the history has come back if the document says that it takes it. What it says
    /// must be so: without it nothing is merged, and else it isn't asked for.
    private mutating func merge(_ runs: [OperationRun], by delivery: Delivery) throws {
        if followed.document.needsHistory(toMerge: runs) {
            var copy = followed
            do {
                try copy.merge(runs, by: delivery)
                Issue.record("\(shape) seed \(seed): it was merged without its history")
            } catch DocumentError.historyNeeded {
                let isSame = copy.document.hasSameState(as: followed.document)
                #expect(isSame, "\(shape) seed \(seed)")
            }
            try wake()
        }
        try followed.merge(runs, by: delivery)
    }

    /// Gives the document its history back if it is at rest.
    private mutating func wake() throws {
        if !followed.document.hasHistory {
            try followed.document.attach(history: store.chunks.map(\.bytes))
        }
    }

    /// Events of one more author, at the newest version or an older one.
    private mutating func edit() throws {
        var parents = followed.document.frontier
        if random.below(3) > 0,
            let run = graph.runs.filter({ isHere($0) }).randomElement(
                using: &random
            )
        {
            parents = [run.last]
        }
        if followed.document.needsHistory(toEditAt: parents) { try wake() }
        let count = graph.reference.text(at: parents).unicodeScalars.count
        let low = random.below(count + 1)
        let high = min(count, low + random.below(4))
        let patch = Patch(range: low..<high, text: random.text(limit: 5))
        let log = Fixture.log(90)
        var edited: [OperationRun] = []
        let number = nextNumber
        try followed.change { document in
            let (runs, changes) = try document.edit(
                [patch],
                at: parents,
                author: log,
                firstEvent: number
            )
            edited = runs
            return changes
        }
        for run in edited {
            graph.add(run)
            nextNumber += UInt64(run.eventCount)
        }
    }

    private func isHere(_ run: OperationRun) -> Bool { followed.document.contains(run.last) }

    /// The same by typing, which is not in the text until somebody looks.
    private mutating func type() throws {
        let log = Fixture.log(90)
        let first = nextNumber
        var author = try followed.document.author(log, nextEvent: first)
        var place = random.below(followed.copy.count + 1)
        for _ in 0...random.below(6) {
            let count = followed.copy.count
            var range = place..<place
            if random.below(3) == 0 { range = max(0, place - random.below(3))..<place }
            if random.below(9) == 0 { range = random.below(count + 1)..<count }
            let text = random.text(limit: 3)
            try followed.document.replace(range, with: text, by: &author)
            followed.follow([Patch(range: range, text: text)])
            place = range.lowerBound + text.unicodeScalars.count
        }
        for run in followed.document.runs(of: author, from: first) {
            graph.add(run)
            nextNumber += UInt64(run.eventCount)
        }
    }
}

/// A document on a disk: its head, and chunks that follow on from each other.
private struct ChunkStore {
    private(set) var head: [UInt8] = []
    private(set) var chunks: [(events: Range<Int>, bytes: [UInt8])] = []

    /// Writes what is new; when there are many chunks, they become one.
    mutating func write(_ document: inout Document) throws {
        let state = document.unstoredState
        head = state.head
        if state.firstEvent == 0 { chunks = [] }
        #expect(chunks.last?.events.upperBound ?? 0 == state.firstEvent)
        #expect(state.chunk.isEmpty == (state.firstEvent == state.eventCount))
        if !state.chunk.isEmpty {
            chunks.append((state.firstEvent..<state.eventCount, state.chunk))
        }
        document.noteStored(state)
        #expect(document.isStored)
        guard chunks.count > 4 else { return }
        chunks = [(0..<state.eventCount, try Document.joined(chunks.map(\.bytes)))]
    }
}

@Suite struct LongLivedDocumentTests {
    private static let shapes = RandomGraph.Shape.long + RandomGraph.Shape.all

    private func check(_ seeds: some Sequence<UInt64>, shape: RandomGraph.Shape) throws {
        for seed in seeds {
            var life = LongLife(seed: seed, shape: shape)
            if let fault = try life.run() {
                Issue.record(Comment(rawValue: fault))
                return
            }
        }
    }

    /// More than 5 seconds: thousands of histories.
    @Test(arguments: shapes)
    func `a long-lived document agrees with the slow implementation`(
        shape: RandomGraph.Shape
    ) throws {
        try check(UInt64(1)...(shape.hugeTextLimit > 0 ? 40 : 250), shape: shape)
    }

    @Test(.internalChecks, arguments: shapes)
    func `a long-lived document is sound inside after each change`(
        shape: RandomGraph.Shape
    ) throws {
        try check(UInt64(1001)...(shape.hugeTextLimit > 0 ? 1004 : 1030), shape: shape)
    }

    /// Found by fuzzing: stored side by side, the two deletions look like one of twice the length.
    @Test(arguments: Delivery.allCases)
    func `two who delete the same at an older version, saved and opened`(
        delivery: Delivery
    ) throws {
        let parent = [Fixture.event(0, 3)]
        let runs = [
            Fixture.insert("hello", at: 0, Fixture.event(0, 0)),
            Fixture.delete(1..<4, Fixture.event(1, 0), after: parent),
            Fixture.delete(1..<4, Fixture.event(3, 0), after: parent),
        ]
        var followed = FollowedDocument()
        try followed.merge(runs, by: delivery)
        #expect(followed.fault(expected: "ho") == nil)
        let opened = try followed.document.savedAndOpened()
        opened.checkInvariants()
        #expect(opened.hasSameState(as: followed.document))
    }

    private static let environment = ProcessInfo.processInfo.environment

    @Test(.enabled(if: environment["SENNIT_SEED"]?.isEmpty == false))
    func `soak: one long life again`() throws {
        let seed = try #require(UInt64(LongLivedDocumentTests.environment["SENNIT_SEED"] ?? ""))
        for shape in LongLivedDocumentTests.shapes { try check([seed], shape: shape) }
    }

    @Test(.enabled(if: environment["SENNIT_SOAK_SECONDS"]?.isEmpty == false))
    func `soak: long lives with fresh seeds`() throws {
        let text = LongLivedDocumentTests.environment["SENNIT_SOAK_SECONDS"] ?? ""
        let end = Date().addingTimeInterval(try #require(Double(text)))
        let first = UInt64(Date().timeIntervalSince1970 * 1000)
        var seed = first
        while Date() < end {
            for shape in LongLivedDocumentTests.shapes { try check([seed], shape: shape) }
            seed += 1
        }
        print("soak: \(seed - first) long lives of each shape from seed \(first)")
    }
}
