import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

/// A person with a document and what may be undone in it.
private struct Writer {
    let log: LogID
    var document = Document()
    var stack = UndoStack()
    var nextNumber: UInt64 = 0
    /// All that is known here, ancestors first.
    var runs: [OperationRun] = []
    private var known: Set<EventID> = []
    var now = Duration.zero

    init(_ index: Int) { log = Fixture.log(index) }

    mutating func edit(_ patches: [Patch]) throws {
        let made = try document.edit(patches, author: log, firstEvent: nextNumber)
        stack.record(made, as: patches, at: now)
        note(made)
    }

    mutating func type(_ text: String, at position: Int) throws {
        for (index, scalar) in text.unicodeScalars.enumerated() {
            let place = position + index
            try edit([Patch(range: place..<place, text: String(scalar))])
        }
    }

    @discardableResult
    mutating func undo() throws -> [Patch] {
        let (made, changes) = try document.undo(&stack, author: log, firstEvent: nextNumber)
        note(made)
        return changes
    }

    @discardableResult
    mutating func redo() throws -> [Patch] {
        let (made, changes) = try document.redo(&stack, author: log, firstEvent: nextNumber)
        note(made)
        return changes
    }

    mutating func receive(_ others: Writer) throws {
        let result = try document.merge(others.runs)
        stack.receive(result.changes)
        for run in others.runs where known.insert(run.start).inserted { runs.append(run) }
    }

    private mutating func note(_ made: [OperationRun]) {
        runs += made
        known.formUnion(made.map(\.start))
        for run in made { nextNumber = max(nextNumber, run.last.number + 1) }
    }

    var text: String { document.text.string }

    /// The visible scalars of a log, as events.
    mutating func visible(of log: LogID) throws -> [EventID] {
        try document.authorship(of: 0..<document.text.scalarCount).flatMap { piece in
            (0..<piece.range.count).map {
                EventID(log: piece.first.log, number: piece.first.number + UInt64($0))
            }
        }
        .filter { $0.log == log }
    }
}

@Suite struct UndoStackTests {
    @Test func `words, pauses and jumps begin a group`() throws {
        var writer = Writer(0)
        try writer.type("one two", at: 0)
        writer.now += .seconds(5)
        try writer.type("!", at: 7)
        try writer.type("-", at: 0)
        #expect(writer.text == "-one two!")
        var texts: [String] = []
        while try !writer.undo().isEmpty { texts.append(writer.text) }
        #expect(texts == ["one two!", "one two", "one ", ""])
        texts = []
        while try !writer.redo().isEmpty { texts.append(writer.text) }
        #expect(texts == ["one ", "one two", "one two!", "-one two!"])
        #expect(!writer.stack.canRedo && writer.stack.canUndo)
    }

    @Test func `what is erased in place is one group, in either direction`() throws {
        var writer = Writer(0)
        try writer.edit([Patch(range: 0..<0, text: "abcdef")])
        for position in [5, 4] {
            try writer.edit([.init(range: position..<position + 1, text: "")])
        }
        try writer.edit([.init(range: 0..<1, text: "")])
        try writer.edit([.init(range: 0..<1, text: "")])
        #expect(writer.text == "cd")
        try writer.undo()
        #expect(writer.text == "abcd")
        try writer.undo()
        #expect(writer.text == "abcdef")
    }

    @Test func `an undo of deleting comes back where it was, among what others wrote`() throws {
        var ada = Writer(0)
        var bob = Writer(1)
        try ada.edit([Patch(range: 0..<0, text: "one two three")])
        try bob.receive(ada)
        try ada.edit([Patch(range: 4..<8, text: "")])
        try bob.edit([Patch(range: 0..<0, text: "zero ")])
        try ada.receive(bob)
        #expect(ada.text == "zero one three")
        try ada.undo()
        #expect(ada.text == "zero one two three")
        try ada.redo()
        #expect(ada.text == "zero one three")
    }

    @Test func `what another deleted too stays deleted`() throws {
        var ada = Writer(0)
        var bob = Writer(1)
        try ada.edit([Patch(range: 0..<0, text: "abcd")])
        try bob.receive(ada)
        try ada.edit([Patch(range: 1..<3, text: "")])
        try bob.edit([Patch(range: 2..<4, text: "")])
        try ada.receive(bob)
        #expect(ada.text == "a")
        try ada.undo()
        #expect(ada.text == "ab")
    }

    @Test func `undoing what was typed takes its copies too`() throws {
        var writer = Writer(0)
        try writer.edit([Patch(range: 0..<0, text: "ab")])
        try writer.edit([Patch(range: 1..<2, text: "")])
        try writer.undo()
        #expect(writer.text == "ab")
        try writer.undo()
        #expect(writer.text == "")
        try writer.redo()
        try writer.redo()
        #expect(writer.text == "a")
    }

    @Test func `a new edit ends what may be redone`() throws {
        var writer = Writer(0)
        try writer.edit([Patch(range: 0..<0, text: "ab")])
        try writer.undo()
        try writer.edit([Patch(range: 0..<0, text: "x")])
        #expect(try writer.redo().isEmpty && writer.text == "x")
        #expect(!writer.stack.canRedo)
    }

    @Test(arguments: UInt64(0)..<150)
    func `undo never takes away what others wrote, and redo brings back what undo took`(
        seed: UInt64
    ) throws {
        var random = Seeded(seed: seed)
        var writers = [Writer(0), Writer(1), Writer(2)]
        for _ in 0..<60 {
            let who = random.below(writers.count)
            writers[who].now += .milliseconds(random.below(1500))
            switch random.below(9) {
            case 0, 1:
                try writers[who].receive(writers[random.below(writers.count)])
            case 2, 3:
                let isUndo = random.below(3) > 0
                let others = try writers.indices.filter { $0 != who }
                    .map { try writers[who].visible(of: Fixture.log($0)) }
                let before = writers[who].text
                let changes = try isUndo ? writers[who].undo() : writers[who].redo()
                let after = try writers.indices.filter { $0 != who }
                    .map { try writers[who].visible(of: Fixture.log($0)) }
                // Redo may delete what one's first edit had deleted.
                if isUndo {
                    #expect(
                        zip(others, after).allSatisfy { Set($0).isSubset(of: $1) },
                        "seed \(seed)"
                    )
                }
                if changes.isEmpty || random.below(2) == 0 { continue }
                _ = try isUndo ? writers[who].redo() : writers[who].undo()
                #expect(writers[who].text.bytes == before.bytes, "seed \(seed)")
            case 4:
                // As after a restart.
                let stack = try UndoStack(decoding: writers[who].stack.encode())
                writers[who].stack.close()
                #expect(stack == writers[who].stack, "seed \(seed)")
                writers[who].document = try Document(
                    decoding: writers[who].document.encode(),
                    isTrusted: true
                )
            default: try edit(&writers[who], &random)
            }
        }
        for index in writers.indices {
            for other in writers.indices { try writers[index].receive(writers[other]) }
        }
        #expect(writers.allSatisfy { $0.document.hasSameState(as: writers[0].document) })
    }

    @Test(arguments: UInt64(0)..<60)
    func `alone, all can be undone and done again`(seed: UInt64) throws {
        var random = Seeded(seed: seed)
        var writer = Writer(0)
        var texts: [[UInt8]] = []
        for _ in 0..<30 {
            writer.stack.close()
            try edit(&writer, &random)
            texts.append(writer.text.bytes)
        }
        for text in texts.dropLast().reversed() {
            try writer.undo()
            #expect(writer.text.bytes == text, "seed \(seed)")
        }
        try writer.undo()
        #expect(writer.text == "" && !writer.stack.canUndo, "seed \(seed)")
        for text in texts {
            try writer.redo()
            #expect(writer.text.bytes == text, "seed \(seed)")
        }
    }

    @Test func `bytes that are no stack are refused, and a forged one does no harm`() throws {
        var writer = Writer(0)
        try writer.type("a word", at: 0)
        try writer.undo()
        let bytes = writer.stack.encode()
        for count in bytes.indices {
            #expect(throws: DocumentError.self) { try UndoStack(decoding: Array(bytes[..<count])) }
        }
        for index in bytes.indices {
            for value: UInt8 in [0, 1, 2, 0x7F, 0x80, 0xFF] {
                var forged = bytes
                forged[index] = value
                guard let stack = try? UndoStack(decoding: forged) else { continue }
                var other = writer
                other.stack = stack
                _ = try? other.undo()
                _ = try? other.redo()
                other.document.checkInvariants()
            }
        }
    }

    private func edit(_ writer: inout Writer, _ random: inout Seeded) throws {
        let count = writer.document.text.scalarCount
        let low = random.below(count + 1)
        let high = random.below(3) == 0 ? min(count, low + random.below(5)) : low
        let text = random.below(4) == 0 ? "" : random.text(limit: 4)
        if low == high, text.isEmpty {
            return try writer.edit([.init(range: low..<low, text: "+")])
        }
        try writer.edit([Patch(range: low..<high, text: text)])
    }
}
