import CHeapCount
import SennitWire
import Testing

@testable import SennitDocument

@Suite struct TypingTests {
    /// Replacements that touch one another often, in scalars of every width; half of them are of
    /// the same kind as the one before.
    private func patch(
        _ count: Int,
        caret: inout Int,
        kind: inout Int,
        random: inout Seeded
    ) -> Patch {
        let texts = ["a", "b", "\n", "é", "語", "😀", "e\u{301}", "word ", ""]
        if random.below(2) == 0 { kind = random.below(6) }
        switch kind {
        case 0: caret = random.below(count + 1)
        case 1 where caret > 0:
            caret -= 1
            return Patch(range: caret..<(caret + 1), text: "")
        case 2 where caret < count:
            return Patch(range: caret..<(caret + 1), text: "")
        case 3:
            let start = random.below(count + 1)
            caret = min(start + random.below(5), count)
            defer { caret = start }
            return Patch(range: start..<caret, text: texts[random.below(texts.count)])
        default: break
        }
        let text = texts[random.below(texts.count)]
        defer { caret += text.unicodeScalars.count }
        return Patch(range: caret..<caret, text: text)
    }

    @Test(arguments: UInt64(1)...60)
    func `typing is what editing is`(seed: UInt64) throws {
        var random = Seeded(seed: seed)
        let log = Fixture.log(1)
        var typed = Document()
        var edited = Document()
        var plain = Rope()
        var author = try typed.author(log, nextEvent: 0)
        var (caret, kind) = (0, 4)
        var sent: [OperationRun] = []
        for step in 0..<200 {
            let patch = patch(plain.scalarCount, caret: &caret, kind: &kind, random: &random)
            let first = author.nextEvent
            try typed.replace(patch.range, with: patch.text, by: &author)
            let runs = try edited.edit([patch], author: log, firstEvent: first)
            plain.apply(patch)
            #expect(author.nextEvent == first + UInt64(runs.reduce(0) { $0 + $1.eventCount }))
            sent += typed.runs(of: author, from: first)
            if random.below(10) == 0 {
                #expect(typed.text == plain, "seed \(seed) step \(step)")
                typed.checkInvariants()
            }
            if random.below(40) == 0 {
                let other = Fixture.log(2)
                let number = UInt64(step) * 4
                let runs = try edited.edit(
                    [Patch(range: 0..<0, text: "x")],
                    author: other,
                    firstEvent: number
                )
                _ = try typed.merge(runs)
                sent += runs
                plain.apply(Patch(range: 0..<0, text: "x"))
            }
        }
        typed.checkInvariants()
        #expect(typed.hasSameState(as: edited) && typed.text == plain, "seed \(seed)")
        #expect(try Document(merging: sent).hasSameState(as: edited), "seed \(seed)")
        // Operations that grew since they were sent.
        var replayed = Document()
        try replayed.merge(chunk: typed.encodeChunk())
        #expect(replayed.hasSameState(as: edited), "seed \(seed)")
        #expect(try Document(decoding: typed.encode()).hasSameState(as: edited), "seed \(seed)")
    }

    @Test func `a place that does not exist is refused and changes nothing`() throws {
        var document = Document()
        var author = try document.author(Fixture.log(1), nextEvent: 3)
        try document.replace(0..<0, with: "abc", by: &author)
        let before = author
        let refusal = DocumentError.positionOutOfBounds(position: 4, scalarCount: 3)
        #expect(throws: refusal) { try document.replace(4..<4, with: "x", by: &author) }
        #expect(throws: DocumentError.self) { try document.replace(2..<9, with: "", by: &author) }
        #expect(author == before && document.text.string == "abc" && document.eventCount == 3)
    }

    @Test func `deleting on stops at either end of the text`() throws {
        var document = Document()
        var author = try document.author(Fixture.log(1), nextEvent: 0)
        try document.replace(0..<0, with: "abcdef", by: &author)
        for _ in 0..<3 { try document.replace(3..<4, with: "", by: &author) }
        let forward = DocumentError.positionOutOfBounds(position: 4, scalarCount: 3)
        #expect(throws: forward) { try document.replace(3..<4, with: "", by: &author) }
        #expect(document.text.string == "abc" && document.eventCount == 9)
        #expect(document.history.operations.operationCount == 2)
        // One deleted scalar goes on either way, two only the way they went.
        try document.replace(1..<2, with: "", by: &author)
        try document.replace(0..<1, with: "", by: &author)
        #expect(document.history.operations.operationCount == 3)
        let backward = DocumentError.positionOutOfBounds(position: 0, scalarCount: 1)
        #expect(throws: backward) { try document.replace(-1..<0, with: "", by: &author) }
        try document.replace(0..<1, with: "", by: &author)
        #expect(throws: DocumentError.self) { try document.replace(0..<1, with: "", by: &author) }
        #expect(document.text.string.isEmpty && author.nextEvent == 12)
        #expect(document.history.operations.operationCount == 4)
        document.checkInvariants()
    }

    @Test func `each deletion stays what it was when others follow it`() throws {
        var document = Document()
        var author = try document.author(Fixture.log(1), nextEvent: 0)
        try document.replace(0..<0, with: "abcdef", by: &author)
        for place in [3, 3, 2, 1] {
            try document.replace(place..<(place + 1), with: "", by: &author)
        }
        let texts = try (5..<10).map { try document.text(at: [Fixture.event(1, $0)]) }
        #expect(texts == ["abcdef", "abcef", "abcf", "abf", "af"])
        #expect(document.history.operations.operationCount == 3)
        document.checkInvariants()
    }

    @Test func `a number that is taken makes no author`() throws {
        var document = Document()
        var author = try document.author(Fixture.log(1), nextEvent: 0)
        try document.replace(0..<0, with: "abc", by: &author)
        let taken = DocumentError.conflictingEvent(Fixture.event(1, 2))
        #expect(throws: taken) { try document.author(Fixture.log(1), nextEvent: 2) }
        #expect(try document.author(Fixture.log(1), nextEvent: 3).nextEvent == 3)
    }

    @Test func `an author goes on in a document that has let go of its history`() throws {
        let other = Fixture.log(2)
        var document = Document()
        var author = try document.author(Fixture.log(1), nextEvent: 0)
        try document.replace(0..<0, with: "abc", by: &author)
        document.rest()
        // Another log now has the index that the author's had.
        _ = try document.edit([Patch(range: 3..<3, text: "!")], author: other, firstEvent: 0)
        _ = try document.edit([Patch(range: 4..<4, text: "?")], author: other, firstEvent: 3)
        try document.replace(1..<2, with: "", by: &author)
        try document.replace(0..<1, with: "", by: &author)
        #expect(document.text.string == "c!?" && author.nextEvent == 5)
        #expect(document.contains(Fixture.event(1, 4)) && !document.contains(Fixture.event(2, 4)))
        let runs = document.runs(of: author, from: 3)
        #expect(runs.map(\.start) == [Fixture.event(1, 3)] && runs[0].eventCount == 2)
        document.checkInvariants()
    }

    @Test func `a copy goes its own way`() throws {
        var document = Document()
        var author = try document.author(Fixture.log(1), nextEvent: 0)
        try document.replace(0..<0, with: "abc", by: &author)
        var copy = document
        var other = author
        try document.replace(3..<3, with: "d", by: &author)
        try copy.replace(2..<3, with: "", by: &other)
        try copy.replace(1..<2, with: "é", by: &other)
        try document.replace(4..<4, with: "e", by: &author)
        #expect(document.text.string == "abcde" && copy.text.string == "aé")
        document.checkInvariants()
        copy.checkInvariants()
    }

    @Test func `an operation that is full is followed by another`() throws {
        var document = Document()
        var author = try document.author(Fixture.log(1), nextEvent: 0)
        let count = 2 * DocumentLimits.maximumStoredScalarCount + 10
        for index in 0..<count { try document.replace(index..<index, with: "é", by: &author) }
        #expect(document.history.operations.operationCount == 3)
        for index in (0..<count).reversed() {
            try document.replace(index..<(index + 1), with: "", by: &author)
        }
        #expect(throws: DocumentError.self) { try document.replace(-1..<0, with: "", by: &author) }
        #expect(document.text.string.isEmpty && document.eventCount == 2 * count)
        #expect(document.history.operations.operationCount == 4)
        document.checkInvariants()
    }

    /// What the fast path leaves out must still be caught.
    @Test func `nothing is typed on after somebody else's change`() throws {
        var document = Document()
        var author = try document.author(Fixture.log(1), nextEvent: 0)
        try document.replace(0..<0, with: "abc", by: &author)
        var stale = author
        _ = try document.edit(
            [Patch(range: 0..<0, text: "x")],
            author: Fixture.log(2),
            firstEvent: 0
        )
        try document.replace(3..<3, with: "y", by: &author)
        #expect(document.text.string == "xabyc")
        let taken = DocumentError.conflictingEvent(Fixture.event(1, 3))
        #expect(throws: taken) { try document.replace(4..<4, with: "z", by: &stale) }
        document.checkInvariants()
    }

    /// A keystroke that goes on, of each kind: what is typed, and which scalar of how many goes.
    enum Keystroke: CaseIterable {
        case ascii, wide, composed, backspace, delete

        func replacement(_ index: Int, caret: Int) -> (range: Range<Int>, text: String) {
            switch self {
            case .ascii: ((caret + index)..<(caret + index), "a")
            case .wide: ((caret + index)..<(caret + index), "語")
            case .composed: ((caret + 2 * index)..<(caret + 2 * index), "e\u{301}")
            case .backspace: ((caret - index - 1)..<(caret - index), "")
            case .delete: (caret..<(caret + 1), "")
            }
        }
    }

    @Test(arguments: Keystroke.allCases)
    func `a keystroke allocates nothing`(keystroke: Keystroke) throws {
        var least = UInt64.max
        // The counter sees the whole process; what another thread does is not the keystrokes'.
        for _ in 0..<5 {
            var document = Document()
            heap_count_start()
            var author = try document.author(Fixture.log(1), nextEvent: 0)
            for index in 0..<1500 { try document.replace(index..<index, with: "é", by: &author) }
            // A sanitizer brings an allocator of its own, and then there is nothing to count.
            if heap_count_allocations() == 0 { return heap_count_stop() }
            let (first, text) = keystroke.replacement(0, caret: 700)
            try document.replace(first, with: text, by: &author)
            let operationCount = document.history.operations.operationCount
            heap_count_start()
            for index in 1..<500 {
                let (range, text) = keystroke.replacement(index, caret: 700)
                try document.replace(range, with: text, by: &author)
            }
            least = min(least, heap_count_allocations())
            heap_count_stop()
            #expect(document.history.operations.operationCount == operationCount)
            document.checkInvariants()
        }
        // The pool may grow by half or double once.
        #expect(least <= 1)
    }
}
