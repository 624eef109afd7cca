import SennitWire
import Testing

@testable import SennitDocument

@Suite struct DocumentEncodingTests {
    /// A document with something of every kind in it.
    private func makeDocument(seed: UInt64) throws -> (document: Document, rest: [OperationRun]) {
        let graph = RandomGraph(seed: seed, shape: RandomGraph.Shape.all[2])
        var document = try Document(merging: Array(graph.runs.prefix(24)))
        let log = Fixture.log(50)
        _ = try document.setMap(key: "a", value: [1], author: log, firstEvent: 0)
        _ = try document.removeMap(key: "b", author: log, firstEvent: 1)
        let start = Fixture.event(51, 0)
        let content = OperationRun.Content.unknown(
            kind: 7,
            container: 1,
            eventCount: 2,
            bytes: [1]
        )
        _ = try document.merge([OperationRun(start: start, parents: [], content: content)])
        return (document, Array(graph.runs.dropFirst(24)))
    }

    @Test(arguments: UInt64(1)...20)
    func `a decoded document goes on like the one that was encoded`(seed: UInt64) throws {
        var (document, rest) = try makeDocument(seed: seed)
        var decoded = try Document(decoding: document.encode())
        var trusted = try Document(decoding: document.encode(), isTrusted: true)
        decoded.checkInvariants()
        #expect(decoded.hasSameState(as: document) && decoded.encode() == document.encode())
        for run in rest {
            let result = try document.merge([run])
            #expect(try decoded.merge([run]) == result, "seed \(seed)")
            #expect(try trusted.merge([run]) == result, "seed \(seed)")
        }
        trusted.checkInvariants()
        #expect(decoded.hasSameState(as: document) && trusted.hasSameState(as: document))
    }

    @Test func `an empty document is encoded too`() throws {
        let decoded = try Document(decoding: Document().encode())
        #expect(decoded.hasSameState(as: Document()) && decoded.eventCount == 0)
    }

    @Test func `bytes that end early or go on are refused`() throws {
        let bytes = try makeDocument(seed: 1).document.encode()
        for count in 0..<bytes.count {
            #expect(throws: DocumentError.self) { try Document(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: DocumentError.malformed(.trailingBytes(byteOffset: bytes.count))) {
            try Document(decoding: bytes + [0])
        }
        #expect(throws: DocumentError.self) { try Document(decoding: []) }
    }

    @Test(arguments: UInt64(1)...20)
    func `damage is refused or gives a sound document`(seed: UInt64) throws {
        var random = Seeded(seed: seed)
        let (document, rest) = try makeDocument(seed: seed)
        let bytes = document.encode()
        var refused = 0
        for _ in 0..<200 {
            var damaged = bytes
            for _ in 0...random.below(3) {
                damaged[random.below(damaged.count)] = UInt8(random.below(256))
            }
            guard var decoded = try? Document(decoding: damaged) else {
                refused += 1
                continue
            }
            decoded.checkInvariants()
            for run in rest { _ = try? decoded.merge([run]) }
            decoded.checkInvariants()
        }
        #expect(refused > 100, "seed \(seed)")
    }

    @Test func `a text that its history does not give is refused`() throws {
        var document = Document()
        _ = try document.edit(
            [Patch(range: 0..<0, text: "truth")],
            author: Fixture.log(0),
            firstEvent: 0
        )
        var other = Document()
        _ = try other.edit(
            [Patch(range: 0..<0, text: "lies!")],
            author: Fixture.log(0),
            firstEvent: 0
        )
        var writer = ByteWriter()
        writer.write(UInt8(2))
        writer.writeBlob(other.encodeHead())
        writer.writeVarint(1)
        writer.writeBlob(document.encodeChunk())
        #expect(throws: DocumentError.textDiffersFromHistory) {
            try Document(decoding: writer.bytes)
        }
    }

    @Test(arguments: UInt64(1)...30)
    func `a document at rest goes on, and asks for its history when it needs it`(
        seed: UInt64
    ) throws {
        let (whole, rest) = try makeDocument(seed: seed)
        var random = Seeded(seed: seed)
        var chunks = [whole.encodeChunk()]
        var resting = try Document(head: whole.encodeHead())
        var expected = whole
        var asked = 0
        for (index, run) in rest.enumerated() {
            let result = try expected.merge([run])
            if let answer = try? resting.merge([run]) {
                #expect(answer == result, "seed \(seed)")
            } else {
                asked += 1
                #expect(throws: DocumentError.historyNeeded) { try resting.merge([run]) }
                try resting.attach(history: chunks)
                #expect(try resting.merge([run]) == result, "seed \(seed)")
            }
            resting.checkInvariants()
            #expect(resting.hasSameState(as: expected), "seed \(seed) run \(index)")
            #expect(resting.eventCount == expected.eventCount)
            guard random.below(3) == 0 else { continue }
            chunks = [expected.encodeChunk()]
            resting.rest()
            #expect(!resting.hasHistory && resting.hasSameState(as: expected))
        }
        #expect(asked > 0, "seed \(seed)")
        try resting.attach(history: chunks)
        #expect(resting.hasHistory && resting.hasSameState(as: expected))
        #expect(try resting.text(at: whole.frontier) == whole.text.string)
    }

    @Test(arguments: UInt64(1)...10)
    func `a state that is written again keeps its chunks`(seed: UInt64) throws {
        var (document, rest) = try makeDocument(seed: seed)
        var opened = try Document(decoding: document.encode(), isTrusted: true)
        for (index, run) in rest.enumerated() {
            _ = try document.merge([run])
            _ = try opened.merge([run])
            if index % 5 == 4 {
                opened = try Document(decoding: opened.encode(), isTrusted: true)
            }
        }
        let read = try Document(decoding: opened.encode())
        read.checkInvariants()
        #expect(read.hasSameState(as: document), "seed \(seed)")
        #expect(Set(read.frontier) == Set(document.frontier))
    }

    @Test func `chunks of another document are refused`() throws {
        let document = try makeDocument(seed: 1).document
        let other = try makeDocument(seed: 2).document
        var resting = try Document(head: document.encodeHead())
        #expect(throws: DocumentError.self) {
            try resting.attach(history: [other.encodeChunk()])
        }
        #expect(!resting.hasHistory && resting.text == document.text)
        try resting.attach(history: [document.encodeChunk()])
        #expect(resting.hasSameState(as: document))
    }

    @Test(arguments: UInt64(1)...10)
    func `a chunk that is merged gives the document it was made of`(seed: UInt64) throws {
        let (document, _) = try makeDocument(seed: seed)
        var merged = Document()
        try merged.merge(chunk: document.encodeChunk(isThorough: seed.isMultiple(of: 2)))
        merged.checkInvariants()
        #expect(merged.hasSameState(as: document), "seed \(seed)")
    }

    /// Its merge state is let go before the text is made, and what it found must not be.
    @Test(arguments: [0, 1_499, 1_500, 2_999])
    func `a wrong verdict in a large stretch is refused and changes nothing`(place: Int) throws {
        let base = Fixture.insert(String(repeating: "a", count: 4_000), at: 0, Fixture.event(0, 0))
        let tip = Fixture.event(0, 3_999)
        var runs: [OperationRun] = []
        for author in 1...2 {
            for number in 0..<1_500 {
                let position = (author - 1) * 2_000 + 2 * number + 1
                let parent = number == 0 ? tip : Fixture.event(author, UInt64(number) - 1)
                let start = Fixture.event(author, UInt64(number))
                runs.append(Fixture.insert("x", at: position, start, after: [parent]))
            }
        }
        let document = try Document(merging: [base] + runs)
        let spanCount = try #require(document.branch.state).tracker.spans.count
        #expect(spanCount > 4_096, "The stretch is a large one.")
        let before = try Document(merging: [base])
        // The base is long, so it is stored as several operations.
        let firstOperation = before.history.operations.operationCount
        var forged = document
        forged.history.markVoid(operationIndex: firstOperation + place)

        var merged = before
        #expect(throws: DocumentError.textDiffersFromHistory) {
            try merged.merge(chunk: forged.encodeChunk(from: before.eventCount))
        }
        merged.checkInvariants()
        #expect(merged.hasSameState(as: before) && merged.encode() == before.encode())
        try merged.merge(chunk: document.encodeChunk(from: before.eventCount))
        #expect(merged.hasSameState(as: document))
    }
}
