import SennitDocument
import Testing

@testable import SennitEditor

struct UndoHistoryTests {
    @Test func `typing is undone by words`() {
        var editor = Harness()
        editor.type("one two")
        editor.press(.control("z"))
        #expect(editor.shown == "one |")
        editor.press(.control("z"))
        #expect(editor.shown == "|")
        editor.press(.control("y"), .control("y"))
        #expect(editor.shown == "one two|")
        editor.press(.control("y"))
        #expect(editor.screen.contains("Nothing to redo"))
    }

    @Test func `a pause begins a new group`() {
        var editor = Harness()
        editor.type("ab")
        editor.now += Limits.undoPause
        editor.type("cd")
        editor.press(.control("z"))
        #expect(editor.shown == "ab|")
    }

    @Test func `a move begins a new group`() {
        var editor = Harness()
        editor.type("ab")
        editor.press(Key(.home))
        editor.type("cd")
        editor.press(.control("z"))
        #expect(editor.shown == "|ab")
    }

    @Test func `erasing comes back as a whole`() {
        var editor = Harness("abcdef|ghi")
        editor.press(Key(.backspace), Key(.backspace), Key(.delete), Key(.delete))
        #expect(editor.shown == "abcd|i")
        editor.press(.control("z"))
        #expect(editor.document == PlainText("abcdghi"))
        editor.press(.control("z"))
        #expect(editor.document == PlainText("abcdefghi"))
        editor.press(.control("y"), .control("y"))
        #expect(editor.document == PlainText("abcdi"))
    }

    @Test func `undo leaves what another wrote inside`() {
        var editor = Harness()
        editor.type("abcd")
        editor.remote(insert: "X", at: 2)
        editor.press(.control("z"))
        #expect(editor.shown == "X|" || editor.shown == "|X")
        editor.press(.control("y"))
        #expect(editor.document == PlainText("abXcd"))
    }

    @Test func `undo brings back what was erased where another erased around it`() {
        var editor = Harness("one two| three")
        editor.press(Key(.backspace, .control))
        editor.remote(Patch(range: 2..<7, text: ""))
        #expect(editor.document == PlainText("onree"))
        editor.press(.control("z"))
        #expect(editor.document == PlainText("ontworee"))
    }

    @Test func `undo passes over what others have erased already`() {
        var editor = Harness()
        editor.type("one two")
        editor.remote(Patch(range: 4..<7, text: ""))
        editor.press(.control("z"))
        #expect(editor.document == PlainText(""))
    }

    @Test func `typing goes on in one group while another types elsewhere`() {
        var editor = Harness("|.")
        editor.type("ab")
        editor.remote(insert: "XY", at: 0)
        editor.type("cd")
        editor.press(.control("z"))
        #expect(editor.document == PlainText("XY."))
    }

    @Test func `the oldest groups are forgotten at the limit`() {
        var history = UndoHistory()
        var text = Rope()
        for _ in 0..<(Limits.undoGroupCount + 5) {
            let patch = Patch(range: 0..<0, text: "a")
            history.record(patch, in: text, kind: .other, at: .zero)
            text.apply(patch)
        }
        while !history.undo(&text).isEmpty {}
        #expect(text.string == "aaaaa")
    }

    @Test func `crossing two steps gives the same text both ways round`() {
        let text = "abcdef"
        var steps: [UndoStep] = (0...6).map { .insert(at: $0, text: "XY", count: 2) }
        for start in 0..<6 {
            for end in (start + 1)...6 { steps.append(.remove(start..<end)) }
        }
        for ours in steps {
            for theirs in steps {
                let crossed = UndoStep.cross(ours, theirs)
                var oneWay = PlainText(text)
                var other = oneWay
                for step in [ours] + crossed.theirs { oneWay.apply(step.patch) }
                for step in [theirs] + crossed.ours { other.apply(step.patch) }
                #expect(oneWay == other, "\(ours) and \(theirs)")
                #expect(!(crossed.ours + crossed.theirs).contains(where: isEmpty))
            }
        }
    }

    private func isEmpty(_ step: UndoStep) -> Bool {
        switch step {
        case .insert(_, let text, let count): count == 0 || text.unicodeScalars.count != count
        case .remove(let range): range.isEmpty
        }
    }

    private static let kinds: [UndoHistory.Kind] = [
        .typing, .erasingBackward, .erasingForward, .other,
    ]

    /// A scalar of the slow second implementation: nothing is ever dropped, only marked.
    private struct Mark {
        var scalar: Unicode.Scalar
        var isOwn: Bool
        var erasedByOwn = false
        var erasedByOther = false

        var isVisible: Bool { !erasedByOwn && !erasedByOther }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `undoing everything leaves exactly what others wrote, redoing brings it back`(
        seed: UInt64
    ) {
        var random = SeededGenerator(seed: seed)
        var history = UndoHistory()
        var text = Rope("0123456789")
        var marks = "0123456789".unicodeScalars.map { Mark(scalar: $0, isOwn: false) }
        var nextScalar: UInt32 = 0x4E00
        for _ in 0..<60 {
            let isOwn = random.below(2) == 0
            let visible = marks.indices.filter { marks[$0].isVisible }
            let range = random.range(in: visible.count, atMost: 4)
            let place = range.upperBound < visible.count ? visible[range.upperBound] : marks.count
            for index in range {
                if isOwn {
                    marks[visible[index]].erasedByOwn = true
                } else {
                    marks[visible[index]].erasedByOther = true
                }
            }
            var inserted = String.UnicodeScalarView()
            for _ in 0..<random.below(4) {
                inserted.append(Unicode.Scalar(nextScalar) ?? "?")
                nextScalar += 1
            }
            marks.insert(
                contentsOf: inserted.map { Mark(scalar: $0, isOwn: isOwn) },
                at: place
            )
            let patch = Patch(range: range, text: String(inserted))
            if isOwn {
                let kind = UndoHistoryTests.kinds[random.below(4)]
                history.record(patch, in: text, kind: kind, at: .zero)
            } else {
                history.receive([patch])
            }
            text.apply(patch)
        }
        let before = PlainText(text)
        #expect(before.scalars == marks.filter(\.isVisible).map(\.scalar), "seed \(seed)")
        while !history.undo(&text).isEmpty {}
        let left = PlainText(text).scalars
        let others = marks.filter { !$0.isOwn && !$0.erasedByOther }
        #expect(Set(left) == Set(others.map(\.scalar)), "seed \(seed)")
        #expect(left.count == others.count, "seed \(seed)")
        let untouched = others.filter { !$0.erasedByOwn }.map(\.scalar)
        #expect(left.filter(untouched.contains) == untouched, "seed \(seed)")
        var again = (history: history, text: text)
        while !again.history.redo(&again.text).isEmpty {}
        #expect(PlainText(again.text) == before, "seed \(seed)")

        // Others go on while everything is undone: redo brings back one's own, and only that.
        var gone: Set<Unicode.Scalar> = []
        var added: Set<Unicode.Scalar> = []
        for number in 0..<20 {
            let scalar = Unicode.Scalar(0x9000 + UInt32(number)) ?? "?"
            let range = random.range(in: text.scalarCount, atMost: 3)
            let patch = Patch(range: range, text: String(scalar))
            gone.formUnion(PlainText(text).scalars[range])
            added.insert(scalar)
            history.receive([patch])
            text.apply(patch)
        }
        while !history.redo(&text).isEmpty {}
        let expected = Set(before.scalars).union(added).subtracting(gone)
        #expect(Set(PlainText(text).scalars) == expected, "seed \(seed)")
        #expect(text.scalarCount == expected.count, "seed \(seed)")
    }
}
