/// What a screen shows: a cell for every row and column.
struct Grid: Hashable, Sendable {
    /// One cell. A cluster that takes several has its text in the first.
    struct Cell: Hashable, Sendable {
        var glyph: Glyph
        var style: Style

        static let blank = Cell(glyph: .blank, style: .plain)
    }

    let size: ScreenSize
    /// Row by row. Invariant: behind a cell whose glyph is n wide come n - 1 with `.continuation`.
    private(set) var cells: [Cell]

    /// An empty screen.
    init(_ size: ScreenSize) {
        self.size = size
        cells = Array(repeating: .blank, count: size.rows * size.columns)
    }

    subscript(row: Int, column: Int) -> Cell { cells[row * size.columns + column] }

    /// The cells of one row.
    func row(_ row: Int) -> ArraySlice<Cell> {
        cells[(row * size.columns)..<((row + 1) * size.columns)]
    }

    /// Draws a glyph. One that would reach over the edge leaves blanks.
    mutating func put(_ glyph: Glyph, row: Int, column: Int, style: Style) {
        guard (0..<size.rows).contains(row), (0..<size.columns).contains(column) else { return }
        let fits = column + glyph.width <= size.columns
        let width = fits ? glyph.width : size.columns - column
        let start = row * size.columns + column
        clear(row: row, columns: column..<(column + width))
        for offset in 0..<width {
            let part = !fits ? .blank : offset == 0 ? glyph : Glyph.continuation
            cells[start + offset] = Cell(glyph: part, style: style)
        }
    }

    /// Draws text up to column `end`.
    /// - Returns: the column behind it.
    @discardableResult
    mutating func put(
        _ text: String,
        row: Int,
        column: Int,
        end: Int? = nil,
        style: Style
    ) -> Int {
        let end = min(end ?? size.columns, size.columns)
        var column = column
        for character in text {
            let glyph = Glyph(character)
            if column + glyph.width > end { break }
            put(glyph, row: row, column: column, style: style)
            column += glyph.width
        }
        return column
    }

    /// Gives a cell, with all of its cluster, another look.
    mutating func restyle(row: Int, column: Int, style: Style) {
        guard (0..<size.rows).contains(row), (0..<size.columns).contains(column) else { return }
        put(self[row, column].glyph, row: row, column: column, style: style)
    }

    /// Fills the rest of a row.
    mutating func fill(row: Int, from column: Int, style: Style) {
        for column in max(column, 0)..<max(size.columns, column, 0) {
            put(.blank, row: row, column: column, style: style)
        }
    }

    /// Whether all these cells are inside the screen and show nothing.
    func isBlank(row: Int, columns: Range<Int>) -> Bool {
        guard (0..<size.rows).contains(row), columns.lowerBound >= 0,
            columns.upperBound <= size.columns
        else { return false }
        return columns.allSatisfy { self[row, $0] == .blank }
    }

    /// The screen as text, without trailing spaces; for tests and people without colours.
    var text: String {
        (0..<size.rows).map { row in
            let line = self.row(row).map(\.glyph.text).joined()
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    /// Blanks every cluster that these cells are a part of.
    private mutating func clear(row: Int, columns: Range<Int>) {
        let start = row * size.columns
        var first = columns.lowerBound
        while first > 0 && cells[start + first].glyph == .continuation { first -= 1 }
        var end = columns.upperBound
        while end < size.columns && cells[start + end].glyph == .continuation { end += 1 }
        for column in first..<end { cells[start + column].glyph = .blank }
    }
}

/// A screen with its cursor.
struct Frame: Hashable, Sendable {
    /// A cell, counted from 0.
    struct Place: Hashable, Sendable {
        var row: Int
        var column: Int
    }

    var grid: Grid
    /// Where the terminal's cursor is shown; `nil` for nowhere.
    var cursor: Place?
}
