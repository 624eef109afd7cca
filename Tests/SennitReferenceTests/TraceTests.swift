import Foundation
import SennitReference
import Testing

@Suite struct TraceTests {
    /// A file of `Tests`.
    static func file(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent(name).path
    }

    /// Writes `content` to a file, hands its path over and removes it.
    private func withFile<Result>(
        _ content: String,
        suffix: String = ".json",
        _ body: (String) throws -> Result
    ) throws -> Result {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("sennit-trace-\(UUID().uuidString)\(suffix)")
        try Data(content.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url.path)
    }

    @Test func `the public vectors of Eg-walker end in their texts`() throws {
        let vectors = try ConformanceVector.all(
            path: Self.file("Vectors/egwalker-conformance.json.gz")
        )
        #expect(vectors.count == 500)
        for (index, vector) in vectors.enumerated() {
            var document = ReferenceDocument()
            for operation in vector.operations {
                document.add(
                    author: operation.author,
                    firstNumber: operation.firstNumber,
                    parents: operation.parents,
                    operation: operation.operation
                )
            }
            #expect(document.text == vector.endContent, "vector \(index)")
        }
    }

    @Test func `two authors who typed live end in the text of the file`() throws {
        let trace = try Trace(path: Self.file("Traces/friendsforever.json.gz"))
        #expect(trace.kind == .concurrent)
        #expect(trace.agentCount == 2)
        #expect(trace.transactions.count == 26_078)
        let document = trace.replayed()
        #expect(document.text == trace.endContent)
        #expect(!document.hasConcurrentInsertsAtOnePlace)
    }

    @Test func `a sequential trace is one author after himself`() throws {
        let json = """
            {"startContent": "héy", "endContent": "hé!!", "txns": [
              {"time": "x", "patches": [[2, 1, "!"], [3, 0, "🙂"]]},
              {"patches": []},
              {"patches": [[3, 1, "!"]]}]}
            """
        let trace = try withFile(json) { try Trace(path: $0) }
        #expect(trace.kind == .sequential)
        #expect(trace.transactions.map(\.agent) == [0, 0, 0])
        #expect(trace.transactions.map(\.parents) == [[], [0], [1]])
        #expect(trace.transactions[0].patches[1] == .init(position: 3, deletedCount: 0, text: "🙂"))
        #expect(trace.replayed().text == trace.endContent)
        #expect(!trace.hasConcurrentInsertsAtOnePlace)
        #expect(trace.operations().map(\.transaction) == [-1, 0, 0, 0, 2, 2])
        #expect(trace.operations().map(\.firstNumber) == [0, 0, 1, 2, 3, 4])
    }

    @Test func `a concurrent trace merges, over transactions without effect too`() throws {
        let json = """
            {"kind": "concurrent", "endContent": "a12", "numAgents": 2, "txns": [
              {"parents": [], "agent": 1, "patches": [[0, 0, "a"]]},
              {"parents": [0], "agent": 0, "patches": [[1, 0, "1"]]},
              {"parents": [0], "agent": 1, "patches": [[1, 0, "2"]]},
              {"parents": [1, 2], "agent": 0, "patches": []},
              {"parents": [3], "agent": 0, "patches": [[3, 0, "."], [3, 1, ""]]}]}
            """
        let trace = try withFile(json) { try Trace(path: $0) }
        #expect(trace.replayed().text == trace.endContent)
        #expect(trace.hasConcurrentInsertsAtOnePlace)
        #expect(trace.operations()[3].parents.count == 2)
    }

    @Test(arguments: [
        ("[", "is not a trace"),
        ("{}", "is not a trace"),
        (#"{"endContent": "", "txns": [{"patches": [[0, 0]]}]}"#, "txns.0.patches.0"),
        (#"{"endContent": "", "txns": [{"patches": [[0, -1, ""]]}]}"#, "is negative"),
        (#"{"endContent": "", "txns": [{"patches": [[300000000, 0, ""]]}]}"#, "too large"),
        (#"{"kind": "odd", "endContent": "", "txns": []}"#, "the kind odd is unknown"),
        (#"{"kind": "concurrent", "endContent": "", "txns": []}"#, "numAgents"),
        (
            #"{"kind": "concurrent", "numAgents": 1, "endContent": "", "txns": [{"patches": []}]}"#,
            "transaction 0: the agent is missing"
        ),
        (
            #"""
            {"kind": "concurrent", "numAgents": 1, "endContent": "",
             "txns": [{"agent": 0, "patches": []}]}
            """#,
            "transaction 0: the parents are missing"
        ),
        (
            #"""
            {"kind": "concurrent", "numAgents": 1, "endContent": "",
             "txns": [{"agent": 1, "parents": [], "patches": []}]}
            """#,
            "transaction 0: there is no agent 1"
        ),
        (
            #"""
            {"kind": "concurrent", "numAgents": 1, "endContent": "",
             "txns": [{"agent": 0, "parents": [0], "patches": []}]}
            """#,
            "transaction 0: a parent is not an earlier transaction"
        ),
    ])
    func `a broken trace is refused with a reason`(json: String, reason: String) throws {
        let error = try withFile(json) { path in
            #expect(throws: ReferenceError.self) { try Trace(path: path) }
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains(reason))
    }

    @Test func `a file that is missing or not gzip is refused`() throws {
        for name in ["missing.json", "missing.json.gz"] {
            let error = #expect(throws: ReferenceError.self) { try Trace(path: Self.file(name)) }
            guard case .unreadable = error else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
        }
        _ = try withFile("not gzip", suffix: ".json.gz") { path in
            #expect(throws: ReferenceError.notGzip(path: path)) { try Trace(path: path) }
        }
    }
}
