import SennitDocument

/// One line of the text, cut into grapheme clusters.
struct TextLine: Sendable {
    /// A cluster and where it stands.
    struct Cluster: Sendable {
        let character: Character
        /// Scalars before it in the line.
        let offset: Int
        /// Scalars in it.
        let count: Int

        var end: Int { offset + count }

        /// Whether it is part of a word.
        var isWord: Bool { character.isLetter || character.isNumber || character == "_" }
    }

    /// The scalars of the line in the text, without its line end.
    let range: Range<Int>
    let clusters: [Cluster]

    /// Line `index` of `text`.
    /// - Complexity: O(length of the line).
    init(_ index: Int, of text: Rope) {
        range = text.lineRange(index)
        clusters = TextLine.clusters(text.slice(range))
    }

    static func clusters(_ text: String) -> [Cluster] {
        var offset = 0
        return text.map { character in
            let count = character.unicodeScalars.count
            defer { offset += count }
            return Cluster(character: character, offset: offset, count: count)
        }
    }

    /// The end of the first cluster that ends behind `offset`; `nil` at the end of the line.
    func boundary(after offset: Int) -> Int? {
        let index = clusters.firstIndex { $0.end > offset }
        return index.map { clusters[$0].end }
    }

    /// The start of the last cluster that starts before `offset`; `nil` at the start of the line.
    func boundary(before offset: Int) -> Int? {
        clusters.last { $0.offset < offset }?.offset
    }

    /// Where the next word begins, or the line's end; `nil` at the end.
    func wordStart(after offset: Int) -> Int? {
        var rest = clusters.drop { $0.offset < offset }
        if rest.isEmpty { return nil }
        rest = rest.drop { $0.isWord }
        rest = rest.drop { !$0.isWord }
        return rest.first?.offset ?? range.count
    }

    /// Where the word before `offset` begins, or the line's start; `nil` at the start.
    func wordStart(before offset: Int) -> Int? {
        if offset == 0 { return nil }
        var start = 0
        var isInWord = false
        for cluster in clusters.reversed() where cluster.offset < offset {
            if isInWord && !cluster.isWord { break }
            isInWord = isInWord || cluster.isWord
            start = cluster.offset
        }
        return start
    }
}
