import Testing

@testable import SennitEditor

struct GlyphTests {
    @Test(arguments: [
        ("a", 1), ("é", 1), ("e\u{301}", 1), ("日", 2), ("각", 2), ("\u{1100}\u{1161}", 2),
        ("ア", 2), ("ｱ", 1), ("Ａ", 2), ("👍", 2), ("👍🏽", 2), ("👩‍👩‍👧‍👦", 2), ("🇩🇪", 2), ("❤", 1),
        ("❤️", 2), ("1️⃣", 2), ("●", 1), ("\u{3000}", 2), ("𠀀", 2), ("あ", 2), ("ž̯̫", 1),
    ])
    func `clusters take the cells that terminals give them`(text: String, width: Int) {
        #expect(text.count == 1)
        #expect(Glyph(Character(text)).width == width)
        #expect(Glyph(Character(text)).text.unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    @Test(arguments: [
        ("\u{1B}", "^["), ("\u{0}", "^@"), ("\r", "^M"), ("\u{7F}", "^?"), ("\u{9B}", "\u{FFFD}"),
        ("\u{202E}", "\u{FFFD}"), ("\u{2066}", "\u{FFFD}"), ("\u{200B}", "\u{FFFD}"),
        ("\u{2028}", "\u{FFFD}"), ("\u{301}", "\u{25CC}\u{301}"), ("\u{200D}", "\u{25CC}\u{200D}"),
    ])
    func `what a terminal would obey is shown instead`(text: String, shown: String) {
        #expect(Glyph(Character(text)).text.unicodeScalars.elementsEqual(shown.unicodeScalars))
    }

    @Test func `only clusters that terminals agree on are taken at their word`() {
        for text in ["a", "é", "e\u{301}", "日"] { #expect(!Glyph(Character(text)).isRisky) }
        for text in ["👩‍👩‍👧", "🇩🇪", "❤️", "👍🏽", "क्षि"] { #expect(Glyph(Character(text)).isRisky) }
    }

    @Test func `a pile of marks is cut`() {
        let pile = "a" + String(repeating: "\u{301}", count: 5000)
        #expect(Glyph(Character(pile)).text.unicodeScalars.count == Limits.cellScalarCount)
    }
}

struct LineLayoutTests {
    private func rows(_ text: String, width: Int) -> [String] {
        let clusters = TextLine.clusters(text)
        let scalars = Array(text.unicodeScalars)
        return LineLayout(clusters, width: width).rows.map { row in
            var part = String.UnicodeScalarView()
            part.append(contentsOf: scalars[row.range])
            return String(part)
        }
    }

    @Test func `lines are cut behind words`() {
        #expect(rows("to be or not", width: 6) == ["to be ", "or not"])
        #expect(rows("to be or not", width: 5) == ["to be ", "or ", "not"])
        #expect(rows("abcdefgh", width: 6) == ["abcdef", "gh"])
        #expect(rows("ab cdefghij", width: 6) == ["ab ", "cdefgh", "ij"])
        #expect(rows("日本語日本", width: 5) == ["日本", "語日", "本"])
        #expect(rows("", width: 5) == [""])
        #expect(rows("abc  def", width: 3) == ["abc ", " ", "def"])
    }

    @Test func `a tab reaches to the next stop and never over the edge`() {
        let layout = LineLayout(TextLine.clusters("a\tb\t\tc"), width: 10)
        #expect(layout.rows[0].items.map(\.column) == [0, 1, 4, 5, 8])
        #expect(layout.rows[0].width == 10)
        #expect(layout.rows[1].items.map(\.column) == [0])
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `rows hold every scalar once, in order, within the width`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var text = ""
        for _ in 0..<random.below(60) {
            text += RandomDriver.pieces[random.below(RandomDriver.pieces.count)]
                .filter { !$0.isNewline }
        }
        let width = 1 + random.below(12)
        let layout = LineLayout(TextLine.clusters(text), width: width)
        var end = 0
        for row in layout.rows {
            #expect(row.range.lowerBound == end, "seed \(seed)")
            #expect(row.width <= width, "seed \(seed)")
            end = row.range.upperBound
        }
        #expect(end == text.unicodeScalars.count, "seed \(seed)")
        for cluster in TextLine.clusters(text) {
            let row = layout.rows[layout.rowIndex(of: cluster.offset)]
            #expect(row.range.contains(cluster.offset), "seed \(seed)")
        }
    }

    @Test func `a column is a cluster's place and back`() {
        let row = LineLayout(TextLine.clusters("a日\tb"), width: 20).rows[0]
        #expect((0...4).map { row.column(of: $0) } == [0, 1, 3, 4, 5])
        #expect([0, 1, 3, 4, 5, 9].map { row.offset(at: $0, isLast: true) } == [0, 1, 2, 3, 4, 4])
    }
}
