import Testing

@testable import SennitDocument

@Suite struct RopeTests {
    @Test(arguments: UInt64(1)...24)
    func `a rope agrees with an array of scalars in every unit`(seed: UInt64) {
        var random = Seeded(seed: seed)
        let limit = seed.isMultiple(of: 4) ? 3000 : 12
        let start = random.text(limit: limit)
        var rope = Rope(start)
        var model = Array(start.unicodeScalars)
        for step in 0..<160 {
            let low = random.below(model.count + 1)
            if random.below(3) == 0 {
                let high = low + random.below(min(model.count - low, limit * 2) + 1)
                rope.remove(low..<high)
                model.removeSubrange(low..<high)
            } else {
                let text = random.text(limit: random.below(20) == 0 ? 3000 : limit)
                rope.insert(text, at: low)
                model.insert(contentsOf: text.unicodeScalars, at: low)
            }
            rope.checkInvariants()
            if step.isMultiple(of: 20) { expectEqual(rope, model, random: &random, seed: seed) }
        }
        expectEqual(rope, model, random: &random, seed: seed)
        rope.remove(0..<rope.scalarCount)
        rope.checkInvariants()
        #expect(rope.string.isEmpty && rope.lineCount == 1)
    }

    @Test(arguments: UInt64(1)...8)
    func `removing and replacing far and wide leaves a balanced tree`(seed: UInt64) {
        var random = Seeded(seed: seed)
        // Three levels above the leaves, in scalars of several widths.
        let lines = (0..<40_000).map { $0.isMultiple(of: 3) ? "\($0) é語😀\n" : "line \($0)\n" }
        var model = Array(lines.joined().unicodeScalars)
        var rope = Rope(String(String.UnicodeScalarView(model)))
        #expect(rope.root.height == 3)
        while !model.isEmpty {
            let low = random.below(model.count)
            let limit = [6, 3000, model.count / 3 + 1][random.below(3)]
            let range = low..<min(low + 1 + random.below(limit), model.count)
            let text = random.below(2) == 0 ? "" : random.text(limit: min(limit, 800))
            if text.isEmpty {
                rope.remove(range)
            } else {
                rope.replace(range, withUTF8: Array(text.utf8)[...])
            }
            model.replaceSubrange(range, with: text.unicodeScalars)
            rope.checkInvariants()
            if random.below(20) == 0 {
                #expect(rope.string.unicodeScalars.elementsEqual(model), "seed \(seed)")
            }
            if model.count < 100 { break }
        }
        #expect(rope.string.unicodeScalars.elementsEqual(model), "seed \(seed)")
    }

    private func expectEqual(
        _ rope: Rope,
        _ model: [Unicode.Scalar],
        random: inout Seeded,
        seed: UInt64
    ) {
        let string = String(String.UnicodeScalarView(model))
        #expect(Array(rope.string.utf8) == Array(string.utf8), "seed \(seed)")
        #expect(rope.scalarCount == model.count && rope.utf8Count == string.utf8.count)
        #expect(rope.utf16Count == string.utf16.count)
        #expect(rope == Rope(string))
        let lines = model.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(rope.lineCount == lines.count, "seed \(seed)")
        for _ in 0..<12 {
            let index = random.below(model.count + 1)
            let before = String(String.UnicodeScalarView(model[..<index]))
            #expect(rope.utf8Offset(ofScalar: index) == before.utf8.count, "seed \(seed)")
            #expect(rope.utf16Offset(ofScalar: index) == before.utf16.count, "seed \(seed)")
            #expect(rope.scalarIndex(ofUTF8: before.utf8.count) == index, "seed \(seed)")
            #expect(rope.scalarIndex(ofUTF16: before.utf16.count) == index, "seed \(seed)")
            let line = model[..<index].count { $0 == "\n" }
            #expect(rope.lineIndex(ofScalar: index) == line, "seed \(seed)")
            let range = lines[line].startIndex..<lines[line].endIndex
            #expect(rope.lineRange(line) == range, "seed \(seed)")
            let high = index + random.below(model.count - index + 1)
            let slice = String(String.UnicodeScalarView(model[index..<high]))
            #expect(Array(rope.slice(index..<high).utf8) == Array(slice.utf8), "seed \(seed)")
        }
    }

    @Test func `a place inside a scalar counts as the scalar`() {
        let rope = Rope("a🚀é")
        #expect((0...7).map(rope.scalarIndex(ofUTF8:)) == [0, 1, 1, 1, 1, 2, 2, 3])
        #expect((0...4).map(rope.scalarIndex(ofUTF16:)) == [0, 1, 1, 2, 3])
    }

    @Test func `a carriage return belongs to its line`() {
        let rope = Rope("one\r\ntwo\n")
        #expect(rope.lineCount == 3)
        #expect(rope.lineRange(0) == 0..<4 && rope.lineRange(1) == 5..<8)
        #expect(rope.lineRange(2) == 9..<9)
        #expect(rope.lineIndex(ofScalar: 4) == 0 && rope.lineIndex(ofScalar: 5) == 1)
    }

    @Test func `changing a copy leaves the original alone`() {
        let original = Rope(String(repeating: "0123456789\n", count: 2000))
        var copy = original
        copy.insert("new", at: 9000)
        copy.remove(0..<10)
        copy.checkInvariants()
        original.checkInvariants()
        #expect(original.scalarCount == 22_000 && copy.scalarCount == 21_993)
        #expect(original.slice(0..<10) == "0123456789" && copy != original)
    }

    @Test func `equivalent texts of different scalars are different`() {
        #expect(Rope("\u{E9}") != Rope("e\u{301}"))
        #expect(Patch(range: 0..<0, text: "\u{E9}") != Patch(range: 0..<0, text: "e\u{301}"))
        #expect(Patch(range: 0..<0, text: "\u{E9}") == Patch(range: 0..<0, text: "\u{E9}"))
    }

    @Test func `a patch removes first and then inserts`() {
        var rope = Rope("Hello world")
        rope.apply(Patch(range: 0..<5, text: "Goodbye,"))
        #expect(rope.string == "Goodbye, world")
    }

    @Test func `a place outside the text traps`() async {
        await #expect(processExitsWith: .failure) { Rope("abc").slice(1..<4).first.map { _ in } }
        await #expect(processExitsWith: .failure) {
            var rope = Rope("abc")
            rope.insert("x", at: 4)
        }
    }
}
