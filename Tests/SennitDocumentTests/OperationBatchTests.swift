import SennitWire
import Testing

@testable import SennitDocument

@Suite struct OperationBatchTests {
    private let document = DocumentID(value: Fixture.log(99).value)

    private func encode(_ runs: [OperationRun], logs: inout LogTable) -> [UInt8] {
        var writer = ByteWriter()
        OperationBatch(document: document, runs: runs).write(to: &writer, logs: &logs)
        return Array(writer.bytes.dropFirst(32))
    }

    private func decode(_ bytes: [UInt8], logs: inout LogTable) throws -> [OperationRun] {
        let whole = document.bytes + bytes
        return try OperationBatch(decoding: whole, author: Fixture.log(1), logs: &logs).runs
    }

    /// Runs of every kind in one batch of log 1, from event 7 on.
    private var everything: [OperationRun] {
        let contents: [OperationRun.Content] = [
            .insert(position: 5, text: "x"),
            .delete(range: 3..<4, isBackward: false),
            .delete(range: 300..<700, isBackward: true),
            .mapSet(key: "path/é", value: [1, 2, 3]),
            .mapSet(key: "", value: []),
            .mapRemove(key: "path"),
            .gather,
            .unknown(kind: 7, container: 9, eventCount: 4, bytes: [0xFF, 0]),
            .unknown(kind: .max >> 1, container: .max, eventCount: 1, bytes: []),
            .insert(position: DocumentLimits.endOfNumbers - 1, text: "漢\u{10FFFF}\r\n"),
        ]
        var runs: [OperationRun] = []
        var start = Fixture.event(1, 7)
        for (index, content) in contents.enumerated() {
            var parents = runs.last.map { [$0.last] } ?? [Fixture.event(1, 6)]
            if index == 2 { parents = [Fixture.event(0, 9), Fixture.event(1, 0)] }
            if index == 4 { parents = [] }
            if index == 6 { parents = [Fixture.event(0, 9), Fixture.event(3, 1 << 50)] }
            let run = OperationRun(start: start, parents: parents, content: content)
            start = EventID(log: start.log, number: run.last.number + 1)
            runs.append(run)
        }
        return runs
    }

    @Test func `a keystroke after one's own is five bytes and a frame`() throws {
        var logs = LogTable()
        let run = Fixture.insert("x", at: 5, Fixture.event(1, 7), after: [Fixture.event(1, 6)])
        #expect(encode([run], logs: &logs) == [7, 1, 2, 2, 5, 0x78])
        #expect(try decode([7, 1, 2, 2, 5, 0x78], logs: &logs) == [run])
    }

    @Test func `everything comes back as it was`() throws {
        var written = LogTable()
        let bytes = encode(everything, logs: &written)
        #expect(written.names == [Fixture.log(0), Fixture.log(3)])
        var read = LogTable()
        #expect(try decode(bytes, logs: &read) == everything)
        #expect(read == written)
        let again = encode(everything, logs: &written)
        #expect(again.count == bytes.count - 64)
        #expect(try decode(again, logs: &read) == everything)
    }

    @Test func `bytes that end early or go on are refused and name no log`() throws {
        var written = LogTable()
        let bytes = encode(everything, logs: &written)
        for count in 0..<bytes.count {
            var logs = LogTable()
            #expect(throws: DocumentError.self) { try decode(Array(bytes[..<count]), logs: &logs) }
            #expect(logs == LogTable(), "\(count)")
        }
        var logs = LogTable()
        let end = bytes.count + 32
        #expect(throws: DocumentError.malformed(.trailingBytes(byteOffset: end))) {
            try decode(bytes + [0], logs: &logs)
        }
    }

    @Test(arguments: UInt64(1)...20)
    func `garbage is refused or is a batch that comes back the same`(seed: UInt64) throws {
        var random = Seeded(seed: seed)
        var written = LogTable()
        let bytes = encode(everything, logs: &written)
        for _ in 0..<300 {
            var damaged = bytes
            for _ in 0...random.below(3) {
                damaged[random.below(damaged.count)] = UInt8(random.below(256))
            }
            var logs = LogTable()
            guard let runs = try? decode(damaged, logs: &logs) else { continue }
            var table = LogTable()
            #expect(encode(runs, logs: &table) == damaged, "seed \(seed)")
            var target = Document()
            _ = try? target.merge(runs)
            target.checkInvariants()
        }
    }

    @Test(arguments: [
        ("no runs", [7, 0]),
        ("parents that go without saying", [7, 1, 3, 1, 1, 2, 5, 0x78]),
        ("first event without parents", [0, 1, 2, 2, 5, 0x78]),
        ("parents that do not ascend", [7, 1, 3, 2, 1, 1, 2, 5, 0x78]),
        ("a parent before the log", [7, 1, 3, 1, 8, 2, 5, 0x78]),
        ("kind 0", [7, 1, 0, 2, 5, 0x78]),
        ("an insert of nothing", [7, 1, 2, 1, 5]),
        ("not UTF-8", [7, 1, 2, 2, 5, 0xFF]),
        ("half a surrogate pair", [7, 1, 2, 4, 5, 0xED, 0xA0, 0x80]),
        ("a deletion of nothing", [7, 1, 4, 2, 5, 0]),
        ("a deletion with more", [7, 1, 4, 3, 5, 1, 0]),
        ("a single deletion backward", [7, 1, 6, 2, 5, 1]),
        ("a gathering with a body", [7, 1, 12, 1, 0]),
        ("an unknown kind without events", [7, 1, 14, 0, 0, 0]),
        ("a varint that is not the shortest", [7, 1, 2, 3, 0x85, 0, 0x78]),
    ])
    func `other bytes for the same thing, or for nothing, are refused`(
        reason: String,
        bytes: [UInt8]
    ) throws {
        var logs = LogTable()
        #expect(throws: DocumentError.self, "\(reason)") { try decode(bytes, logs: &logs) }
    }

    @Test func `batches that were made one after another are joined`() throws {
        var text = Document()
        var batches: [OperationBatch] = []
        for (index, letter) in "hello".enumerated() {
            let patch = Patch(range: index..<index, text: String(letter))
            let number = UInt64(index)
            let runs = try text.edit([patch], author: Fixture.log(1), firstEvent: number)
            batches.append(OperationBatch(document: document, runs: runs))
        }
        let map = try text.setMap(key: "k", value: [], author: Fixture.log(1), firstEvent: 5)
        batches.append(OperationBatch(document: document, runs: map))
        batches.append(OperationBatch(document: .directory, runs: [everything[0]]))
        let joined = OperationBatch.joined(batches)
        #expect(joined.map(\.runs.count) == [2, 1])
        #expect(joined[0].runs[0].content == .insert(position: 0, text: "hello"))
        #expect(joined[0].eventCount == 6 && joined[0].firstEvent == 0 && joined[0].changesMap)
        #expect(!joined[1].changesMap && joined[1].author == Fixture.log(1))
        #expect(try Document(merging: joined[0].runs).hasSameState(as: text))
    }

    @Test func `an unknown kind is kept, has no effect and asks for an update`() throws {
        var target = Document()
        let unknown = OperationRun(
            start: Fixture.event(1, 0),
            parents: [],
            content: .unknown(kind: 20, container: 4, eventCount: 3, bytes: [9])
        )
        let after = Fixture.insert("x", at: 0, Fixture.event(1, 3), after: [Fixture.event(1, 2)])
        _ = try target.merge([unknown, after])
        target.checkInvariants()
        #expect(target.containersNeedingUpdate == [4] && target.text.string == "x")
        let decoded = try Document(decoding: target.encode())
        #expect(decoded.hasSameState(as: target) && decoded.containersNeedingUpdate == [4])
        #expect(try target.merge([unknown, after]).changes.isEmpty && target.eventCount == 4)
    }
}
