// How many cells a grapheme cluster takes, and what is sent for it.
//
// Terminals agree on ASCII, on East Asian wide letters and mostly on combining marks. On joined
// emoji, flags, variation selectors, conjuncts and spacing marks they don't. Those clusters are
// marked `isRisky`: the renderer sends an absolute cursor move behind each, so a wrong guess costs
// a gap and never moves the rest of the row. Guesses are therefore rather too wide than too narrow.
//
// What would move the cursor, turn the direction of the text or be invisible on its own never
// reaches the terminal: controls are shown as ^X, other format characters as U+FFFD, and marks
// with nothing to stand on get a dotted circle.
//
// Source of the table: Unicode Standard Annex 11 (East Asian Width), classes W and F, with the
// unassigned code points inside the CJK blocks. Emoji come from the Emoji_Presentation property.

/// One grapheme cluster as it is drawn.
struct Glyph: Hashable, Sendable {
    /// What is sent to the terminal.
    var text: String
    /// How many cells it takes: 1 or more, and 0 for `continuation` alone.
    var width: Int
    /// Whether terminals disagree about the width.
    var isRisky: Bool

    /// A cell with nothing in it.
    static let blank = Glyph(text: " ", width: 1, isRisky: false)

    /// The further cells of a glyph that takes several.
    static let continuation = Glyph(text: "", width: 0, isRisky: false)

    private init(text: String, width: Int, isRisky: Bool) {
        self.text = text
        self.width = width
        self.isRisky = isRisky
    }

    /// How `character` is drawn. Tabs and line ends are controls here; layout expands them before.
    init(_ character: Character) {
        if let ascii = character.asciiValue, ascii >= 0x20, ascii < 0x7F, character != "\r\n" {
            self.init(text: String(character), width: 1, isRisky: false)
            return
        }
        var scalars = character.unicodeScalars.prefix(Limits.cellScalarCount)
        guard let first = scalars.popFirst() else {
            self = .blank
            return
        }
        if first.value < 0x20 || first.value == 0x7F {
            let letter = Unicode.Scalar(UInt8(truncatingIfNeeded: first.value) ^ 0x40)
            self.init(text: "^" + String(letter), width: 2, isRisky: false)
        } else if Glyph.isInvisible(first), scalars.isEmpty {
            self.init(text: "\u{FFFD}", width: 1, isRisky: false)
        } else if Glyph.isMark(first) {
            var marks = String.UnicodeScalarView()
            marks.append(first)
            marks.append(contentsOf: scalars)
            self.init(first: "\u{25CC}", rest: marks[...])
        } else {
            self.init(first: first, rest: scalars)
        }
    }

    private init(first: Unicode.Scalar, rest: Substring.UnicodeScalarView) {
        var width = Glyph.width(of: first)
        var isRisky = first.isRegionalIndicator
        for scalar in rest {
            if Glyph.isPlainMark(scalar) { continue }
            isRisky = true
            if scalar.value == 0xFE0F || scalar.isRegionalIndicator {
                width = max(width, 2)
            } else if !Glyph.isMark(scalar), !scalar.properties.isEmojiModifier,
                !first.properties.isEmoji, !Glyph.isConjoining(scalar)
            {
                width += Glyph.width(of: scalar)
            } else if scalar.properties.generalCategory == .spacingMark {
                width += 1
            }
        }
        var text = String(first)
        text.unicodeScalars.append(contentsOf: rest)
        self.init(text: text, width: width, isRisky: isRisky)
    }

    /// Cells for a scalar that begins a cluster.
    static func width(of scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value < 0x1100 { return 1 }
        if scalar.properties.isEmojiPresentation { return 2 }
        var lower = 0
        var upper = wideRanges.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if wideRanges[middle].upperBound < value {
                lower = middle + 1
            } else {
                upper = middle
            }
        }
        return lower < wideRanges.count && wideRanges[lower].contains(value) ? 2 : 1
    }

    /// Controls and formats that must not reach the terminal alone.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: scalar.value != 0x200D && scalar.value != 0x200C
        default: scalar.properties.isNoncharacterCodePoint
        }
    }

    /// What stands on the scalar before it, or joins it to the next.
    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value == 0x200D { return true }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .spacingMark: return true
        default: return scalar.properties.isGraphemeExtend && !scalar.properties.isEmojiModifier
        }
    }

    /// A mark that every terminal draws over the letter before it.
    private static func isPlainMark(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0xFE00 && scalar.properties.generalCategory == .nonspacingMark
    }

    /// A vowel or final of a Hangul syllable, drawn within its first letter.
    private static func isConjoining(_ scalar: Unicode.Scalar) -> Bool {
        (0x1160...0x11FF).contains(scalar.value) || (0xD7B0...0xD7FF).contains(scalar.value)
    }

    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x3247,
        0x3250...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
        0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x16FE4,
        0x16FF0...0x16FF1, 0x17000...0x18D08, 0x1AFF0...0x1B2FB, 0x1F200...0x1F202,
        0x1F210...0x1F23B, 0x1F240...0x1F248, 0x1F250...0x1F251, 0x20000...0x2FFFD,
        0x30000...0x3FFFD,
    ]
}

extension Unicode.Scalar {
    /// One of the two letters of a flag.
    fileprivate var isRegionalIndicator: Bool { (0x1F1E6...0x1F1FF).contains(value) }
}
