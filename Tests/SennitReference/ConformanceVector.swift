// The random event graphs of github.com/josephg/eg-walker-reference (ISC), with the text in which
// each must end.
//
//     [{"txns": [{"span": [2, 6], "parents": [1], "agent": "c", "seqStart": 0,
//                 "ops": [[0, 2, ""], [0, 0, "lf"]]}, …], "endContent": "…"}, …]
//
// Every scalar inserted or deleted is an event, and `span` counts the events of a file; parents are
// such counts. Agents are ordered by name, and so are the logs that stand for them.

import SennitWire

/// One event graph and its text.
public struct ConformanceVector: Hashable, Sendable {
    /// The graph, parents first. An author may write on several branches.
    public let operations: [TraceOperation]
    /// The text that every correct merge ends in.
    public let endContent: String

    /// Reads all vectors of a file.
    public static func all(path: String) throws(ReferenceError) -> [ConformanceVector] {
        var vectors: [ConformanceVector] = []
        for graph in try JSONFile.decode([GraphFile].self, path: path) {
            vectors.append(try ConformanceVector(graph, path: path))
        }
        return vectors
    }

    private init(_ graph: GraphFile, path: String) throws(ReferenceError) {
        var operations: [TraceOperation] = []
        var events: [EventID] = []
        for (index, transaction) in graph.txns.enumerated() {
            guard let letter = transaction.agent.utf8.first, transaction.agent.utf8.count == 1
            else {
                throw .badTransaction(path: path, index: index, reason: "an agent is one letter")
            }
            guard transaction.parents.allSatisfy(events.indices.contains) else {
                throw .badTransaction(path: path, index: index, reason: "a parent is not earlier")
            }
            var version = transaction.parents.map { events[$0] }
            var number = transaction.seqStart
            for operation in transaction.ops.flatMap(\.operations) {
                let appended = TraceOperation(
                    transaction: index,
                    author: Trace.log(ofAgent: Int(letter)),
                    firstNumber: number,
                    parents: version,
                    operation: operation
                )
                operations.append(appended)
                number += UInt64(operation.eventCount)
                version = [appended.lastEvent]
                events += appended.events
            }
            let firstEvent = events.count - Int(number - transaction.seqStart)
            guard transaction.span == [firstEvent, events.count] else {
                throw .badTransaction(path: path, index: index, reason: "the span is wrong")
            }
        }
        self.operations = operations
        endContent = graph.endContent
    }
}

private struct GraphFile: Decodable {
    let txns: [GraphTransaction]
    let endContent: String
}

private struct GraphTransaction: Decodable {
    let span: [Int]
    let parents: [Int]
    let agent: String
    let seqStart: UInt64
    let ops: [Trace.Patch]
}
