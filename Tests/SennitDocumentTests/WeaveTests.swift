import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

/// Questions about the past, on random histories, answered by the slow implementation as well.
@Suite struct WeaveTests {
    @Test(arguments: RandomGraph.Shape.all + RandomGraph.Shape.long)
    func `every scalar has the author that the slow implementation names`(
        shape: RandomGraph.Shape
    ) throws {
        for seed in UInt64(0)..<12 {
            let (graph, documents) = try histories(seed: seed, shape: shape)
            for var document in documents {
                let expected = graph.reference.names(at: document.frontier)
                let pieces = try document.authorship(of: 0..<expected.count)
                #expect(pieces.names == expected, "\(shape) seed \(seed)")
                #expect(pieces.covers(0..<expected.count), "\(shape) seed \(seed)")
                if expected.count < 2 { continue }
                var random = Seeded(seed: seed)
                let low = random.below(expected.count)
                let high = low + random.below(expected.count - low) + 1
                let part = try document.authorship(of: low..<high)
                #expect(part.names == Array(expected[low..<high]), "\(shape) seed \(seed)")
            }
        }
    }

    @Test(arguments: RandomGraph.Shape.all + RandomGraph.Shape.long)
    func `the changes from any version to any other make its text and are the fewest`(
        shape: RandomGraph.Shape
    ) throws {
        for seed in UInt64(0)..<12 {
            var (graph, documents) = try histories(seed: seed, shape: shape)
            for var document in documents {
                for _ in 0..<4 {
                    let older = graph.anyVersion()
                    let newer = graph.anyVersion()
                    let changes = try document.changes(from: older, to: newer)
                    var text = Rope(graph.reference.text(at: older))
                    for change in changes { text.apply(change) }
                    let expected = graph.reference.text(at: newer)
                    #expect(text.string.bytes == expected.bytes, "\(shape) seed \(seed)")
                    let old = Set(graph.reference.names(at: older))
                    let new = Set(graph.reference.names(at: newer))
                    let deletedCount = changes.reduce(0) { $0 + $1.range.count }
                    let insertedCount = changes.reduce(0) { $0 + $1.text.unicodeScalars.count }
                    #expect(deletedCount == old.subtracting(new).count, "\(shape) seed \(seed)")
                    #expect(insertedCount == new.subtracting(old).count, "\(shape) seed \(seed)")
                }
            }
        }
    }

    @Test(arguments: RandomGraph.Shape.all)
    func `an anchor stays with its scalar through merges and storing`(
        shape: RandomGraph.Shape
    ) throws {
        for seed in UInt64(0)..<12 {
            let graph = RandomGraph(seed: seed, shape: shape)
            var random = Seeded(seed: seed &+ 7)
            var document = Document()
            _ = try document.merge(Array(graph.runs.prefix(graph.runs.count / 2)))
            let count = document.text.scalarCount
            let places = (0..<6).map { _ in random.below(count + 1) }
            var anchors: [Anchor] = []
            for place in places {
                for side in [Anchor.Side.left, .right] {
                    let anchor = try document.anchor(at: place, holding: side)
                    #expect(try document.position(of: anchor) == place, "\(shape) seed \(seed)")
                    anchors.append(try Anchor(decoding: anchor.encode()))
                }
            }
            if random.below(2) == 0 {
                document = try Document(decoding: document.encode(), isTrusted: true)
            }
            _ = try document.merge(graph.runs)
            for anchor in anchors {
                let expected = graph.reference.position(of: anchor, at: document.frontier)
                #expect(try document.position(of: anchor) == expected, "\(shape) seed \(seed)")
            }
        }
    }

    @Test func `what is typed at an anchor lands on the side that it leaves free`() throws {
        var document = Document()
        _ = try document.edit([.init(range: 0..<0, text: "ab")], author: log, firstEvent: 0)
        let left = try document.anchor(at: 1, holding: .left)
        let right = try document.anchor(at: 1, holding: .right)
        _ = try document.edit([.init(range: 1..<1, text: "xyz")], author: log, firstEvent: 2)
        #expect(try document.position(of: left) == 1)
        #expect(try document.position(of: right) == 4)
        _ = try document.edit([.init(range: 0..<5, text: "")], author: log, firstEvent: 5)
        #expect(try document.position(of: left) == 0 && document.position(of: right) == 0)
        #expect(try document.position(of: .start) == 0 && document.position(of: .end) == 0)
    }

    @Test func `an older version can be had back, beside what others write meanwhile`() throws {
        var document = Document()
        let typed = try document.edit(
            [.init(range: 0..<0, text: "the old text")],
            author: log,
            firstEvent: 0
        )
        let old = document.frontier
        let changed = try document.edit(
            [.init(range: 4..<7, text: "new")],
            author: log,
            firstEvent: 12
        )
        var other = Document()
        _ = try other.merge(typed + changed)
        let meanwhile = try other.edit(
            [.init(range: 12..<12, text: "!")],
            author: Fixture.log(1),
            firstEvent: 0
        )
        let (runs, changes) = try document.restore(to: old, author: log, firstEvent: 18)
        #expect(document.text.string == "the old text")
        #expect(changes == [.init(range: 4..<7, text: "old")])
        _ = try document.merge(meanwhile)
        _ = try other.merge(runs)
        #expect(document.text.string == "the old text!" && other.hasSameState(as: document))
    }

    @Test func `the versions that a replica went through can be named and shown`() throws {
        for seed in UInt64(0)..<12 {
            let graph = RandomGraph(seed: seed, shape: RandomGraph.Shape.all[1])
            var document = Document()
            var texts: [(count: Int, text: [UInt8])] = []
            for run in graph.runs {
                _ = try document.merge([run])
                texts.append((document.eventCount, document.text.string.bytes))
            }
            for (count, text) in texts {
                let version = try document.version(ofFirst: count)
                #expect(try document.text(at: version).bytes == text, "seed \(seed)")
            }
            #expect(try document.version(ofFirst: 0) == [])
            #expect(try document.authors().reduce(0) { $0 + $1.count } == document.eventCount)
        }
    }

    @Test func `what is not there is refused`() throws {
        var document = Document()
        _ = try document.edit([.init(range: 0..<0, text: "abc")], author: log, firstEvent: 0)
        _ = try document.edit([.init(range: 0..<1, text: "")], author: log, firstEvent: 3)
        let outside = DocumentError.positionOutOfBounds(position: 3, scalarCount: 2)
        #expect(throws: outside) { try document.anchor(at: 3) }
        #expect(throws: outside) { try document.authorship(of: 1..<3) }
        for event in [Fixture.event(0, 3), Fixture.event(0, 4), Fixture.event(1, 0)] {
            #expect(throws: DocumentError.unknownEvents([event])) {
                try document.position(of: .before(event))
            }
        }
        let unknown = [Fixture.event(3, 9)]
        #expect(throws: DocumentError.unknownEvents(unknown)) {
            try document.changes(from: [], to: unknown)
        }
        var resting = document
        resting.rest()
        #expect(throws: DocumentError.historyNeeded) { try resting.anchor(at: 1) }
        #expect(throws: DocumentError.historyNeeded) { try resting.changes(from: [], to: []) }
    }

    @Test func `bytes that are no anchor are refused`() throws {
        for bytes in [[], [4], [0, 0], [2], [3, 1, 2]] as [[UInt8]] {
            #expect(throws: DocumentError.self) { try Anchor(decoding: bytes) }
        }
        for anchor in [
            Anchor.start, .end, .before(Fixture.event(3, 9)),
            .after(.init(log: log, number: 1 << 40)),
        ] {
            #expect(try Anchor(decoding: anchor.encode()) == anchor)
        }
    }

    private let log = Fixture.log(0)

    /// A random history in three documents: merged at once, asked about while it came in, and
    /// stored and opened.
    private func histories(
        seed: UInt64,
        shape: RandomGraph.Shape
    ) throws -> (graph: RandomGraph, documents: [Document]) {
        let graph = RandomGraph(seed: seed, shape: shape)
        var random = Seeded(seed: seed)
        var whole = Document()
        _ = try whole.merge(graph.runs)
        var asked = Document()
        for run in graph.shuffled(using: &random) {
            _ = try asked.merge([run])
            if random.below(4) == 0 {
                let version = asked.frontier
                _ = try asked.changes(from: random.below(2) == 0 ? [] : version, to: version)
            }
        }
        let opened = try Document(decoding: whole.encode(), isTrusted: true)
        return (graph, [whole, asked, opened])
    }
}

extension [Document.Authorship] {
    /// The event of each scalar.
    fileprivate var names: [EventID] {
        flatMap { piece in
            piece.range.indices.map {
                let number = piece.first.number + UInt64($0 - piece.range.lowerBound)
                return EventID(log: piece.first.log, number: number)
            }
        }
    }

    /// Whether the pieces lie side by side from one end of a range to the other.
    fileprivate func covers(_ range: Range<Int>) -> Bool {
        reduce(range.lowerBound) { $1.range.lowerBound == $0 ? $1.range.upperBound : -1 }
            == range.upperBound
    }
}

extension ReferenceDocument {
    /// Where an anchor is at a version that knows its scalar.
    fileprivate func position(of anchor: Anchor, at version: [EventID]) -> Int {
        let visible = names(at: version)
        let event: EventID
        var isAfter = false
        switch anchor {
        case .start: return 0
        case .end: return visible.count
        case .before(let name): event = name
        case .after(let name):
            event = name
            isAfter = true
        }
        let before = Set(allNames.prefix { $0 != event })
        let count = visible.count { before.contains($0) }
        return count + (isAfter && visible.contains(event) ? 1 : 0)
    }
}
