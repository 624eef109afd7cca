import SennitDocument

/// A search in progress: the prompt at the bottom of the screen.
struct Search: Sendable {
    var query: String
    /// Where the cursor was when the search began; a longer query is looked for from here.
    var origin: Int
    /// What was found; `nil` for nothing.
    var match: Range<Int>?

    mutating func move(over patch: Patch) {
        origin = patch.moved(origin, gravity: .left)
        match = match.map { patch.moved($0) }
    }
}

extension Search {
    /// The first place of `query` at or behind `start`, then from the beginning.
    ///
    /// Letter case counts only if the query has a capital.
    /// - Complexity: O(text · query) at worst; about 10 ns a scalar for ordinary text.
    static func next(_ query: String, in text: Rope, from start: Int) -> Range<Int>? {
        let pattern = Pattern(query)
        return pattern.first(in: text, within: start..<text.scalarCount)
            ?? pattern.first(in: text, within: 0..<min(start + pattern.count, text.scalarCount))
    }

    /// The last place of `query` that begins before `end`, then from the end of the text.
    static func previous(_ query: String, in text: Rope, before end: Int) -> Range<Int>? {
        let pattern = Pattern(query)
        let limit = min(max(end - 1, 0) + pattern.count, text.scalarCount)
        return (end > 0 ? pattern.last(in: text, within: 0..<limit) : nil)
            ?? pattern.last(in: text, within: 0..<text.scalarCount)
    }

    /// A query ready to be compared.
    private struct Pattern {
        let scalars: [Unicode.Scalar]
        let ignoresCase: Bool

        init(_ query: String) {
            let given = Array(query.unicodeScalars)
            ignoresCase = !given.contains { $0.properties.isUppercase }
            scalars = ignoresCase ? given.map(Pattern.folded) : given
        }

        var count: Int { scalars.count }

        func first(in text: Rope, within range: Range<Int>) -> Range<Int>? {
            var start = range.lowerBound
            while start + count <= range.upperBound {
                let end = min(start + Limits.searchWindowScalarCount + count, range.upperBound)
                if let index = places(in: text, start..<end, stopAtFirst: true).first {
                    return index..<(index + count)
                }
                start = end - count + 1
            }
            return nil
        }

        func last(in text: Rope, within range: Range<Int>) -> Range<Int>? {
            var end = range.upperBound
            while end - count >= range.lowerBound {
                let start = max(end - Limits.searchWindowScalarCount - count, range.lowerBound)
                if let index = places(in: text, start..<end, stopAtFirst: false).last {
                    return index..<(index + count)
                }
                end = start + count - 1
            }
            return nil
        }

        private func places(in text: Rope, _ range: Range<Int>, stopAtFirst: Bool) -> [Int] {
            guard let head = scalars.first, range.count >= count else { return [] }
            let slice = text.slice(range).unicodeScalars
            let window = ignoresCase ? slice.map(Pattern.folded) : Array(slice)
            var found: [Int] = []
            for start in 0...(window.count - count) where window[start] == head {
                if window[start..<(start + count)].elementsEqual(scalars) {
                    found.append(range.lowerBound + start)
                    if stopAtFirst { break }
                }
            }
            return found
        }

        /// Lower case, for scalars whose lower case is one scalar.
        private static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
            if scalar.isASCII {
                let isCapital = scalar >= "A" && scalar <= "Z"
                return isCapital ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar
            }
            let lower = scalar.properties.lowercaseMapping.unicodeScalars
            return lower.count == 1 ? lower.first ?? scalar : scalar
        }
    }
}

extension EditorModel {
    mutating func beginSearch() {
        search = Search(query: lastQuery, origin: cursor, match: nil)
        anchor = nil
    }

    /// Takes in a key while the prompt is open.
    /// - Returns: whether the key was used up; otherwise the prompt is closed and the key acts.
    mutating func pressInSearch(_ key: Key) -> Bool {
        switch (key.code, key.modifiers) {
        case (.scalar(let scalar), []), (.scalar(let scalar), .shift):
            extendSearch(with: String(scalar))
        case (.backspace, _):
            guard var open = search else { return false }
            if !open.query.isEmpty { open.query.removeLast() }
            search = open
            findFromOrigin()
        case (.enter, _), (.down, _), (.scalar("f"), .control), (.scalar("w"), .control):
            findNext()
        case (.up, _):
            findPrevious()
        case (.escape, _), (.scalar("c"), .control), (.scalar("g"), .control):
            endSearch()
        default:
            endSearch()
            return false
        }
        return true
    }

    mutating func extendSearch(with addition: String) {
        guard let query = search?.query else { return }
        let line = addition.prefix { !$0.isNewline }
        let scalars = (query + line).unicodeScalars.prefix(Limits.queryScalarCount)
        search?.query = String(scalars)
        findFromOrigin()
    }

    mutating func endSearch() {
        if let query = search?.query, !query.isEmpty { lastQuery = query }
        search = nil
    }

    private mutating func findFromOrigin() {
        guard let open = search else { return }
        let match =
            open.query.isEmpty ? nil : Search.next(open.query, in: text, from: open.origin)
        search?.match = match
        moveCursor(to: match?.lowerBound ?? open.origin)
    }

    private mutating func findNext() {
        guard let open = search, !open.query.isEmpty else { return }
        let start = open.match.map { $0.lowerBound + 1 } ?? cursor
        land(Search.next(open.query, in: text, from: min(start, text.scalarCount)))
    }

    private mutating func findPrevious() {
        guard let open = search, !open.query.isEmpty else { return }
        land(Search.previous(open.query, in: text, before: open.match?.lowerBound ?? cursor))
    }

    private mutating func land(_ match: Range<Int>?) {
        search?.match = match
        guard let match else { return }
        search?.origin = match.lowerBound
        moveCursor(to: match.lowerBound)
    }
}
