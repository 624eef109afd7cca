import SennitReference
import SennitWire

/// A generator of numbers that a seed replays (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// An operation with its place in a graph.
struct GraphOperation {
    let author: LogID
    let firstNumber: UInt64
    let parents: [EventID]
    let operation: ReferenceOperation

    var events: [EventID] {
        (0..<operation.eventCount).map { EventID(log: author, number: firstNumber + UInt64($0)) }
    }
}

extension ReferenceDocument {
    mutating func add(_ operation: GraphOperation) {
        add(
            author: operation.author,
            firstNumber: operation.firstNumber,
            parents: operation.parents,
            operation: operation.operation
        )
    }

    /// Adds an insertion and returns its last event.
    mutating func insert(
        _ text: String,
        at position: Int,
        by author: LogID,
        _ number: UInt64,
        after parents: EventID...
    ) -> EventID {
        let insertion = ReferenceOperation.insert(position: position, text: text)
        add(author: author, firstNumber: number, parents: parents, operation: insertion)
        return EventID(log: author, number: number + UInt64(insertion.eventCount) - 1)
    }

    /// Adds a deletion and returns its last event.
    mutating func delete(
        _ range: Range<Int>,
        by author: LogID,
        _ number: UInt64,
        after parents: EventID...
    ) -> EventID {
        add(author: author, firstNumber: number, parents: parents, operation: .delete(range))
        return EventID(log: author, number: number + UInt64(range.count) - 1)
    }
}

/// Logs in ascending order.
enum Logs {
    static let a = Trace.log(ofAgent: 0)
    static let b = Trace.log(ofAgent: 1)
    static let c = Trace.log(ofAgent: 2)
    static let d = Trace.log(ofAgent: 3)
}

/// A random graph of three authors: branches, merges, parents in the middle of operations, gaps in
/// the numbers, authors on several branches at once, and a few impossible positions. In every
/// second graph most insertions crowd at the start of the text, so that siblings are many.
func randomGraph(operationCount: Int, seed: UInt64) -> [GraphOperation] {
    var generator = SeededGenerator(seed: seed)
    let isCrowded = seed.isMultiple(of: 2)
    var graph: [GraphOperation] = []
    var document = ReferenceDocument()
    var events: [EventID] = []
    var nextNumbers = [UInt64](repeating: 0, count: 3)
    for _ in 0..<operationCount {
        var parents: [EventID] = []
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            // Mostly late events, so that branches grow and merge.
            let late = events.suffix(Bool.random(using: &generator) ? 4 : events.count)
            if let parent = late.randomElement(using: &generator), !parents.contains(parent) {
                parents.append(parent)
            }
        }
        let length = document.text(at: parents).unicodeScalars.count
        let isVoid = Int.random(in: 0..<20, using: &generator) == 0
        let operation: ReferenceOperation
        if length > 0, Int.random(in: 0..<10, using: &generator) < (isCrowded ? 1 : 3) {
            let start = Int.random(in: 0..<length, using: &generator)
            let end = min(length, start + Int.random(in: 1...3, using: &generator))
            operation = .delete(start..<(isVoid ? length + 1 : end))
        } else {
            let last = isCrowded ? min(length, 2) : length
            let position = isVoid ? length + 1 : Int.random(in: 0...last, using: &generator)
            let count = isCrowded ? 1 : Int.random(in: 1...3, using: &generator)
            let letters = (0..<count).map { _ in
                Character(Unicode.Scalar(UInt8.random(in: 97...122, using: &generator)))
            }
            operation = .insert(position: position, text: String(letters))
        }
        let agent = Int.random(in: 0..<3, using: &generator)
        let gap = UInt64(Int.random(in: 0..<8, using: &generator) == 0 ? 2 : 0)
        let added = GraphOperation(
            author: Trace.log(ofAgent: agent),
            firstNumber: nextNumbers[agent] + gap,
            parents: parents,
            operation: operation
        )
        nextNumbers[agent] = added.firstNumber + UInt64(operation.eventCount)
        document.add(added)
        graph.append(added)
        events += added.events
    }
    return graph
}

/// The same graph in another causal order.
func reordered(_ graph: [GraphOperation], seed: UInt64) -> [GraphOperation] {
    var generator = SeededGenerator(seed: seed)
    var rest = graph
    var known: Set<EventID> = []
    var order: [GraphOperation] = []
    while !rest.isEmpty {
        let ready = rest.indices.filter { rest[$0].parents.allSatisfy(known.contains) }
        guard let index = ready.randomElement(using: &generator) else { return order }
        known.formUnion(rest[index].events)
        order.append(rest.remove(at: index))
    }
    return order
}
