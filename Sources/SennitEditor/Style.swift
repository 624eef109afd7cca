/// A colour as a terminal is told it.
enum Color: Hashable, Sendable {
    /// 0 to 7 and their bright forms 8 to 15: what the person's terminal makes of them.
    case basic(UInt8)
    /// The cube and the greys of 256-colour terminals, 16 to 255.
    case indexed(UInt8)
    case rgb(UInt8, UInt8, UInt8)
}

/// How a cell looks. `nil` colours are the terminal's own.
struct Style: Hashable, Sendable {
    var foreground: Color?
    var background: Color?
    var isBold = false
    var isUnderlined = false
    var isReversed = false

    static let plain = Style()
}

/// How many colours a terminal shows.
public enum ColorDepth: Hashable, Sendable {
    /// None: the person asked so, or the terminal has none.
    case none
    case basic16
    case indexed256
    case trueColor

    /// What the environment says: `NO_COLOR`, `COLORTERM` and `TERM`.
    ///
    /// https://no-color.org: programs leave out colour "when present and not an empty string
    /// (regardless of its value)".
    public init(environment: [String: String]) {
        let terminal = environment["TERM"] ?? ""
        let colorTerm = environment["COLORTERM"] ?? ""
        if !(environment["NO_COLOR"] ?? "").isEmpty || ["", "dumb", "vt100"].contains(terminal) {
            self = .none
        } else if ["truecolor", "24bit"].contains(colorTerm) || terminal.hasSuffix("-direct") {
            self = .trueColor
        } else if terminal.hasSuffix("256color") {
            self = .indexed256
        } else {
            self = .basic16
        }
    }
}

/// Which look every part of the screen has at a colour depth.
///
/// Without colours nothing is lost: peers' cursors are reversed and their selections underlined,
/// and their names stand beside them all the time.
struct Theme: Sendable {
    let depth: ColorDepth

    var hasColor: Bool { depth != .none }

    var title: Style {
        switch depth {
        case .none, .basic16: Style(isReversed: true)
        case .indexed256: Style(foreground: .indexed(255), background: .indexed(237))
        case .trueColor: Style(foreground: .rgb(235, 235, 240), background: .rgb(48, 52, 70))
        }
    }

    var selection: Style {
        switch depth {
        case .none, .basic16: Style(isReversed: true)
        case .indexed256: Style(foreground: .indexed(231), background: .indexed(25))
        case .trueColor: Style(foreground: .rgb(255, 255, 255), background: .rgb(38, 92, 158))
        }
    }

    var match: Style {
        hasColor
            ? Style(foreground: .basic(0), background: .basic(11))
            : Style(isBold: true, isUnderlined: true, isReversed: true)
    }

    var keyName: Style { Style(isReversed: true) }
    var note: Style { Style(isBold: true) }

    /// The cell under a peer's cursor, and the peer's name.
    func peerCursor(_ slot: Int) -> Style {
        guard hasColor else { return Style(isBold: true, isReversed: true) }
        return Style(foreground: .basic(0), background: color(Theme.peerColors[slot], share: 1))
    }

    /// A cell that a peer has selected.
    func peerSelection(_ slot: Int) -> Style {
        let tone = Theme.peerColors[slot]
        switch depth {
        case .none: return Style(isUnderlined: true)
        case .basic16: return Style(foreground: .basic(tone.basic), isUnderlined: true)
        case .indexed256, .trueColor:
            return Style(foreground: .basic(15), background: color(tone, share: 0.42))
        }
    }

    /// How many people can be told apart by colour.
    static let peerColorCount = peerColors.count

    private struct Tone {
        let red: Double
        let green: Double
        let blue: Double
        let basic: UInt8
    }

    /// Light enough for black letters (contrast above 7), far from each other in hue.
    private static let peerColors: [Tone] = [
        Tone(red: 255, green: 158, blue: 100, basic: 11),
        Tone(red: 125, green: 207, blue: 255, basic: 14),
        Tone(red: 158, green: 220, blue: 106, basic: 10),
        Tone(red: 247, green: 140, blue: 180, basic: 13),
        Tone(red: 240, green: 208, blue: 90, basic: 3),
        Tone(red: 187, green: 160, blue: 255, basic: 5),
        Tone(red: 94, green: 220, blue: 190, basic: 6),
        Tone(red: 255, green: 138, blue: 128, basic: 9),
        Tone(red: 140, green: 170, blue: 250, basic: 12),
        Tone(red: 226, green: 190, blue: 150, basic: 7),
        Tone(red: 220, green: 150, blue: 235, basic: 13),
        Tone(red: 190, green: 200, blue: 110, basic: 2),
    ]

    /// The tone, darkened to a share of its light.
    private func color(_ tone: Tone, share: Double) -> Color {
        let parts = [tone.red, tone.green, tone.blue].map { $0 * share }
        switch depth {
        case .none, .basic16:
            return .basic(tone.basic)
        case .trueColor:
            return .rgb(UInt8(parts[0]), UInt8(parts[1]), UInt8(parts[2]))
        case .indexed256:
            // The cube's six steps are 0, 95, 135, 175, 215 and 255.
            let steps = parts.map { $0 < 48 ? 0 : $0 < 115 ? 1 : Int(($0 - 35) / 40) }
            return .indexed(UInt8(16 + 36 * steps[0] + 6 * steps[1] + steps[2]))
        }
    }
}
