extension Trace {
    /// Reads a trace from a file: gzip if its name ends in `.gz`, which takes `gzip` in the search
    /// path, else plain JSON. A file of more than 256 MiB, packed or unpacked, is refused.
    public init(path: String) throws(ReferenceError) {
        try self.init(try JSONFile.decode(TraceFile.self, path: path), path: path)
    }

    private init(_ file: TraceFile, path: String) throws(ReferenceError) {
        let kind: Kind
        switch file.kind {
        case nil: kind = .sequential
        case "concurrent": kind = .concurrent
        case let other?: throw .notTrace(path: path, reason: "the kind \(other) is unknown")
        }
        let agentCount = kind == .sequential ? 1 : file.numAgents ?? 0
        guard (1...Int(UInt16.max)).contains(agentCount) else {
            throw .notTrace(path: path, reason: "numAgents is not from 1 to 65535")
        }
        var transactions: [Transaction] = []
        transactions.reserveCapacity(file.txns.count)
        for (index, entry) in file.txns.enumerated() {
            do {
                transactions.append(
                    kind == .sequential
                        ? Transaction(
                            agent: 0,
                            parents: index == 0 ? [] : [index - 1],
                            patches: entry.patches
                        )
                        : try Transaction(entry, index: index, agentCount: agentCount)
                )
            } catch {
                throw .badTransaction(path: path, index: index, reason: error.reason)
            }
        }
        self.init(
            kind: kind,
            startContent: file.startContent ?? "",
            endContent: file.endContent,
            agentCount: agentCount,
            transactions: transactions
        )
    }
}

extension Trace.Transaction {
    /// A transaction of a concurrent trace, which must name its agent and earlier parents.
    fileprivate init(_ entry: TraceEntry, index: Int, agentCount: Int) throws(Refusal) {
        guard let agent = entry.agent else { throw Refusal(reason: "the agent is missing") }
        guard let parents = entry.parents else { throw Refusal(reason: "the parents are missing") }
        guard (0..<agentCount).contains(agent) else {
            throw Refusal(reason: "there is no agent \(agent)")
        }
        guard parents.allSatisfy((0..<index).contains) else {
            throw Refusal(reason: "a parent is not an earlier transaction")
        }
        self.init(agent: agent, parents: parents, patches: entry.patches)
    }
}

private struct Refusal: Error {
    let reason: String
}

/// The JSON of both shapes.
private struct TraceFile: Decodable {
    let kind: String?
    let startContent: String?
    let endContent: String
    let numAgents: Int?
    let txns: [TraceEntry]
}

private struct TraceEntry: Decodable {
    let parents: [Int]?
    let agent: Int?
    let patches: [Trace.Patch]
}

extension Trace.Patch: Decodable {
    /// Reads `[position, deleted count, inserted text]`.
    public init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        position = try container.decode(Int.self)
        deletedCount = try container.decode(Int.self)
        text = try container.decode(String.self)
        // No text is that long, and a sum of two such numbers cannot overflow.
        let sensible = 0...JSONFile.byteCountLimit
        guard sensible.contains(position), sensible.contains(deletedCount) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "a position or count is negative or too large"
            )
        }
    }
}
