// Soft wrap.
//
// A line is cut into rows of at most `width` cells. A row ends behind the last space that fits;
// where a word alone is longer than a row, or after a wide letter (scripts without spaces), it is
// cut at the cell. One space that no longer fits hangs over the edge, so that no row begins with
// the space between two words. The screen keeps one column free beside the text for it and for a
// cursor behind a full row.
//
// Example, width 6: "to be or not" is "to be " / "or not"; "abcdefgh" is "abcdef" / "gh".

/// A line of text cut into the rows of a screen.
struct LineLayout: Sendable {
    /// A cluster at its place.
    struct Placed: Sendable {
        let glyph: Glyph
        /// Scalars before it in the line.
        let offset: Int
        let count: Int
        /// Cells before it in the row.
        let column: Int
        /// Cells it takes; 0 for a space that hangs over the edge.
        let width: Int
    }

    /// What stands in one row of the screen.
    struct Row: Sendable {
        /// Scalars of the line, from the line's start.
        var range: Range<Int>
        var items: [Placed]

        /// Cells in use.
        var width: Int { items.last.map { $0.column + $0.width } ?? 0 }

        /// The cell in which a cursor before scalar `offset` of the line stands.
        func column(of offset: Int) -> Int {
            items.first { $0.offset + $0.count > offset }?.column ?? width
        }

        /// The position nearest to `column`, on a cluster's edge.
        ///
        /// Behind the last cluster only if the row `isLast`: elsewhere that is the next row.
        func offset(at column: Int, isLast: Bool) -> Int {
            for item in items where column < item.column + max(item.width, 1) {
                let isNearEnd = 2 * (column - item.column) > item.width && item.width > 1
                let end = item.offset + item.count
                return isNearEnd && (isLast || end < range.upperBound) ? end : item.offset
            }
            return isLast ? range.upperBound : items.last?.offset ?? range.lowerBound
        }
    }

    /// At least one; the ranges follow each other without gaps.
    private(set) var rows: [Row]

    /// Lays `clusters` out in rows of `width` cells, at least 1.
    /// - Complexity: O(clusters).
    init(_ clusters: [TextLine.Cluster], width: Int) {
        var builder = Builder(width: max(width, 1))
        for cluster in clusters { builder.add(cluster) }
        rows = builder.finish()
    }

    /// The row in which a cursor before scalar `offset` of the line stands.
    func rowIndex(of offset: Int) -> Int {
        let index = rows.firstIndex { $0.range.upperBound > offset }
        return index ?? rows.count - 1
    }
}

extension LineLayout {
    private struct Builder {
        let width: Int
        var rows: [Row] = []
        var items: [Placed] = []
        /// The number of items after which the row may be cut; 0 for nowhere.
        var breakCount = 0
        var used = 0

        init(width: Int) { self.width = width }

        mutating func add(_ cluster: TextLine.Cluster) {
            let isSpace = cluster.character == " " || cluster.character == "\t"
            if place(cluster) {
                if isSpace || items.last.map({ $0.width == 2 && $0.glyph.text != " " }) ?? false {
                    breakCount = items.count
                }
            } else if cluster.character == " ", items.last?.width != 0 {
                append(cluster, glyph: .blank, width: 0)
                cut(at: items.count)
            } else {
                cut(at: breakCount > 0 ? breakCount : items.count)
                add(cluster)
            }
        }

        /// Puts the cluster into the row if it fits. The first of a row always does.
        private mutating func place(_ cluster: TextLine.Cluster) -> Bool {
            if cluster.character == "\t" {
                let tab = tabWidth - used % tabWidth
                if used >= width { return false }
                append(cluster, glyph: .blank, width: min(tab, width - used))
                return true
            }
            let glyph = Glyph(cluster.character)
            if used + glyph.width > width && !items.isEmpty { return false }
            append(cluster, glyph: glyph, width: min(glyph.width, width))
            return true
        }

        private mutating func append(_ cluster: TextLine.Cluster, glyph: Glyph, width: Int) {
            items.append(
                Placed(
                    glyph: glyph,
                    offset: cluster.offset,
                    count: cluster.count,
                    column: used,
                    width: width
                )
            )
            used += width
        }

        /// Ends the row after `count` items; the rest begins the next.
        private mutating func cut(at count: Int) {
            let rest = items[count...]
            close(Array(items[..<count]))
            items = []
            used = 0
            breakCount = 0
            for item in rest {
                items.append(
                    Placed(
                        glyph: item.glyph,
                        offset: item.offset,
                        count: item.count,
                        column: used,
                        width: item.width
                    )
                )
                used += item.width
            }
        }

        private mutating func close(_ items: [Placed]) {
            let start = rows.last?.range.upperBound ?? 0
            let end = items.last.map { $0.offset + $0.count } ?? start
            rows.append(Row(range: start..<end, items: items))
        }

        mutating func finish() -> [Row] {
            if !items.isEmpty || rows.isEmpty { close(items) }
            return rows
        }
    }
}

/// Cells from one tab stop to the next.
private let tabWidth = 4
