import SennitDocument
import Testing

@testable import SennitEditor

struct EditorModelTests {
    @Test func `typing goes to the document patch by patch`() {
        var editor = Harness("ab|c")
        editor.type("é!")
        #expect(editor.shown == "abé!|c")
        #expect(editor.document == PlainText("abé!c"))
    }

    @Test func `enter keeps the indentation`() {
        var editor = Harness("\t  one|")
        editor.press(Key(.enter))
        editor.type("two")
        #expect(editor.shown == "\t  one\n\t  two|")
        var early = Harness("  |  x")
        early.press(Key(.enter))
        #expect(early.shown == "  \n  |  x")
    }

    @Test(arguments: [
        "e\u{301}", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "❤️", "日", "\r\n", "각", "1️⃣", "क्षि",
    ])
    func `backspace, delete and the arrows take a whole cluster`(cluster: String) {
        var back = Harness("a\(cluster)|b")
        back.press(Key(.left))
        #expect(back.shown.unicodeScalars.elementsEqual("a|\(cluster)b".unicodeScalars))
        back.press(Key(.right))
        #expect(back.shown.unicodeScalars.elementsEqual("a\(cluster)|b".unicodeScalars))
        back.press(Key(.backspace))
        #expect(back.shown == "a|b")
        var ahead = Harness("a|\(cluster)b")
        ahead.press(Key(.delete))
        #expect(ahead.shown == "a|b")
        #expect(ahead.document == PlainText("ab"))
    }

    @Test func `backspace between flags takes one flag`() {
        var editor = Harness("🇩🇪🇫🇷|🇯🇵")
        editor.press(Key(.backspace))
        #expect(editor.shown.unicodeScalars.elementsEqual("🇩🇪|🇯🇵".unicodeScalars))
    }

    @Test func `words are passed and erased`() {
        var editor = Harness("one two_2, three|\nfour")
        editor.press(Key(.left, .control))
        #expect(editor.shown == "one two_2, |three\nfour")
        editor.press(Key(.left, .control))
        #expect(editor.shown == "one |two_2, three\nfour")
        editor.press(Key(.right, .control), Key(.right, .control), Key(.right, .control))
        #expect(editor.shown == "one two_2, three\n|four")
        editor.press(Key(.left, .control), Key(.backspace, .control))
        #expect(editor.shown == "one two_2, |\nfour")
        editor.press(Key(.home), Key(.delete, .control))
        #expect(editor.shown == "|two_2, \nfour")
    }

    @Test func `up and down keep their column over short and wide rows`() {
        var editor = Harness("abcdef|gh\nx\n日本語日本\nabcdefgh")
        editor.press(Key(.down))
        #expect(editor.shown == "abcdefgh\nx|\n日本語日本\nabcdefgh")
        editor.press(Key(.down))
        #expect(editor.shown == "abcdefgh\nx\n日本語|日本\nabcdefgh")
        editor.press(Key(.down))
        #expect(editor.shown == "abcdefgh\nx\n日本語日本\nabcdef|gh")
        editor.press(Key(.down))
        #expect(editor.shown == "abcdefgh\nx\n日本語日本\nabcdefgh|")
        editor.press(Key(.home, .control), Key(.up))
        #expect(editor.shown == "|abcdefgh\nx\n日本語日本\nabcdefgh")
    }

    @Test func `up and down go by rows of a wrapped line`() {
        var editor = Harness("aa| bb cc dd", size: ScreenSize(rows: 12, columns: 7))
        editor.press(Key(.down))
        #expect(editor.shown == "aa bb cc| dd")
        editor.press(Key(.up), Key(.end))
        #expect(editor.shown == "aa bb cc dd|")
        editor.press(Key(.home))
        #expect(editor.shown == "|aa bb cc dd")
    }

    @Test func `shift selects, typing replaces, escape lets go`() {
        var editor = Harness("one |two")
        editor.press(Key(.end, .shift))
        #expect(editor.shown == "one [two]")
        editor.press(Key(.escape))
        #expect(editor.shown == "one two|")
        editor.press(Key(.left, [.shift, .control]))
        editor.type("3")
        #expect(editor.shown == "one 3|")
        #expect(editor.document == PlainText("one 3"))
    }

    @Test func `an arrow without shift goes to the edge of the selection`() {
        var editor = Harness("a|bcd")
        editor.press(Key(.right, .shift), Key(.right, .shift), Key(.left))
        #expect(editor.shown == "a|bcd")
        editor.press(Key(.right, .shift), Key(.right, .shift), Key(.right))
        #expect(editor.shown == "abc|d")
    }

    @Test func `copy, cut and paste also offer the text to the terminal`() {
        var editor = Harness("one |two")
        editor.press(Key(.end, .shift), .control("c"))
        #expect(editor.effects == [.copy("two")])
        editor.press(.control("x"))
        #expect(editor.shown == "one |")
        editor.press(.control("v"), .control("u"))
        #expect(editor.shown == "one twotwo|")
        #expect(editor.effects == [.copy("two"), .copy("two")])
    }

    @Test func `cut lines gather until another key`() {
        var editor = Harness("one\nt|wo\nthree\nfour")
        editor.press(.control("k"), .control("k"))
        #expect(editor.shown == "one\n|four")
        editor.press(Key(.down), .control("u"))
        #expect(editor.shown == "one\nfourtwo\nthree\n|")
        editor.press(Key(.home, .control), .control("k"), .control("u"))
        #expect(editor.shown == "one\n|fourtwo\nthree\n")
    }

    @Test func `control x leaves only when nothing is selected`() {
        var editor = Harness("|ab")
        editor.press(Key(.right, .shift), .control("x"))
        #expect(editor.effects == [.copy("a")])
        editor.press(.control("x"))
        #expect(editor.effects == [.copy("a"), .quit])
    }

    @Test func `pasted line ends become line feeds and controls go`() {
        var editor = Harness("|")
        editor.send(.paste("a\r\nb\rc\nd\u{1B}[31m\te\u{7F}\r"))
        #expect(editor.document == PlainText("a\nb\nc\nd[31m\te\n"))
        editor.press(.control("z"))
        #expect(editor.document == PlainText(""))
    }

    @Test func `a reader changes nothing`() {
        var editor = Harness("o|ne\ntwo")
        editor.model.receive(.readOnly(true), at: .zero)
        editor.type("x")
        editor.press(Key(.enter), Key(.backspace), Key(.delete), .control("k"), .control("z"))
        editor.send(.paste("y"))
        #expect(editor.shown == "o|ne\ntwo")
        #expect(editor.document == PlainText("one\ntwo"))
    }

    @Test func `what others write moves the cursor with the text`() {
        var editor = Harness("ab|cd")
        editor.remote(insert: "X", at: 1)
        #expect(editor.shown == "aXb|cd")
        editor.remote(insert: "Y", at: 3)
        #expect(editor.shown == "aXb|Ycd")
        editor.remote(Patch(range: 0..<4, text: ""))
        #expect(editor.shown == "|cd")
        editor.remote(insert: "e\u{301}", at: 2)
        #expect(editor.shown.unicodeScalars.elementsEqual("|cde\u{301}".unicodeScalars))
    }

    @Test func `what others write at the ends stays out of the selection`() {
        var editor = Harness("a|bcd")
        editor.press(Key(.right, .shift), Key(.right, .shift))
        editor.remote(insert: "X", at: 1)
        editor.remote(insert: "Y", at: 4)
        editor.remote(insert: "Z", at: 3)
        #expect(editor.shown == "aX[bZc]Yd")
        editor.remote(Patch(range: 1..<6, text: ""))
        #expect(editor.shown == "a|d")
    }

    @Test func `a selection keeps its direction over what others write`() {
        var editor = Harness("abc|d")
        editor.press(Key(.left, .shift))
        editor.remote(insert: "X", at: 0)
        editor.press(Key(.left, .shift))
        #expect(editor.shown == "Xa[bc]d")
        editor.press(Key(.right, .shift), Key(.right, .shift), Key(.right, .shift))
        #expect(editor.shown == "Xabc[d]")
    }

    @Test func `a cursor that another's mark lands behind goes behind the cluster`() {
        var editor = Harness("e|x")
        editor.remote(insert: "\u{301}", at: 1)
        #expect(editor.model.cursor == 2)
    }

    @Test func `a script's own changes show at its cursor and can be undone`() {
        var editor = Harness("|one")
        editor.model.receive(
            .own([Patch(range: 3..<3, text: " two")], cursor: nil),
            at: .zero
        )
        editor.document.apply(Patch(range: 3..<3, text: " two"))
        #expect(editor.shown == "one two|")
        editor.receive(.own([], cursor: 2))
        #expect(editor.shown == "on|e two")
        editor.press(.control("z"))
        #expect(editor.document == PlainText("one"))
    }

    @Test func `the mouse places the cursor, selects and scrolls`() {
        let text = (1...30).map { "line \($0)" }.joined(separator: "\n")
        var editor = Harness("|" + text)
        editor.send(.mouse(Mouse(.press, row: 2, column: 3)))
        #expect(editor.model.cursor == 10)
        editor.send(.mouse(Mouse(.drag, row: 2, column: 5)))
        #expect(editor.model.selection == 10..<12)
        editor.send(.mouse(Mouse(.wheelDown, row: 2, column: 5)))
        #expect(editor.screen.contains("line 4"))
        #expect(!editor.screen.contains("line 3\n"))
        editor.type("x")
        #expect(editor.screen.hasPrefix(" notes.txt"))
        #expect(editor.screen.contains("\nlinx2\nline 3\n"))
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `the text is always what a plain text makes of the same patches`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var editor = Harness("Grüße 日本語\n\tone two\n👩‍👩‍👧 🇩🇪🇫🇷\r\nend")
        for step in 0..<150 {
            RandomDriver.step(&editor, &random)
            guard editor.document == PlainText(editor.model.text) else {
                Issue.record("seed \(seed): the texts differ at step \(step)")
                return
            }
            let model = editor.model
            guard model.snapped(model.cursor) == model.cursor,
                model.selection.map({ $0.upperBound <= model.text.scalarCount }) ?? true
            else {
                Issue.record("seed \(seed): the cursor is inside a cluster at step \(step)")
                return
            }
            let frame = model.frame(Theme(depth: step % 2 == 0 ? .trueColor : .none))
            if model.followsCursor, !model.showsHelp, frame.cursor == nil {
                Issue.record("seed \(seed): the cursor is off the screen at step \(step)")
                return
            }
        }
        // Every edit of one's own can be taken back, and what is left is not one's own.
        for _ in 0..<Limits.undoGroupCount where !editor.model.history.undoGroups.isEmpty {
            editor.press(Key(.escape), Key(.escape), .control("z"))
        }
        #expect(editor.document == PlainText(editor.model.text), "seed \(seed)")
    }
}

/// Presses anything and lets others write anything.
enum RandomDriver {
    static let pieces = [
        "a", "b c", "\n", "日", "👩‍👩‍👧", "\u{301}", "\u{200D}", "🇩", "🇪", "\t", "  ", "\r",
        "long word here ", "\u{FE0F}", "é", "각", "\u{1100}", "\u{1161}", "",
    ]

    private static let codes: [Key.Code] = [
        .enter, .tab, .backspace, .delete, .escape, .up, .down, .left, .right, .home, .end,
        .pageUp, .pageDown,
    ]

    static func step(_ editor: inout Harness, _ random: inout SeededGenerator) {
        editor.now += .milliseconds(random.below(700))
        let piece = pieces[random.below(pieces.count)]
        let count = editor.model.text.scalarCount
        switch random.below(16) {
        case 0...3: editor.type(piece)
        case 4...6:
            let modifiers = Key.Modifiers(rawValue: UInt8(random.below(8)))
            editor.press(Key(codes[random.below(codes.count)], modifiers))
        case 7:
            let letters: [Unicode.Scalar] = ["a", "c", "d", "e", "f", "g", "k", "l", "u", "v", "x"]
            editor.press(.control(letters[random.below(letters.count)]))
        case 8: editor.press(.control("z"))
        case 9: editor.press(.control("y"))
        case 10: editor.send(.paste(piece + piece))
        case 11:
            let size = ScreenSize(rows: 1 + random.below(20), columns: 1 + random.below(50))
            editor.send(.resize(size))
        case 12:
            let actions: [Mouse.Action] = [.press, .drag, .release, .wheelUp, .wheelDown]
            let action = actions[random.below(actions.count)]
            let mouse = Mouse(action, row: random.below(20), column: random.below(50))
            editor.send(.mouse(mouse))
        case 13:
            let peer = Peer(
                id: "\(random.below(3))",
                name: piece,
                cursor: random.below(count + 9) - 4,
                selection: random.range(in: count, atMost: 9),
                lastSeen: editor.now
            )
            editor.model.receive(.peers([peer]), at: editor.now)
        default:
            let first = Patch(range: random.range(in: count, atMost: 6), text: piece)
            let after = count - first.range.count + piece.unicodeScalars.count
            editor.remote(first, Patch(range: random.range(in: after, atMost: 3), text: "r"))
        }
    }
}
