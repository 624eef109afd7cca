import SennitDocument
import Testing

@testable import SennitEditor

/// A terminal that obeys what `Screen` sends, and nothing else.
///
/// It moves two cells for every risky cluster, whatever the width should be: wrong on purpose.
private struct ToyTerminal {
    var rows: [[String]]
    var styles: [[String]]
    var row = 0
    var column = 0
    var style = "0"
    var showsCursor = false

    init(_ size: ScreenSize) {
        rows = Array(repeating: Array(repeating: " ", count: size.columns), count: size.rows)
        styles = Array(repeating: Array(repeating: "0", count: size.columns), count: size.rows)
    }

    mutating func write(_ bytes: [UInt8]) {
        var text = String(decoding: bytes, as: UTF8.self)[...]
        while let first = text.first {
            if first != "\u{1B}" {
                text.removeFirst()
                put(first)
                continue
            }
            guard let end = text.dropFirst(2).firstIndex(where: { $0.isLetter }) else { return }
            obey(String(text[text.index(text.startIndex, offsetBy: 2)..<end]), final: text[end])
            text = text[text.index(after: end)...]
        }
    }

    private mutating func obey(_ parameters: String, final: Character) {
        switch (final, parameters) {
        case ("H", _):
            let numbers = parameters.split(separator: ";").compactMap { Int($0) }
            row = numbers[0] - 1
            column = numbers[1] - 1
        case ("m", _): style = parameters
        case ("J", "2"): self = blank()
        case ("K", "2"): erase(from: 0)
        case ("K", ""): erase(from: column)
        case ("h", "?25"): showsCursor = true
        case ("l", "?25"): showsCursor = false
        case ("h", "?2026"), ("l", "?2026"): break
        default: Issue.record("unknown sequence \(parameters)\(final)")
        }
    }

    private func blank() -> ToyTerminal {
        var copy = ToyTerminal(ScreenSize(rows: rows.count, columns: rows[0].count))
        copy.style = style
        return copy
    }

    private mutating func erase(from start: Int) {
        #expect(style == "0")
        for column in start..<rows[row].count {
            rows[row][column] = " "
            styles[row][column] = "0"
        }
    }

    private mutating func put(_ character: Character) {
        let glyph = Glyph(character)
        for offset in 0..<glyph.width where column + offset < rows[row].count {
            rows[row][column + offset] = offset == 0 ? glyph.text : ""
            styles[row][column + offset] = style
        }
        column += glyph.isRisky ? 2 * glyph.width : glyph.width
    }
}

struct ScreenTests {
    @Test(arguments: 0..<30 as Range<UInt64>)
    func `sending only what changed shows the same as sending all`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var editor = Harness("Grüße 日本語\n\tone two\n👩‍👩‍👧 🇩🇪🇫🇷\nend")
        var screen = Screen(depth: .trueColor)
        var terminal = ToyTerminal(editor.model.size)
        for step in 0..<80 {
            let size = editor.model.size
            RandomDriver.step(&editor, &random)
            if editor.model.size != size { terminal = ToyTerminal(editor.model.size) }
            let frame = editor.model.frame(Theme(depth: .trueColor))
            terminal.write(screen.render(frame))
            var whole = Screen(depth: .trueColor)
            var fresh = ToyTerminal(editor.model.size)
            fresh.write(whole.render(frame))
            let isSame =
                terminal.rows == fresh.rows && terminal.styles == fresh.styles
                && terminal.showsCursor == (frame.cursor != nil)
            let text = terminal.rows.map { $0.joined() }
            let expected = (0..<frame.grid.size.rows).map {
                frame.grid.row($0).map(\.glyph.text).joined()
            }
            guard isSame, text == expected else {
                Issue.record("seed \(seed): the screens differ at step \(step)")
                return
            }
            if let cursor = frame.cursor {
                #expect((terminal.row, terminal.column) == (cursor.row, cursor.column))
            }
            #expect(screen.render(frame).isEmpty)
        }
    }

    @Test func `one letter is a few bytes`() {
        var editor = Harness("one |two", size: ScreenSize(rows: 24, columns: 80))
        var screen = Screen(depth: .trueColor)
        _ = screen.render(editor.model.frame(Theme(depth: .trueColor)))
        editor.press(Key(.right))
        let moved = screen.render(editor.model.frame(Theme(depth: .trueColor)))
        #expect(moved.count < 60)
        editor.type("x")
        #expect(screen.render(editor.model.frame(Theme(depth: .trueColor))).count < 80)
    }

    @Test func `drawing over half of a wide cluster blanks the other half`() {
        var grid = Grid(ScreenSize(rows: 1, columns: 6))
        grid.put("日本語", row: 0, column: 0, style: .plain)
        grid.put("x", row: 0, column: 1, style: .plain)
        grid.put("y", row: 0, column: 4, style: .plain)
        #expect(grid.text == " x本y")
        grid.put("日", row: 0, column: 5, style: .plain)
        #expect(grid.text == " x本y")
    }

    @Test(arguments: [
        (["TERM": "xterm"], ColorDepth.basic16),
        (["TERM": "xterm-256color"], .indexed256),
        (["TERM": "xterm-256color", "COLORTERM": "truecolor"], .trueColor),
        (["TERM": "xterm-direct"], .trueColor),
        (["TERM": "xterm", "COLORTERM": "24bit", "NO_COLOR": "1"], .none),
        (["TERM": "xterm", "NO_COLOR": ""], .basic16),
        (["TERM": "dumb"], .none),
        ([:], .none),
    ])
    func `the environment says how many colours there are`(
        environment: [String: String],
        depth: ColorDepth
    ) {
        #expect(ColorDepth(environment: environment) == depth)
    }

    @Test(arguments: [ColorDepth.none, .basic16, .indexed256, .trueColor])
    func `no terminal is sent colours it doesn't have`(depth: ColorDepth) {
        var editor = Harness("|one two three")
        let peer = Peer(id: "a", name: "Alice", cursor: 4, selection: 4..<7, lastSeen: .zero)
        editor.model.receive(.peers([peer]), at: .zero)
        editor.press(Key(.right, .shift))
        var screen = Screen(depth: depth)
        let text = String(
            decoding: screen.render(editor.model.frame(Theme(depth: depth))),
            as: UTF8.self
        )
        #expect(text.contains("8;2;") == (depth == .trueColor))
        #expect(text.contains("8;5;") == (depth == .indexed256))
        let hasBasic = text.contains("\u{1B}[0;30;4") || text.contains("\u{1B}[0;30;10")
        #expect(hasBasic == (depth != .none))
        #expect(text.contains("●Alice"))
    }
}
