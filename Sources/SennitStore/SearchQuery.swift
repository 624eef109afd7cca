/// What a person typed, as an expression of FTS5 that can't have a syntax error.
///
///     sennit relay        documents that have both words
///     "blind relay"       the words one after the other; an open quote ends with the line
///     sync*               words that begin so; also after a phrase
///
/// Everything else is text: operators, column names and parentheses lose their meaning, because
/// each term becomes an FTS5 string: "embedded double quotes [are] escaped by adding a second
/// double quote" (https://www.sqlite.org/fts5.html, section 3). Terms without a letter or digit are
/// left out; they would match nothing.
struct SearchQuery: Hashable {
    /// The expression; `nil` if nothing is searched for.
    let expression: String?

    init(_ text: String) {
        var terms: [String] = []
        var rest = text.prefix(scalars: StoreLimits.searchByteCount)[...]
        while terms.count < StoreLimits.searchTermCount, let first = rest.first {
            if first.properties.isWhitespace || first == "\0" {
                rest.removeFirst()
                continue
            }
            let term: Substring.UnicodeScalarView
            if first == "\"" {
                term = rest.dropFirst().prefix { $0 != "\"" }
                rest = rest[term.endIndex...].dropFirst()
            } else {
                term = rest.prefix { !$0.properties.isWhitespace && $0 != "\"" }
                rest = rest[term.endIndex...]
            }
            var isPrefix = term.last == "*"
            if first == "\"", rest.first == "*" {
                isPrefix = true
                rest.removeFirst()
            }
            if let quoted = SearchQuery.quoted(term) {
                terms.append(isPrefix ? quoted + " *" : quoted)
            }
        }
        expression = terms.isEmpty ? nil : terms.joined(separator: " ")
    }

    private static func quoted(_ term: Substring.UnicodeScalarView) -> String? {
        guard term.contains(where: \.isSearched) else { return nil }
        let kept = term.filter { $0 != "\0" && $0 != "\"" }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: kept)
        return "\"\(String(text))\""
    }
}

extension Unicode.Scalar {
    /// Whether FTS5's unicode61 takes it for a part of a word: letters, numbers, private use.
    fileprivate var isSearched: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .decimalNumber, .letterNumber, .otherNumber, .privateUse:
            true
        default: false
        }
    }
}

extension String {
    fileprivate func prefix(scalars count: Int) -> Substring.UnicodeScalarView {
        unicodeScalars.prefix(count)
    }
}
