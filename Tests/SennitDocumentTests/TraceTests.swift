import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

/// Real editing histories. See Tests/Traces/README.md for where they are from.
@Suite struct TraceTests {
    @Test func `two people who typed live end in their text, however it arrives`() throws {
        guard let trace = try Fixture.trace("friendsforever") else { return }
        let runs = trace.operations().map(Fixture.run)
        let batch = try Document(merging: runs)
        batch.checkInvariants()
        #expect(batch.text.string.bytes == trace.endContent.bytes)
        var live = Document()
        var text = Rope()
        for run in runs {
            for patch in try live.merge([run]).changes { text.apply(patch) }
        }
        live.checkInvariants()
        #expect(live.hasSameState(as: batch) && text == batch.text)
        var decoded = try Document(decoding: live.encode())
        #expect(decoded.hasSameState(as: batch))
        #expect(try decoded.merge(runs).changes.isEmpty)
    }

    @Test func `edits at the versions of their authors end in the same text`() throws {
        guard let trace = try Fixture.trace("friendsforever") else { return }
        var document = Document()
        var text = Rope()
        for operation in trace.operations().prefix(8000) {
            let (runs, changes) = try document.edit(
                [Patch(operation.operation)],
                at: operation.parents,
                author: operation.author,
                firstEvent: operation.firstNumber
            )
            #expect(runs.count == 1 && runs[0].start.number == operation.firstNumber)
            for change in changes { text.apply(change) }
        }
        document.checkInvariants()
        let runs = trace.operations().prefix(8000).map(Fixture.run)
        #expect(document.hasSameState(as: try Document(merging: runs)) && text == document.text)
    }

    @Test func `one author's keystrokes end in his text`() throws {
        guard let trace = try Fixture.trace("automerge-paper") else { return }
        var document = Document()
        var number: UInt64 = 0
        var sent: [OperationRun] = []
        let log = Fixture.log(0)
        for start in stride(from: 0, to: trace.transactions.count, by: 50) {
            let end = min(start + 50, trace.transactions.count)
            let patches = trace.transactions[start..<end].flatMap(\.patches).map(Patch.init)
            let runs = try document.edit(patches, author: log, firstEvent: number)
            number += UInt64(runs.reduce(0) { $0 + $1.eventCount })
            sent += runs
        }
        #expect(document.text.string.bytes == trace.endContent.bytes)
        #expect(document.history.operations.operationCount < 11_000)
        #expect(try Document(merging: sent).hasSameState(as: document))
    }

    @Test func `long offline branches end as in the slow implementation`() throws {
        guard let trace = try Fixture.trace("git-makefile") else { return }
        let document = try Document(merging: trace.operations().map(Fixture.run))
        // FNV-1a of the text that ReferenceDocument gives for this trace.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in document.text.string.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        #expect(document.text.scalarCount == 227_352 && hash == 0x85DB_3C77_99C6_8A4D)
    }
}

extension Patch {
    init(_ patch: Trace.Patch) {
        let end = patch.position + patch.deletedCount
        self.init(range: patch.position..<end, text: patch.text)
    }

    init(_ operation: ReferenceOperation) {
        switch operation {
        case .insert(let position, let text): self.init(range: position..<position, text: text)
        case .delete(let range): self.init(range: range, text: "")
        }
    }
}
