import SennitDocument
import Testing

@testable import SennitEditor

struct SearchTests {
    @Test func `the cursor goes along while the query grows and shrinks`() {
        var editor = Harness("|foal food foot")
        editor.press(.control("f"))
        editor.type("foo")
        #expect(editor.model.cursor == 5)
        editor.type("t")
        #expect(editor.model.cursor == 10)
        editor.press(Key(.backspace), Key(.backspace), Key(.backspace))
        #expect(editor.model.cursor == 0)
        #expect(editor.screen.contains("Find: f"))
    }

    @Test func `enter goes on, up goes back, both round the end`() {
        var editor = Harness("ab ab |ab")
        editor.press(.control("w"))
        editor.type("ab")
        #expect(editor.model.cursor == 6)
        editor.press(Key(.enter))
        #expect(editor.model.cursor == 0)
        editor.press(Key(.up))
        #expect(editor.model.cursor == 6)
        editor.press(Key(.up), Key(.up))
        #expect(editor.model.cursor == 0)
        editor.press(Key(.escape))
        editor.type("x")
        #expect(editor.document == PlainText("xab ab ab"))
    }

    @Test func `what isn't there is said, and the cursor stays`() {
        var editor = Harness("one| two")
        editor.press(.control("f"))
        editor.type("tree")
        #expect(editor.screen.contains("Find: tree  not found"))
        editor.press(Key(.escape))
        #expect(editor.shown == "one| two")
    }

    @Test func `another key leaves the search and acts`() {
        var editor = Harness("|one two")
        editor.press(.control("f"))
        editor.type("two")
        editor.press(Key(.right))
        #expect(editor.shown == "one t|wo")
        editor.press(.control("f"), Key(.enter))
        #expect(editor.model.cursor == 4)
    }

    @Test func `a match moves with what others write`() {
        var editor = Harness("|one two two")
        editor.press(.control("f"))
        editor.type("two")
        editor.remote(insert: "XX", at: 0)
        #expect(editor.model.search?.match == 6..<9)
        editor.press(Key(.enter))
        #expect(editor.model.cursor == 10)
    }

    @Test func `case counts only when the query has a capital`() {
        let text = Rope("grün GRÜN Grün")
        #expect(Search.next("GRÜ", in: text, from: 0) == 5..<8)
        #expect(Search.next("grü", in: text, from: 1) == 5..<8)
        #expect(Search.next("Gr", in: text, from: 0) == 10..<12)
        #expect(Search.next("grau", in: text, from: 0) == nil)
        #expect(Search.next("longer than the text", in: text, from: 3) == nil)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a match is found wherever a window cuts the text`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let window = Limits.searchWindowScalarCount
        var scalars = [Unicode.Scalar](repeating: "a", count: 2 * window + 50)
        let places =
            (0..<3).map { _ in random.below(scalars.count - 2) }
            + [window - 1, window, window + 1]
        for place in places {
            scalars[place] = "b"
            scalars[place + 1] = "c"
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        let text = Rope(String(view))
        let expected = (0..<(scalars.count - 1)).filter {
            scalars[$0] == "b" && scalars[$0 + 1] == "c"
        }
        for start in places + [0, scalars.count] {
            let next = expected.first { $0 >= start } ?? expected.first
            let previous = expected.last { $0 < start } ?? expected.last
            #expect(Search.next("bc", in: text, from: start)?.lowerBound == next, "seed \(seed)")
            #expect(
                Search.previous("bc", in: text, before: start)?.lowerBound == previous,
                "seed \(seed)"
            )
        }
    }
}
