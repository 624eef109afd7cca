public import SennitDocument

// How a text became another, in few patches, for changes that come as whole texts: a file that was
// saved, the input of `sennit write`. Few and small patches matter because each is an edit like any
// other: what isn't touched merges with what others do there.
//
// First by lines, then by scalars within the lines that changed:
//
//     a b c d e     lines b and c went, X came: a hunk
//     a X   d e     within the hunk "b\nc\n" → "X\n" scalars are compared
//
// Both use Myers' greedy algorithm: the edit graph is walked along diagonals, d edits at a time,
// and for each diagonal the furthest point is kept. The path is found back through the kept rounds.
// Example: ABCABBA → CBABAC needs 5 edits. Its time and memory are O(d²), so d has a bound, beyond
// which the rest is one patch. Runs of equal scalars that are shorter than what divides them are
// no sign that a person kept them, and are replaced along (`joined`).
//
// Source: Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986), figure
// 2. Left out: the linear-space variation, which the bound makes needless.

/// The difference of two texts.
public enum TextDiff {
    /// Patches that turn `old` into `new`, each on the text that the one before it left, ascending.
    /// - Complexity: O(n + d²) for d edited lines or scalars, with a bound on d.
    public static func patches(from old: String, to new: String) -> [Patch] {
        let old = Array(old.unicodeScalars)
        let new = Array(new.unicodeScalars)
        let oldLines = lines(of: old)
        let newLines = lines(of: new)
        var numbers: [ArraySlice<Unicode.Scalar>: Int] = [:]
        func number(_ line: Range<Int>, in text: [Unicode.Scalar]) -> Int {
            if let known = numbers[text[line]] { return known }
            numbers[text[line]] = numbers.count
            return numbers.count - 1
        }
        let oldNumbers = oldLines.map { number($0, in: old) }
        let newNumbers = newLines.map { number($0, in: new) }
        let hunks = hunks(oldNumbers, newNumbers, limit: EngineLimits.maximumLineEditCount)
        var changes: [Hunk] = []
        for hunk in hunks {
            let oldRange = scalars(of: hunk.old, in: oldLines, count: old.count)
            let newRange = scalars(of: hunk.new, in: newLines, count: new.count)
            changes += refined(Hunk(old: oldRange, new: newRange), old, new)
        }
        return sequential(changes, new)
    }

    /// A stretch of the old that became a stretch of the new; either may be empty.
    struct Hunk: Hashable {
        var old: Range<Int>
        var new: Range<Int>
    }

    /// The lines of a text, each with its "\n".
    private static func lines(of text: [Unicode.Scalar]) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        for (index, scalar) in text.enumerated() where scalar == "\n" {
            lines.append(start..<(index + 1))
            start = index + 1
        }
        if start < text.count { lines.append(start..<text.count) }
        return lines
    }

    private static func scalars(
        of lineRange: Range<Int>,
        in lines: [Range<Int>],
        count: Int
    ) -> Range<Int> {
        let isAtEnd = lineRange.lowerBound == lines.count
        let start = isAtEnd ? count : lines[lineRange.lowerBound].lowerBound
        return start..<(lineRange.isEmpty ? start : lines[lineRange.upperBound - 1].upperBound)
    }

    /// A hunk of lines as hunks of scalars.
    private static func refined(
        _ hunk: Hunk,
        _ old: [Unicode.Scalar],
        _ new: [Unicode.Scalar]
    ) -> [Hunk] {
        guard !hunk.old.isEmpty, !hunk.new.isEmpty,
            hunk.old.count + hunk.new.count <= EngineLimits.maximumComparedScalarCount
        else { return [trimmed(hunk, old, new)] }
        let inner = hunks(
            Array(old[hunk.old]),
            Array(new[hunk.new]),
            limit: EngineLimits.maximumScalarEditCount
        )
        let placed = inner.map { inner in
            Hunk(
                old: inner.old.shifted(by: hunk.old.lowerBound),
                new: inner.new.shifted(by: hunk.new.lowerBound)
            )
        }
        return joined(placed)
    }

    /// A hunk without the scalars that are equal at its ends.
    private static func trimmed(
        _ hunk: Hunk,
        _ old: [Unicode.Scalar],
        _ new: [Unicode.Scalar]
    ) -> Hunk {
        var hunk = hunk
        while !hunk.old.isEmpty, !hunk.new.isEmpty,
            old[hunk.old.lowerBound] == new[hunk.new.lowerBound]
        {
            hunk.old = (hunk.old.lowerBound + 1)..<hunk.old.upperBound
            hunk.new = (hunk.new.lowerBound + 1)..<hunk.new.upperBound
        }
        while !hunk.old.isEmpty, !hunk.new.isEmpty,
            old[hunk.old.upperBound - 1] == new[hunk.new.upperBound - 1]
        {
            hunk.old = hunk.old.lowerBound..<(hunk.old.upperBound - 1)
            hunk.new = hunk.new.lowerBound..<(hunk.new.upperBound - 1)
        }
        return hunk
    }

    /// Joins neighbours that are divided by less than they change.
    static func joined(_ hunks: [Hunk]) -> [Hunk] {
        var joined: [Hunk] = []
        for hunk in hunks {
            if let last = joined.last {
                let gap = hunk.old.lowerBound - last.old.upperBound
                let changed = min(
                    max(last.old.count, last.new.count),
                    max(hunk.old.count, hunk.new.count)
                )
                if gap < changed {
                    joined[joined.count - 1] = Hunk(
                        old: last.old.lowerBound..<hunk.old.upperBound,
                        new: last.new.lowerBound..<hunk.new.upperBound
                    )
                    continue
                }
            }
            joined.append(hunk)
        }
        return joined
    }

    private static func sequential(_ hunks: [Hunk], _ new: [Unicode.Scalar]) -> [Patch] {
        // Everything before a hunk is new already when it is applied, so it begins where it begins
        // in the new text.
        hunks.filter { !$0.old.isEmpty || !$0.new.isEmpty }.map { hunk in
            var text = String.UnicodeScalarView()
            text.append(contentsOf: new[hunk.new])
            let start = hunk.new.lowerBound
            return Patch(range: start..<(start + hunk.old.count), text: String(text))
        }
    }
}

extension TextDiff {
    /// Where two sequences differ, ascending; one hunk for all that needs more than `limit` edits.
    static func hunks<Element: Equatable>(
        _ old: [Element],
        _ new: [Element],
        limit: Int
    ) -> [Hunk] {
        var start = 0
        while start < min(old.count, new.count), old[start] == new[start] { start += 1 }
        var oldEnd = old.count
        var newEnd = new.count
        while oldEnd > start, newEnd > start, old[oldEnd - 1] == new[newEnd - 1] {
            oldEnd -= 1
            newEnd -= 1
        }
        let rest = Hunk(old: start..<oldEnd, new: start..<newEnd)
        if rest.old.isEmpty && rest.new.isEmpty { return [] }
        if rest.old.isEmpty || rest.new.isEmpty { return [rest] }
        guard let rounds = rounds(old, new, within: rest, limit: limit) else { return [rest] }
        return path(through: rounds, within: rest)
    }

    /// For each count of edits the furthest point in the old on each diagonal; `nil` if the limit
    /// is not enough. Round d covers diagonals -d...d, and stands for diagonal k at index k + d.
    private static func rounds<Element: Equatable>(
        _ old: [Element],
        _ new: [Element],
        within rest: Hunk,
        limit: Int
    ) -> [[Int]]? {
        let oldCount = rest.old.count
        let newCount = rest.new.count
        var rounds: [[Int]] = []
        for edits in 0...min(limit, oldCount + newCount) {
            var furthest = [Int](repeating: 0, count: 2 * edits + 1)
            for diagonal in stride(from: -edits, through: edits, by: 2) {
                var oldIndex = start(of: diagonal, edits, rounds)
                var newIndex = oldIndex - diagonal
                while oldIndex < oldCount, newIndex < newCount, newIndex >= 0,
                    old[rest.old.lowerBound + oldIndex] == new[rest.new.lowerBound + newIndex]
                {
                    oldIndex += 1
                    newIndex += 1
                }
                furthest[diagonal + edits] = oldIndex
                if oldIndex >= oldCount, newIndex >= newCount {
                    rounds.append(furthest)
                    return rounds
                }
            }
            rounds.append(furthest)
        }
        return nil
    }

    /// Where round `edits` begins on a diagonal: one edit after the further of its two neighbours.
    private static func start(of diagonal: Int, _ edits: Int, _ rounds: [[Int]]) -> Int {
        if edits == 0 { return 0 }
        let last = rounds[edits - 1]
        let below = diagonal == -edits ? -1 : last[diagonal - 1 + edits - 1]
        let above = diagonal == edits ? -1 : last[diagonal + 1 + edits - 1]
        return isInsertion(diagonal, edits, last) ? above : below + 1
    }

    private static func isInsertion(_ diagonal: Int, _ edits: Int, _ last: [Int]) -> Bool {
        if diagonal == -edits { return true }
        if diagonal == edits { return false }
        return last[diagonal - 1 + edits - 1] < last[diagonal + 1 + edits - 1]
    }

    /// The edits of the path to the end, joined where they touch.
    private static func path(through rounds: [[Int]], within rest: Hunk) -> [Hunk] {
        var hunks: [Hunk] = []
        var diagonal = rest.old.count - rest.new.count
        for edits in stride(from: rounds.count - 1, to: 0, by: -1) {
            let last = rounds[edits - 1]
            let isInsertion = isInsertion(diagonal, edits, last)
            let previous = isInsertion ? diagonal + 1 : diagonal - 1
            let before = last[previous + edits - 1]
            let oldRange = before..<(isInsertion ? before : before + 1)
            let newStart = before - previous
            let newRange = newStart..<(isInsertion ? newStart + 1 : newStart)
            let hunk = Hunk(
                old: oldRange.shifted(by: rest.old.lowerBound),
                new: newRange.shifted(by: rest.new.lowerBound)
            )
            if let next = hunks.last, next.old.lowerBound == hunk.old.upperBound,
                next.new.lowerBound == hunk.new.upperBound
            {
                hunks[hunks.count - 1] = Hunk(
                    old: hunk.old.lowerBound..<next.old.upperBound,
                    new: hunk.new.lowerBound..<next.new.upperBound
                )
            } else {
                hunks.append(hunk)
            }
            diagonal = previous
        }
        return hunks.reversed()
    }
}

extension Range<Int> {
    fileprivate func shifted(by count: Int) -> Range<Int> {
        (lowerBound + count)..<(upperBound + count)
    }
}
