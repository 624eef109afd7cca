// The screen from top to bottom: title, text, status line, two rows of keys. Small screens drop
// first the keys, then the title, then the status line.

extension EditorModel {
    var titleRowCount: Int { size.rows >= 5 ? 1 : 0 }
    var statusRowCount: Int { size.rows >= 3 ? 1 : 0 }
    var keyRowCount: Int { size.rows >= 10 ? 2 : 0 }

    /// The first row of the screen that shows text.
    var bodyTop: Int { titleRowCount }

    /// Rows that show text.
    var bodyRowCount: Int { size.rows - titleRowCount - statusRowCount - keyRowCount }

    /// Cells of a row that text may take; one is left free for the cursor behind a full row.
    var wrapWidth: Int { max(size.columns - 1, 1) }

    /// Scrolls as little as needed to show the cursor; far jumps put it in the middle.
    mutating func scrollToCursor() {
        var walker = RowWalker(at: cursor, in: text, width: wrapWidth)
        let top = RowWalker(at: scrollTop, in: text, width: wrapWidth)
        let distance = rowsDown(from: top, to: walker)
        if let distance, distance < bodyRowCount {
            scrollTop = top.rowStart
            return
        }
        let isNear: Bool
        let rowsAbove: Int
        if walker.isBefore(top) {
            isNear = rowsDown(from: walker, to: top) != nil
            rowsAbove = 0
        } else {
            isNear = distance != nil
            rowsAbove = bodyRowCount - 1
        }
        _ = walker.move(by: -(isNear ? rowsAbove : bodyRowCount / 2))
        scrollTop = walker.rowStart
    }

    /// Scrolls up as far as rows of the screen would stay empty behind the end of the text.
    mutating func fillScreen() {
        var walker = RowWalker(at: scrollTop, in: text, width: wrapWidth)
        let rowsBelow = walker.move(by: bodyRowCount - 1)
        walker = RowWalker(at: scrollTop, in: text, width: wrapWidth)
        _ = walker.move(by: rowsBelow - (bodyRowCount - 1))
        scrollTop = walker.rowStart
    }

    /// How many rows `end` is below `start`; `nil` if it is above or more than a screen away.
    private func rowsDown(from start: RowWalker, to end: RowWalker) -> Int? {
        if end.isBefore(start) || end.lineIndex - start.lineIndex > 2 * bodyRowCount { return nil }
        var walker = start
        for count in 0..<(2 * bodyRowCount) {
            if walker.isSameRow(as: end) { return count }
            _ = walker.move(by: 1)
        }
        return nil
    }
}

extension RowWalker {
    func isBefore(_ other: RowWalker) -> Bool {
        (lineIndex, rowIndex) < (other.lineIndex, other.rowIndex)
    }

    func isSameRow(as other: RowWalker) -> Bool {
        (lineIndex, rowIndex) == (other.lineIndex, other.rowIndex)
    }
}
