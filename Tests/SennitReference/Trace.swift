// Real editing histories from files, as github.com/josephg/editing-traces publishes them.
//
// A sequential trace is a list of transactions by one author:
//
//     {"startContent": "", "endContent": "…", "txns": [{"patches": [[0, 0, "a"], …]}, …]}
//
// A concurrent one names for each transaction its author and the transactions it follows:
//
//     {"kind": "concurrent", "endContent": "…", "numAgents": 2,
//      "txns": [{"parents": [0], "agent": 1, "patches": [[1, 0, "b"]]}, …]}
//
// A patch [position, deleted count, inserted text] first deletes, then inserts at the same
// position; both are Unicode scalars after the patches before it. Other fields are ignored.

public import SennitWire

/// An editing history: what was typed, in which order, and what came out.
public struct Trace: Hashable, Sendable {
    /// Which of the two shapes a file has.
    public enum Kind: Hashable, Sendable {
        /// One author, each transaction after the one before.
        case sequential
        /// Transactions name their authors and parents.
        case concurrent
    }

    /// Some scalars deleted, then some inserted, at one position in Unicode scalars.
    public struct Patch: Hashable, Sendable {
        /// Where, counted in Unicode scalars.
        public let position: Int
        /// How many Unicode scalars after the position are deleted.
        public let deletedCount: Int
        /// What is inserted instead.
        public let text: String

        /// A patch from its parts.
        public init(position: Int, deletedCount: Int, text: String) {
            self.position = position
            self.deletedCount = deletedCount
            self.text = text
        }

        /// The patch as a deletion, an insertion, or both; none if it changes nothing.
        public var operations: [ReferenceOperation] {
            let both: [ReferenceOperation] = [
                .delete(position..<position + deletedCount),
                .insert(position: position, text: text),
            ]
            return both.filter { $0.eventCount > 0 }
        }
    }

    /// What one author did in one go.
    public struct Transaction: Hashable, Sendable {
        /// Who, from 0.
        public let agent: Int
        /// The indexes of the transactions that this one follows; all are smaller than its own.
        public let parents: [Int]
        /// What, one after the other.
        public let patches: [Patch]

        /// A transaction from its parts.
        public init(agent: Int, parents: [Int], patches: [Patch]) {
            self.agent = agent
            self.parents = parents
            self.patches = patches
        }
    }

    /// The shape of the file.
    public let kind: Kind
    /// The text before the first transaction.
    public let startContent: String
    /// The text after the last one, as the file has it. See `hasConcurrentInsertsAtOnePlace`.
    public let endContent: String
    /// How many authors there are; every agent is below it.
    public let agentCount: Int
    /// What happened, parents first.
    public let transactions: [Transaction]

    /// A trace from its parts, which keep the rules stated at each property.
    public init(
        kind: Kind,
        startContent: String,
        endContent: String,
        agentCount: Int,
        transactions: [Transaction]
    ) {
        self.kind = kind
        self.startContent = startContent
        self.endContent = endContent
        self.agentCount = agentCount
        self.transactions = transactions
    }
}

/// One operation of a trace, as the merge takes it.
public struct TraceOperation: Hashable, Sendable {
    /// The index of the transaction it belongs to; -1 for the one that inserts the start content.
    public let transaction: Int
    /// The log of the transaction's agent.
    public let author: LogID
    /// The number of its first event; each author's numbers are consecutive.
    public let firstNumber: UInt64
    /// The events it follows.
    public let parents: [EventID]
    /// What it does; never nothing.
    public let operation: ReferenceOperation

    /// Its events, in order; never none.
    public var events: [EventID] {
        (0..<operation.eventCount).map { EventID(log: author, number: firstNumber + UInt64($0)) }
    }

    /// The last of its events, on which the next operation of the transaction stands.
    public var lastEvent: EventID {
        EventID(log: author, number: firstNumber + UInt64(operation.eventCount) - 1)
    }
}

extension Trace {
    /// The log of an agent, ascending with it. Agent -1 writes the start content.
    public static func log(ofAgent agent: Int) -> LogID {
        // 32 bytes: 24 zeros and the number, big-endian, plus one.
        let number = UInt64(agent + 1)
        let shifts = stride(from: UInt64(56), through: 0, by: -8)
        let bytes =
            [UInt8](repeating: 0, count: 24)
            + shifts.map { UInt8(truncatingIfNeeded: number >> $0) }
        guard let value = Bytes32(bytes) else { preconditionFailure("a log id has 32 bytes") }
        return LogID(value: value)
    }

    /// The trace as operations, parents first.
    ///
    /// A patch becomes a deletion, an insertion, or both. A transaction that changes nothing has no
    /// operation; those that follow it follow its parents.
    /// - Parameter log: the log of each agent; agent -1 writes the start content.
    /// - Complexity: O(n).
    public func operations(log: (Int) -> LogID = Trace.log(ofAgent:)) -> [TraceOperation] {
        var operations: [TraceOperation] = []
        var nextNumbers: [LogID: UInt64] = [:]
        var versions: [[EventID]] = []
        let logs = (-1..<agentCount).map(log)

        /// Appends an operation and makes it the version.
        func append(
            _ operation: ReferenceOperation,
            _ transaction: Int,
            _ agent: Int,
            to version: inout [EventID]
        ) {
            let author = logs[agent + 1]
            let first = nextNumbers[author, default: 0]
            nextNumbers[author] = first + UInt64(operation.eventCount)
            let appended = TraceOperation(
                transaction: transaction,
                author: author,
                firstNumber: first,
                parents: version,
                operation: operation
            )
            operations.append(appended)
            version = [appended.lastEvent]
        }

        var start: [EventID] = []
        let startPatch = Patch(position: 0, deletedCount: 0, text: startContent)
        for operation in startPatch.operations { append(operation, -1, -1, to: &start) }
        for (index, transaction) in transactions.enumerated() {
            var version = transaction.parents.isEmpty ? start : []
            for parent in transaction.parents {
                for event in versions[parent] where !version.contains(event) {
                    version.append(event)
                }
            }
            for operation in transaction.patches.flatMap(\.operations) {
                append(operation, index, transaction.agent, to: &version)
            }
            versions.append(version)
        }
        return operations
    }

    /// The whole trace replayed by the slow and obvious method.
    public func replayed(order: ReferenceOrder = .fugueMax) -> ReferenceDocument {
        var document = ReferenceDocument(order: order)
        for operation in operations() {
            document.add(
                author: operation.author,
                firstNumber: operation.firstNumber,
                parents: operation.parents,
                operation: operation.operation
            )
        }
        return document
    }

    /// Whether events that did not know each other inserted at one place. If none did, every
    /// correct merge must end in `endContent`; if any did, the end is a matter of the order among
    /// authors, which the file does not carry, and only a replay by the same rules can be compared.
    ///
    /// Replays the trace. A caller that has the replayed document asks that.
    public var hasConcurrentInsertsAtOnePlace: Bool {
        replayed().hasConcurrentInsertsAtOnePlace
    }
}
