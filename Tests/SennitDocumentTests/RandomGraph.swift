import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

/// A random history and what the slow, obvious implementation makes of it.
struct RandomGraph {
    /// Parents first.
    private(set) var runs: [OperationRun] = []
    private(set) var reference: ReferenceDocument
    private var random: Seeded
    private var nextNumbers: [UInt64]
    /// The versions that somebody may go on from: the last event of each author, and any others.
    private var tips: [[EventID]]
    private let shape: Shape
    /// Where each author's last insertion began and ended.
    private var lastInsertions: [Range<Int>]

    /// What kind of history.
    struct Shape: CustomTestStringConvertible {
        var testDescription: String
        var runCount: Int
        var authorCount: Int
        /// One in so many runs follows everything; the rest follow something random.
        var mergeInterval: Int
        /// Scalars of a usual insertion, and of a rare one.
        var textLimit = 6
        var hugeTextLimit = 0
        /// Whether all insertions happen at one of few places.
        var isCrowded = false
        /// One in so many runs has a position that does not exist; 0 for none.
        var voidInterval = 0
        /// One in so many runs changes no text; 0 for none.
        var gatherInterval = 0
        /// One in so many runs deletes.
        var deleteInterval = 3
        /// Whether deletions begin and end where insertions of their author did, or right beside.
        var isOnBoundaries = false

        static let all = [
            Shape(testDescription: "small", runCount: 12, authorCount: 3, mergeInterval: 3),
            Shape(
                testDescription: "crowded",
                runCount: 24,
                authorCount: 4,
                mergeInterval: 4,
                textLimit: 2,
                isCrowded: true,
                deleteInterval: 6
            ),
            Shape(
                testDescription: "hostile",
                runCount: 40,
                authorCount: 3,
                mergeInterval: 4,
                voidInterval: 4,
                gatherInterval: 5
            ),
            Shape(
                testDescription: "huge",
                runCount: 24,
                authorCount: 3,
                mergeInterval: 3,
                hugeTextLimit: 6000
            ),
            Shape(testDescription: "deep", runCount: 60, authorCount: 3, mergeInterval: 30),
            Shape(testDescription: "wide", runCount: 60, authorCount: 20, mergeInterval: 5),
            Shape(
                testDescription: "live",
                runCount: 60,
                authorCount: 2,
                mergeInterval: 2,
                gatherInterval: 3
            ),
        ]

        /// For documents that live long: everything at once.
        static let long = [
            Shape(
                testDescription: "boundaries",
                runCount: 30,
                authorCount: 3,
                mergeInterval: 4,
                textLimit: 9,
                deleteInterval: 2,
                isOnBoundaries: true
            ),
            Shape(
                testDescription: "huge boundaries",
                runCount: 14,
                authorCount: 3,
                mergeInterval: 4,
                hugeTextLimit: 5000,
                deleteInterval: 2,
                isOnBoundaries: true
            ),
            Shape(testDescription: "fifty", runCount: 80, authorCount: 50, mergeInterval: 9),
            Shape(
                testDescription: "branches",
                runCount: 70,
                authorCount: 4,
                mergeInterval: 50,
                voidInterval: 20,
                deleteInterval: 2
            ),
            Shape(
                testDescription: "one place",
                runCount: 40,
                authorCount: 12,
                mergeInterval: 12,
                textLimit: 3,
                isCrowded: true,
                deleteInterval: 8
            ),
            Shape(
                testDescription: "mixed",
                runCount: 40,
                authorCount: 5,
                mergeInterval: 3,
                voidInterval: 6,
                gatherInterval: 8
            ),
        ]
    }

    init(seed: UInt64, shape: Shape, order: ReferenceOrder = .fugueMax) {
        random = Seeded(seed: seed)
        reference = ReferenceDocument(order: order)
        nextNumbers = Array(repeating: 0, count: shape.authorCount)
        tips = Array(repeating: [], count: shape.authorCount)
        lastInsertions = Array(repeating: 0..<0, count: shape.authorCount)
        self.shape = shape
        for _ in 0..<shape.runCount { addRun() }
    }

    private mutating func addRun() {
        let author = random.below(shape.authorCount)
        let parents = makeParents(author: author)
        let count = reference.text(at: parents).unicodeScalars.count
        if random.below(8) == 0 { nextNumbers[author] += UInt64(random.below(5)) }
        let start = Fixture.event(author, nextNumbers[author])
        let run = OperationRun(
            start: start,
            parents: parents,
            content: makeContent(in: count, author: author)
        )
        add(run)
        nextNumbers[author] += UInt64(run.eventCount)
        tips[author] = [run.last]
    }

    private mutating func makeParents(author: Int) -> [EventID] {
        if random.below(shape.mergeInterval) == 0 { return Set(tips.flatMap(\.self)).sorted() }
        switch random.below(6) {
        case 0 where !runs.isEmpty:
            // Any events at all: in the middle of runs, several, ancestors of one another.
            let count = random.below(3) + 1
            return Set((0..<count).map { _ in anyEvent() }).sorted()
        case 1:
            return Set(tips[author] + tips[random.below(tips.count)]).sorted()
        default:
            return tips[author]
        }
    }

    private mutating func anyEvent() -> EventID {
        let run = runs[random.below(runs.count)]
        let number = run.start.number + UInt64(random.below(run.eventCount))
        return EventID(log: run.start.log, number: number)
    }

    private mutating func makeContent(in count: Int, author: Int) -> OperationRun.Content {
        if shape.gatherInterval > 0 && random.below(shape.gatherInterval) == 0 { return .gather }
        let isVoid = shape.voidInterval > 0 && random.below(shape.voidInterval) == 0
        if isVoid {
            let position = count + 1 + random.below(3)
            let low = random.below(position + 1)
            return random.below(2) == 0
                ? .insert(position: position, text: "void")
                : .delete(range: low..<(max(position, low) + 1), isBackward: false)
        }
        if count > 0 && random.below(shape.deleteInterval) == 0 {
            if shape.isOnBoundaries { return makeDeletion(in: count, author: author) }
            let low = random.below(count)
            let high = random.below(4) == 0 ? count : min(count, low + 1 + random.below(4))
            let isBackward = high - low > 1 && random.below(2) == 0
            return .delete(range: low..<high, isBackward: isBackward)
        }
        let isHuge = shape.hugeTextLimit > 0 && random.below(4) == 0
        let text = random.text(limit: isHuge ? shape.hugeTextLimit : shape.textLimit - 1) + "."
        let places = [0, count, count / 2, min(1, count)]
        let position = shape.isCrowded ? places[random.below(4)] : random.below(count + 1)
        lastInsertions[author] = position..<(position + text.unicodeScalars.count)
        return .insert(position: position, text: .init(text))
    }

    /// A deletion from one boundary to another: of the last insertion, or of the pieces in which
    /// long insertions are stored.
    private mutating func makeDeletion(in count: Int, author: Int) -> OperationRun.Content {
        let last = lastInsertions[author]
        let stored = DocumentLimits.maximumStoredScalarCount
        let middle = last.lowerBound + stored * random.below(last.count / stored + 1)
        var ends = [last.lowerBound, last.upperBound, middle, last.lowerBound + last.count / 2]
        ends = ends.map { min(max($0 + random.below(3) - 1, 0), count) }
        let low = min(ends[random.below(4)], count - 1)
        let high = max(ends[random.below(4)], low + 1)
        return .delete(range: low..<high, isBackward: high - low > 1 && random.below(2) == 0)
    }
}

extension ReferenceDocument {
    /// Adds a run. The reference knows no backward deletion and no event that is not of text.
    mutating func add(_ run: OperationRun) {
        switch run.content {
        case .insert(let position, let text):
            add(run, .insert(position: position, text: text.string))
        case .delete(let range, isBackward: false):
            add(run, .delete(range))
        case .delete(let range, isBackward: true):
            // It is void as a whole, and so are then its single deletions.
            let isVoid = range.upperBound > text(at: run.parents).unicodeScalars.count
            var single = run
            for position in range.reversed() {
                let place = isVoid ? Int.max - 1 : position
                add(single, .delete(place..<(place + 1)))
                single.parents = [single.start]
                single.start = EventID(log: run.start.log, number: single.start.number + 1)
            }
        case .unknown(_, _, let eventCount, _):
            add(run, .insert(position: .max, text: String(repeating: "-", count: eventCount)))
        case .gather, .mapSet, .mapRemove:
            // An event without effect, which the reference has only as one that is void.
            add(run, .insert(position: .max, text: "-"))
        }
    }

    private mutating func add(_ run: OperationRun, _ operation: ReferenceOperation) {
        add(
            author: run.start.log,
            firstNumber: run.start.number,
            parents: run.parents,
            operation: operation
        )
    }
}

extension RandomGraph {
    /// Adds a run that was made elsewhere.
    mutating func add(_ run: OperationRun) {
        reference.add(run)
        runs.append(run)
    }

    /// The runs in another order that has parents first.
    func shuffled(using random: inout Seeded) -> [OperationRun] {
        var order = OrderOfDelivery(runs)
        return order.random(using: &random)
    }

    /// Any version: some events, whatever they are to each other.
    mutating func anyVersion() -> [EventID] {
        (0...random.below(3)).map { _ in anyEvent() }
    }
}

/// The orders in which runs can be delivered, parents first.
struct OrderOfDelivery {
    private let runs: [OperationRun]
    /// For each run those that hold its parents.
    private let needs: [Set<Int>]

    init(_ runs: [OperationRun]) {
        self.runs = runs
        needs = runs.map { run in
            Set(
                run.parents.compactMap { parent in
                    runs.firstIndex {
                        $0.start.log == parent.log && $0.start.number <= parent.number
                            && parent.number <= $0.last.number
                    }
                }
            )
        }
    }

    mutating func random(using random: inout Seeded) -> [OperationRun] {
        var waiting = Array(runs.indices)
        var done: Set<Int> = []
        while !waiting.isEmpty {
            let ready = waiting.indices.filter { needs[waiting[$0]].isSubset(of: done) }
            let chosen = waiting.remove(at: ready[random.below(ready.count)])
            done.insert(chosen)
            order.append(chosen)
        }
        defer { order = [] }
        return order.map { runs[$0] }
    }

    private var order: [Int] = []

    /// Every order there is.
    var all: [[OperationRun]] {
        var result: [[Int]] = [[]]
        for _ in runs {
            result = result.flatMap { prefix in
                runs.indices.filter { !prefix.contains($0) && needs[$0].isSubset(of: prefix) }
                    .map { prefix + [$0] }
            }
        }
        return result.map { $0.map { runs[$0] } }
    }
}
