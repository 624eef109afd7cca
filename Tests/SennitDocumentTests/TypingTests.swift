import SennitWire
import Testing

@testable import SennitDocument

@Suite struct TypingTests {
    /// Replacements that touch one another often, in scalars of every width.
    private func patch(_ count: Int, caret: inout Int, random: inout Seeded) -> Patch {
        let texts = ["a", "b", "\n", "é", "語", "😀", "e\u{301}", "word ", ""]
        switch random.below(6) {
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
        var caret = 0
        var sent: [OperationRun] = []
        for step in 0..<200 {
            let patch = patch(plain.scalarCount, caret: &caret, random: &random)
            let first = author.nextEvent
            try typed.replace(patch.range, with: patch.text, by: &author)
            let runs = try edited.edit([patch], author: log, firstEvent: first)
            plain.apply(patch)
            #expect(author.nextEvent == first + UInt64(runs.reduce(0) { $0 + $1.eventCount }))
            sent += typed.runs(of: author, from: first)
            if random.below(10) == 0 { #expect(typed.text == plain, "seed \(seed) step \(step)") }
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

    @Test func `a number that is taken makes no author`() throws {
        var document = Document()
        var author = try document.author(Fixture.log(1), nextEvent: 0)
        try document.replace(0..<0, with: "abc", by: &author)
        let taken = DocumentError.conflictingEvent(Fixture.event(1, 2))
        #expect(throws: taken) { try document.author(Fixture.log(1), nextEvent: 2) }
        #expect(try document.author(Fixture.log(1), nextEvent: 3).nextEvent == 3)
    }
}
