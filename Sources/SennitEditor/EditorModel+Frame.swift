import SennitDocument

// What the model looks like. Pure: the same model at the same time gives the same frame.

extension EditorModel {
    /// The screen to show now.
    func frame(_ theme: Theme) -> Frame {
        var canvas = Canvas(model: self, theme: theme)
        canvas.draw()
        return canvas.frame
    }
}

/// Draws one model.
struct Canvas {
    let model: EditorModel
    let theme: Theme
    var frame: Frame
    private var firstIndex = 0
    private var endIndex = 0

    init(model: EditorModel, theme: Theme) {
        self.model = model
        self.theme = theme
        frame = Frame(grid: Grid(model.size), cursor: nil)
    }

    mutating func draw() {
        if model.showsHelp {
            drawHelp()
            return
        }
        drawBody()
        if model.titleRowCount > 0 { drawTitle() }
        if model.statusRowCount > 0 { drawStatus() }
        if model.keyRowCount > 0 { drawKeys() }
    }

    // MARK: Text

    private mutating func drawBody() {
        var walker = RowWalker(at: model.scrollTop, in: model.text, width: model.wrapWidth)
        firstIndex = walker.rowStart
        var places: [(state: PeerState, place: Frame.Place)] = []
        let present = model.peers.filter { !$0.isAway(at: model.now) }
        for row in 0..<model.bodyRowCount {
            draw(walker, row: model.bodyTop + row)
            endIndex = walker.lineStart + walker.row.range.upperBound
            if owns(walker, model.cursor), !hidesCursor {
                let column = min(walker.column(of: model.cursor), model.size.columns - 1)
                frame.cursor = Frame.Place(row: model.bodyTop + row, column: column)
            }
            for state in present where owns(walker, state.peer.cursor) {
                let column = min(walker.column(of: state.peer.cursor), model.size.columns - 1)
                let place = Frame.Place(row: model.bodyTop + row, column: column)
                frame.grid.restyle(
                    row: place.row,
                    column: column,
                    style: theme.peerCursor(state.slot)
                )
                places.append((state, place))
            }
            if walker.move(by: 1) == 0 {
                endIndex = model.text.scalarCount + 1
                break
            }
        }
        for (state, place) in places { drawLabel(of: state, at: place) }
    }

    private var hidesCursor: Bool { model.search != nil && model.statusRowCount > 0 }

    /// Whether a cursor at `index` stands in the walker's row.
    private func owns(_ walker: RowWalker, _ index: Int) -> Bool {
        let range = walker.row.range
        let offset = index - walker.lineStart
        return range.contains(offset) || (offset == range.upperBound && walker.isLastOfLine)
    }

    private mutating func draw(_ walker: RowWalker, row: Int) {
        let start = walker.lineStart
        for item in walker.row.items {
            let style = style(at: start + item.offset)
            let column = item.column
            if item.glyph.width <= item.width, item.glyph != .blank {
                frame.grid.put(item.glyph, row: row, column: column, style: style)
            } else {
                for offset in 0..<item.width {
                    frame.grid.put(.blank, row: row, column: column + offset, style: style)
                }
            }
        }
        // A selected line end shows as one cell.
        let end = start + walker.row.range.upperBound
        if walker.isLastOfLine, end < model.text.scalarCount {
            let style = style(at: end)
            if style != .plain {
                frame.grid.put(.blank, row: row, column: walker.row.width, style: style)
            }
        }
    }

    /// The look of the text at `index`: a match before the own selection before others'.
    private func style(at index: Int) -> Style {
        if model.search?.match?.contains(index) ?? false { return theme.match }
        if model.selection?.contains(index) ?? false { return theme.selection }
        let peer = model.peers.first {
            !$0.isAway(at: model.now) && ($0.peer.selection?.contains(index) ?? false)
        }
        return peer.map { theme.peerSelection($0.slot) } ?? .plain
    }

    /// Writes a name where nothing else stands: right of the cursor, above, below, or at the end
    /// of the row. If there is no room the colour in the title must do.
    private mutating func drawLabel(of state: PeerState, at place: Frame.Place) {
        guard !theme.hasColor || state.showsLabel(at: model.now) else { return }
        let name = theme.hasColor ? " \(state.peer.name) " : "<\(state.peer.name)>"
        let width = name.reduce(0) { $0 + Glyph($1).width }
        let left = max(0, min(place.column, model.size.columns - width))
        let body = model.bodyTop..<(model.bodyTop + model.bodyRowCount)
        let line = frame.grid.row(place.row)
        let lineEnd = line.count - line.reversed().prefix { $0 == .blank }.count
        let candidates = [
            Frame.Place(row: place.row, column: place.column + 1),
            Frame.Place(row: place.row - 1, column: left),
            Frame.Place(row: place.row + 1, column: left),
            Frame.Place(row: place.row, column: lineEnd + 1),
        ]
        let free = candidates.first { candidate in
            let columns = candidate.column..<(candidate.column + width)
            let hidesCursor =
                frame.cursor.map { $0.row == candidate.row && columns.contains($0.column) }
                ?? false
            return body.contains(candidate.row) && !hidesCursor
                && frame.grid.isBlank(row: candidate.row, columns: columns)
        }
        guard let free else { return }
        var style = theme.peerCursor(state.slot)
        if !theme.hasColor { style = Style(isUnderlined: true) }
        frame.grid.put(name, row: free.row, column: free.column, style: style)
    }

    // MARK: Title

    private mutating func drawTitle() {
        let columns = model.size.columns
        let status = " " + connection + " "
        let statusWidth = status.reduce(0) { $0 + Glyph($1).width }
        frame.grid.fill(row: 0, from: 0, style: theme.title)
        let statusStart = max(columns - statusWidth, 0)
        var bold = theme.title
        bold.isBold = true
        var column = frame.grid.put(
            " " + model.title,
            row: 0,
            column: 0,
            end: max(statusStart - 1, columns / 3),
            style: bold
        )
        column += 2
        for state in model.peers {
            let mark = mark(of: state)
            let label = mark + state.peer.name
            let width = label.reduce(0) { $0 + Glyph($1).width }
            if column + width + 1 > statusStart {
                frame.grid.put("…", row: 0, column: column - 1, style: theme.title)
                break
            }
            let style = theme.hasColor ? theme.peerCursor(state.slot) : theme.title
            column = frame.grid.put(label, row: 0, column: column, style: style) + 1
        }
        frame.grid.put(status, row: 0, column: statusStart, style: theme.title)
    }

    /// ● here, ↑ above the screen, ↓ below it, ○ not heard of for a while.
    private func mark(of state: PeerState) -> String {
        if state.isAway(at: model.now) { return "○" }
        if state.peer.cursor < firstIndex { return "↑" }
        return state.peer.cursor > endIndex ? "↓" : "●"
    }

    private var connection: String {
        let count = model.status.pendingCount
        let note = model.status.note.map { " · " + $0 } ?? ""
        switch model.status.state {
        case .online:
            return (count == 0 ? "● online" : "⟳ syncing \(count)") + note
        case .connecting:
            return "⟳ connecting" + note
        case .offline where count == 0:
            return "○ offline" + note
        case .offline:
            return "○ offline (\(count) \(count == 1 ? "change" : "changes") waiting)" + note
        }
    }

    // MARK: Below the text

    private mutating func drawStatus() {
        let row = model.bodyTop + model.bodyRowCount
        let line = model.text.lineIndex(ofScalar: model.cursor)
        let start = model.text.lineRange(line).lowerBound
        let column = TextLine.clusters(model.text.slice(start..<model.cursor)).count
        let position = "\(line + 1):\(column + 1) "
        let positionStart = max(model.size.columns - position.count, 0)
        frame.grid.put(position, row: row, column: positionStart, style: .plain)
        let end = max(positionStart - 1, 0)
        if let search = model.search {
            let isMissing = !search.query.isEmpty && search.match == nil
            let prompt = frame.grid.put("Find: ", row: row, column: 1, end: end, style: theme.note)
            let query = String(search.query.suffix(max(end - prompt - 16, 1)))
            let after = frame.grid.put(query, row: row, column: prompt, end: end, style: .plain)
            frame.cursor = Frame.Place(row: row, column: min(after, model.size.columns - 1))
            if isMissing {
                let column = after + 2
                frame.grid.put("not found", row: row, column: column, end: end, style: theme.note)
            }
        } else if let note = model.note {
            frame.grid.put(note.text, row: row, column: 1, end: end, style: theme.note)
        } else {
            let text = model.isReadOnly ? "reading only" : "always saved"
            if 1 + text.count <= end {
                frame.grid.put(text, row: row, column: 1, style: .plain)
            }
        }
    }

    private mutating func drawKeys() {
        let keys = model.search == nil ? KeyHelp.bar : KeyHelp.searchBar
        let cellWidth = 14
        let perRow = max(1, min(keys.count / 2, model.size.columns / cellWidth))
        let stride = min(model.size.columns / perRow, 20)
        for (index, key) in keys.prefix(2 * perRow).enumerated() {
            let row = model.size.rows - 2 + index % 2
            let column = index / 2 * stride
            let next = column + stride
            let after = frame.grid.put(
                key.name,
                row: row,
                column: column,
                end: next,
                style: theme.keyName
            )
            frame.grid.put(key.action, row: row, column: after + 1, end: next - 1, style: .plain)
        }
    }

    private mutating func drawHelp() {
        frame.grid.fill(row: 0, from: 0, style: theme.title)
        frame.grid.put(" Keys", row: 0, column: 0, style: theme.title)
        let rows = max(model.size.rows - 3, 1)
        let columns = max(1, min(2, model.size.columns / 38))
        for (index, key) in KeyHelp.all.prefix(rows * columns).enumerated() {
            let column = index / rows * (model.size.columns / columns) + 1
            let row = 1 + index % rows
            frame.grid.put(key.name, row: row, column: column, style: theme.note)
            frame.grid.put(key.action, row: row, column: column + 16, style: .plain)
        }
        frame.grid.put(
            "Any key goes back. Every change is saved at once.",
            row: model.size.rows - 1,
            column: 1,
            style: theme.note
        )
    }
}
