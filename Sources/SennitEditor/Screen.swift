// From one frame to the next with few bytes.
//
// Each row is compared with what was sent before; the cells that differ are sent in spans, with
// short gaps of like cells sent again where that is shorter than a cursor move. A row that has
// risky clusters (Glyph.swift), before or now, is erased and sent whole, since nobody knows what
// the terminal made of it; behind such a cluster the cursor is moved to where it should be.
//
// All of it stands between the brackets of mode 2026, so that a terminal that knows the mode shows
// the frame at once. Terminals that don't ignore it; we don't ask, because some never answer.

/// What a terminal shows, and how to bring it to a new frame.
struct Screen: Sendable {
    private let depth: ColorDepth
    private var shown: Frame?

    /// A terminal in an unknown state.
    init(depth: ColorDepth) {
        self.depth = depth
    }

    /// Forgets what the terminal shows: the next frame is sent whole.
    mutating func forget() { shown = nil }

    /// The bytes that bring the terminal to `frame`; none if it shows that.
    mutating func render(_ frame: Frame) -> [UInt8] {
        let before = shown?.grid.size == frame.grid.size ? shown : nil
        if before == frame { return [] }
        shown = frame
        var writer = Writer(depth: depth, columns: frame.grid.size.columns)
        if before?.grid == frame.grid {
            writer.show(frame.cursor)
            return writer.bytes
        }
        writer.add("\u{1B}[?2026h\u{1B}[?25l")
        writer.set(.plain)
        if before == nil { writer.add("\u{1B}[2J") }
        for row in 0..<frame.grid.size.rows {
            writer.send(frame.grid.row(row), over: before?.grid.row(row), row: row)
        }
        writer.set(.plain)
        writer.show(frame.cursor)
        writer.add("\u{1B}[?2026l")
        return writer.bytes
    }
}

extension Screen {
    private struct Writer {
        let depth: ColorDepth
        let columns: Int
        var bytes: [UInt8] = []
        private var style: Style?
        /// Where the terminal's cursor is known to be.
        private var place: Frame.Place?

        init(depth: ColorDepth, columns: Int) {
            self.depth = depth
            self.columns = columns
        }

        mutating func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

        mutating func show(_ cursor: Frame.Place?) {
            guard let cursor else {
                add("\u{1B}[?25l")
                return
            }
            move(cursor)
            add("\u{1B}[?25h")
        }

        /// Sends one row. Without `old` the row is known to be blank.
        mutating func send(
            _ new: ArraySlice<Grid.Cell>,
            over old: ArraySlice<Grid.Cell>?,
            row: Int
        ) {
            if let old, old.elementsEqual(new) { return }
            let isRisky = new.contains { $0.glyph.isRisky }
            let wasRisky = old?.contains { $0.glyph.isRisky } ?? false
            let base = new.startIndex
            if isRisky || wasRisky, old != nil {
                move(Frame.Place(row: row, column: 0))
                set(.plain)
                add("\u{1B}[2K")
            }
            let isErased = old == nil || isRisky || wasRisky
            let textEnd = columns - new.reversed().prefix { $0 == .blank }.count
            var column = 0
            while column < textEnd {
                let index = base + column
                let isShown =
                    isErased ? new[index] == .blank : old?[oldIndex(old, column)] == new[index]
                if isShown || new[index].glyph == .continuation {
                    column += 1
                    continue
                }
                send(new[index], at: Frame.Place(row: row, column: column))
                column += new[index].glyph.width
            }
            if !isErased, let old, textEnd < columns {
                let rest = old[(old.startIndex + textEnd)...]
                if rest.contains(where: { $0 != .blank }) {
                    move(Frame.Place(row: row, column: textEnd))
                    set(.plain)
                    add("\u{1B}[K")
                }
            }
        }

        private func oldIndex(_ old: ArraySlice<Grid.Cell>?, _ column: Int) -> Int {
            (old?.startIndex ?? 0) + column
        }

        private mutating func send(_ cell: Grid.Cell, at target: Frame.Place) {
            move(target)
            set(cell.style)
            add(cell.glyph.text)
            let next = target.column + cell.glyph.width
            // Behind the last column terminals differ about where the cursor is.
            place =
                cell.glyph.isRisky || next >= columns
                ? nil : Frame.Place(row: target.row, column: next)
        }

        mutating func move(_ target: Frame.Place) {
            if place == target { return }
            add("\u{1B}[\(target.row + 1);\(target.column + 1)H")
            place = target
        }

        mutating func set(_ new: Style) {
            if style == new { return }
            style = new
            var codes = ["0"]
            if new.isBold { codes.append("1") }
            if new.isUnderlined { codes.append("4") }
            if new.isReversed { codes.append("7") }
            if let color = new.foreground { codes += Writer.codes(color, isBackground: false) }
            if let color = new.background { codes += Writer.codes(color, isBackground: true) }
            add("\u{1B}[" + codes.joined(separator: ";") + "m")
        }

        private static func codes(_ color: Color, isBackground: Bool) -> [String] {
            let base = isBackground ? 10 : 0
            switch color {
            case .basic(let index):
                return [String(index < 8 ? 30 + base + Int(index) : 82 + base + Int(index))]
            case .indexed(let index):
                return [String(38 + base), "5", String(index)]
            case .rgb(let red, let green, let blue):
                return [String(38 + base), "2", String(red), String(green), String(blue)]
            }
        }
    }
}
