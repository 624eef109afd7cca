// What a trace asks of a document, worked out before anything is timed: each transaction's patches,
// author, event numbers and the events of its parents.
//
// A script can repeat its trace, for the measurement of growth. Between two repetitions one more
// step deletes the whole text, so that the history grows and the text does not:
//
//     trace -> delete everything -> trace -> delete everything -> trace
//
// The steps without parents of a repetition follow the deletion before it. If the text is kept,
// they follow the repetition before, and a repetition is typed in front of the text that is there.

import SennitDocument
import SennitReference
import SennitWire

/// A trace as calls of the editing functions.
struct Script {
    /// One transaction.
    struct Step {
        var patches: [Patch]
        var author: LogID
        var firstEvent: UInt64
        var parents: [EventID]
        /// The transaction of the trace, from 0; -1 for what the trace does not have.
        var transaction: Int
    }

    /// In causal order.
    private(set) var steps: [Step] = []
    /// How many events they make.
    private(set) var eventCount = 0
    /// Whether each step follows the one before.
    let isSequential: Bool
    /// The text at the end, if the file is right.
    let endContent: String

    private var nextEvents: [LogID: UInt64] = [:]

    /// - Parameter repetitions: How often the trace is replayed, one after another.
    /// - Parameter keepsText: Whether the text stays between two repetitions.
    init(_ trace: Trace, repetitions: Int = 1, keepsText: Bool = false) {
        isSequential = trace.kind == .sequential
        endContent = String(repeating: trace.endContent, count: keepsText ? repetitions : 1)
        steps.reserveCapacity((trace.transactions.count + 2) * repetitions)
        var tips: [EventID] = []
        for repetition in 0..<repetitions {
            if repetition > 0, !keepsText {
                let all = 0..<trace.endContent.unicodeScalars.count
                tips = append([Patch(range: all, text: "")], agent: -1, parents: tips)
            }
            if !trace.startContent.isEmpty {
                let start = Patch(range: 0..<0, text: trace.startContent)
                tips = append([start], agent: -1, parents: tips)
            }
            tips = append(trace, after: tips)
        }
    }

    /// - Returns: The versions that no other transaction follows.
    private mutating func append(_ trace: Trace, after start: [EventID]) -> [EventID] {
        var versions: [[EventID]] = []
        versions.reserveCapacity(trace.transactions.count)
        var isFollowed = [Bool](repeating: false, count: trace.transactions.count)
        for (index, transaction) in trace.transactions.enumerated() {
            let patches = transaction.patches.map { patch in
                Patch(
                    range: patch.position..<(patch.position + patch.deletedCount),
                    text: patch.text
                )
            }
            for parent in transaction.parents { isFollowed[parent] = true }
            let parents =
                transaction.parents.isEmpty
                ? start : Self.union(transaction.parents.map { versions[$0] })
            versions.append(
                append(patches, agent: transaction.agent, parents: parents, transaction: index)
            )
        }
        return Self.union(versions.indices.filter { !isFollowed[$0] }.map { versions[$0] })
    }

    /// - Returns: The version after the step; its parents if it changes nothing.
    private mutating func append(
        _ patches: [Patch],
        agent: Int,
        parents: [EventID],
        transaction: Int = -1
    ) -> [EventID] {
        let log = Trace.log(ofAgent: agent)
        let first = nextEvents[log] ?? 0
        let count = patches.reduce(0) { $0 + $1.range.count + $1.text.unicodeScalars.count }
        steps.append(
            Step(
                patches: patches,
                author: log,
                firstEvent: first,
                parents: parents,
                transaction: transaction
            )
        )
        guard count > 0 else { return parents }
        nextEvents[log] = first + UInt64(count)
        eventCount += count
        return [EventID(log: log, number: first + UInt64(count) - 1)]
    }

    private static func union(_ versions: [[EventID]]) -> [EventID] {
        versions.count == 1 ? versions[0] : Set(versions.joined()).sorted()
    }

    /// Replays all of it in one document, each step where its author stood.
    /// - Returns: The document, and the events of each step.
    func replay() throws -> (document: Document, updates: [[OperationRun]]) {
        var document = Document()
        var updates: [[OperationRun]] = []
        updates.reserveCapacity(steps.count)
        for step in steps {
            do {
                updates.append(
                    isSequential
                        ? try DocumentCalls.edit(&document, step)
                        : try DocumentCalls.editAtParents(&document, step)
                )
            } catch DocumentError.positionOutOfBounds(let position, let count) {
                throw BenchError.badTransaction(
                    index: step.transaction,
                    reason: "a patch reaches to scalar \(position) of a text of \(count)"
                )
            } catch {
                throw BenchError.badTransaction(index: step.transaction, reason: "\(error)")
            }
        }
        return (document, updates)
    }
}
