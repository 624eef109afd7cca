import SennitDocument

/// Changes of a text as whole lines, for people to read.
struct LineDiff {
    /// Lines that changed together.
    struct Hunk: Equatable {
        /// The number of the first line in the older text, from 1.
        var firstLine: Int
        var removed: [String]
        var added: [String]
    }

    private(set) var hunks: [Hunk] = []

    /// - Parameters:
    ///   - patches: From left to right; each applies to what the one before it left.
    ///   - text: The older text.
    init(_ patches: [Patch], of text: String) {
        let scalars = Array(text.unicodeScalars)
        var starts = [0]
        for (index, scalar) in scalars.enumerated() where scalar == "\n" {
            starts.append(index + 1)
        }
        var growth = 0
        var group: (lines: Range<Int>, edits: [(range: Range<Int>, text: String)])?
        for patch in patches {
            let low = patch.range.lowerBound - growth
            let range = low..<(low + patch.range.count)
            growth += patch.text.unicodeScalars.count - patch.range.count
            let first = LineDiff.line(of: range.lowerBound, starts)
            let last = LineDiff.line(of: range.upperBound, starts)
            if let open = group, first < open.lines.upperBound {
                let end = max(open.lines.upperBound, last + 1)
                group = (open.lines.lowerBound..<end, open.edits + [(range, patch.text)])
            } else {
                if let group { append(group.lines, group.edits, scalars, starts) }
                group = (first..<(last + 1), [(range, patch.text)])
            }
        }
        if let group { append(group.lines, group.edits, scalars, starts) }
    }

    /// The index of the line that holds a position.
    private static func line(of position: Int, _ starts: [Int]) -> Int {
        var low = 0
        var high = starts.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if starts[middle] <= position { low = middle } else { high = middle - 1 }
        }
        return low
    }

    private mutating func append(
        _ lines: Range<Int>,
        _ edits: [(range: Range<Int>, text: String)],
        _ scalars: [Unicode.Scalar],
        _ starts: [Int]
    ) {
        let start = starts[lines.lowerBound]
        let end = lines.upperBound < starts.count ? starts[lines.upperBound] : scalars.count
        var new = String.UnicodeScalarView()
        var position = start
        for edit in edits {
            new.append(contentsOf: scalars[position..<edit.range.lowerBound])
            new.append(contentsOf: edit.text.unicodeScalars)
            position = edit.range.upperBound
        }
        new.append(contentsOf: scalars[position..<end])
        var old = String.UnicodeScalarView()
        old.append(contentsOf: scalars[start..<end])
        var removed = LineDiff.lines(String(old))
        var added = LineDiff.lines(String(new))
        var firstLine = lines.lowerBound + 1
        // A line end that was typed behind a line leaves that line as it was.
        while let left = removed.first, let right = added.first, left == right {
            removed.removeFirst()
            added.removeFirst()
            firstLine += 1
        }
        while let left = removed.last, let right = added.last, left == right {
            removed.removeLast()
            added.removeLast()
        }
        if removed.isEmpty, added.isEmpty { return }
        hunks.append(Hunk(firstLine: firstLine, removed: removed, added: added))
    }

    /// The lines of a text without their ends.
    static func lines(_ text: String) -> [String] {
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .map { String(String.UnicodeScalarView($0)) }
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}
