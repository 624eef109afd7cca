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
    }

    init(seed: UInt64, shape: Shape, order: ReferenceOrder = .fugueMax) {
        random = Seeded(seed: seed)
        reference = ReferenceDocument(order: order)
        nextNumbers = Array(repeating: 0, count: shape.authorCount)
        tips = Array(repeating: [], count: shape.authorCount)
        self.shape = shape
        for _ in 0..<shape.runCount { addRun() }
    }

    private mutating func addRun() {
        let author = random.below(shape.authorCount)
        let parents = makeParents(author: author)
        let count = reference.text(at: parents).unicodeScalars.count
        if random.below(8) == 0 { nextNumbers[author] += UInt64(random.below(5)) }
        let start = Fixture.event(author, nextNumbers[author])
        let run = OperationRun(start: start, parents: parents, content: makeContent(in: count))
        add(run, to: &reference)
        runs.append(run)
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

    private mutating func makeContent(in count: Int) -> OperationRun.Content {
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
            let low = random.below(count)
            let high = random.below(4) == 0 ? count : min(count, low + 1 + random.below(4))
            let isBackward = high - low > 1 && random.below(2) == 0
            return .delete(range: low..<high, isBackward: isBackward)
        }
        let isHuge = shape.hugeTextLimit > 0 && random.below(4) == 0
        let text = random.text(limit: isHuge ? shape.hugeTextLimit : shape.textLimit - 1) + "."
        let places = [0, count, count / 2, min(1, count)]
        let position = shape.isCrowded ? places[random.below(4)] : random.below(count + 1)
        return .insert(position: position, text: .init(text))
    }
}

extension RandomGraph {
    /// Adds a run to the reference, which knows no backward deletion.
    private func add(_ run: OperationRun, to reference: inout ReferenceDocument) {
        switch run.content {
        case .insert(let position, let text):
            reference.add(
                author: run.start.log,
                firstNumber: run.start.number,
                parents: run.parents,
                operation: .insert(position: position, text: text.string)
            )
        case .delete(let range, isBackward: false):
            reference.add(
                author: run.start.log,
                firstNumber: run.start.number,
                parents: run.parents,
                operation: .delete(range)
            )
        case .delete(let range, isBackward: true):
            var parents = run.parents
            for (index, position) in range.reversed().enumerated() {
                let number = run.start.number + UInt64(index)
                reference.add(
                    author: run.start.log,
                    firstNumber: number,
                    parents: parents,
                    operation: .delete(position..<(position + 1))
                )
                parents = [EventID(log: run.start.log, number: number)]
            }
        default:
            // An event without effect, which the reference has only as one that is void.
            reference.add(
                author: run.start.log,
                firstNumber: run.start.number,
                parents: run.parents,
                operation: .insert(position: .max, text: "-")
            )
        }
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
