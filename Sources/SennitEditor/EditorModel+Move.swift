import SennitDocument

extension EditorModel {
    /// Puts the cursor somewhere. The selection ends, or with `selecting` reaches up to there.
    mutating func moveCursor(to index: Int, selecting: Bool = false) {
        if selecting {
            anchor = anchor ?? cursor
        } else {
            anchor = nil
        }
        cursor = index
        desiredColumn = nil
    }

    /// The position one cluster, or one word, before `index`; 0 at the start of the text.
    func position(before index: Int, byWord: Bool) -> Int {
        let lineIndex = text.lineIndex(ofScalar: index)
        let line = TextLine(lineIndex, of: text)
        let offset = index - line.range.lowerBound
        let start = byWord ? line.wordStart(before: offset) : line.boundary(before: offset)
        if let start { return line.range.lowerBound + start }
        if lineIndex == 0 { return 0 }
        // A carriage return before the line feed goes with it.
        let previous = text.lineRange(lineIndex - 1)
        let isReturn =
            !previous.isEmpty
            && text.slice((previous.upperBound - 1)..<previous.upperBound) == "\r"
        return isReturn ? previous.upperBound - 1 : previous.upperBound
    }

    /// The position one cluster, or one word, behind `index`; the end at the end of the text.
    func position(after index: Int, byWord: Bool) -> Int {
        let lineIndex = text.lineIndex(ofScalar: index)
        let line = TextLine(lineIndex, of: text)
        let offset = index - line.range.lowerBound
        let end = byWord ? line.wordStart(after: offset) : line.boundary(after: offset)
        if let end {
            let isReturn =
                !byWord && line.range.lowerBound + end == line.range.upperBound
                && line.clusters.last?.character == "\r"
            return min(line.range.lowerBound + end + (isReturn ? 1 : 0), text.scalarCount)
        }
        return min(line.range.upperBound + 1, text.scalarCount)
    }

    mutating func moveLeft(byWord: Bool, selecting: Bool) {
        if let selection, !selecting, !byWord {
            moveCursor(to: selection.lowerBound)
        } else {
            moveCursor(to: position(before: cursor, byWord: byWord), selecting: selecting)
        }
    }

    mutating func moveRight(byWord: Bool, selecting: Bool) {
        if let selection, !selecting, !byWord {
            moveCursor(to: selection.upperBound)
        } else {
            moveCursor(to: position(after: cursor, byWord: byWord), selecting: selecting)
        }
    }

    mutating func moveHome(toStartOfText: Bool, selecting: Bool) {
        let line = text.lineRange(text.lineIndex(ofScalar: cursor))
        moveCursor(to: toStartOfText ? 0 : line.lowerBound, selecting: selecting)
    }

    mutating func moveEnd(toEndOfText: Bool, selecting: Bool) {
        let line = text.lineRange(text.lineIndex(ofScalar: cursor))
        moveCursor(to: toEndOfText ? text.scalarCount : line.upperBound, selecting: selecting)
    }

    /// Moves by rows of the screen and keeps the column as well as the rows allow.
    mutating func moveRows(by distance: Int, selecting: Bool) {
        var walker = RowWalker(at: cursor, in: text, width: wrapWidth)
        let column = desiredColumn ?? walker.column(of: cursor)
        let moved = walker.move(by: distance)
        let end = distance < 0 ? 0 : text.scalarCount
        moveCursor(to: moved == 0 ? end : walker.position(at: column), selecting: selecting)
        desiredColumn = column
    }

    /// Takes in the mouse.
    mutating func point(_ mouse: Mouse) {
        if showsHelp { return }
        switch mouse.action {
        case .press, .drag:
            let row = mouse.row - bodyTop
            guard mouse.action == .drag || (0..<bodyRowCount).contains(row) else { return }
            endSearch()
            var walker = RowWalker(at: scrollTop, in: text, width: wrapWidth)
            _ = walker.move(by: min(max(row, -1), bodyRowCount))
            moveCursor(
                to: walker.position(at: max(mouse.column, 0)),
                selecting: mouse.action == .drag
            )
            followsCursor = true
        case .release:
            break
        case .wheelUp, .wheelDown:
            var walker = RowWalker(at: scrollTop, in: text, width: wrapWidth)
            _ = walker.move(by: mouse.action == .wheelUp ? -3 : 3)
            scrollTop = walker.rowStart
            followsCursor = false
        }
    }
}

/// Walks over the rows that the text has on a screen.
struct RowWalker {
    private let text: Rope
    private let width: Int
    private(set) var lineIndex: Int
    private(set) var rowIndex: Int
    private var start: Int
    private var layout: LineLayout

    /// Begins at the row in which a cursor at `index` stands.
    init(at index: Int, in text: Rope, width: Int) {
        self.text = text
        self.width = width
        lineIndex = text.lineIndex(ofScalar: index)
        let line = TextLine(lineIndex, of: text)
        start = line.range.lowerBound
        layout = LineLayout(line.clusters, width: width)
        rowIndex = layout.rowIndex(of: index - start)
    }

    var row: LineLayout.Row { layout.rows[rowIndex] }

    /// The first scalar of the row, in the text.
    var rowStart: Int { start + row.range.lowerBound }

    /// The first scalar of the line, in the text.
    var lineStart: Int { start }

    /// Whether the row is the last of its line.
    var isLastOfLine: Bool { rowIndex == layout.rows.count - 1 }

    func column(of index: Int) -> Int { row.column(of: index - start) }

    func position(at column: Int) -> Int {
        start + row.offset(at: column, isLast: isLastOfLine)
    }

    /// Goes up for a negative distance, down for a positive one, as far as there are rows.
    /// - Returns: how many rows it went.
    mutating func move(by distance: Int) -> Int {
        var moved = 0
        while moved < abs(distance) && (distance < 0 ? moveUp() : moveDown()) { moved += 1 }
        return moved
    }

    private mutating func moveUp() -> Bool {
        if rowIndex > 0 {
            rowIndex -= 1
            return true
        }
        if lineIndex == 0 { return false }
        enter(lineIndex - 1)
        rowIndex = layout.rows.count - 1
        return true
    }

    private mutating func moveDown() -> Bool {
        if !isLastOfLine {
            rowIndex += 1
            return true
        }
        if lineIndex == text.lineCount - 1 { return false }
        enter(lineIndex + 1)
        rowIndex = 0
        return true
    }

    private mutating func enter(_ newLine: Int) {
        lineIndex = newLine
        let line = TextLine(newLine, of: text)
        start = line.range.lowerBound
        layout = LineLayout(line.clusters, width: width)
    }
}
