import ArgumentParser
import Sennit
import SennitWire

/// `sennit search`
struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find documents by their words.",
        usage: "sennit search <word> ... [options]",
        discussion: """
              $ sennit search blind relay
              $ sennit search '"blind relay"' sync*

            Finds the documents that have all the words, in the text or the path, the best first. \
            Words in double quotes stand together; a star ends the beginning of a word. Case and \
            accents don't count. Exits with 1 if nothing is found.

            JSON: path, document (its id), snippet (a list of text and isMatch).
            """
    )

    @Argument(help: "What to look for.")
    var words: [String]

    @Option(help: ArgumentHelp("How many documents to show at most.", valueName: "count"))
    var limit: Int = 50

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Line: Encodable {
        struct Part: Encodable {
            let text: String
            let isMatch: Bool
        }

        let path: String
        let document: String
        let snippet: [Part]
    }

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit takes a number from 1") }
    }

    func run() async throws {
        try await ReadableSpace.with(common, verb: "search") { here in
            let query = words.joined(separator: " ")
            let hits = try await here.search(query).prefix(limit)
            let dress = here.console.output
            for hit in hits {
                if common.json {
                    let parts = hit.snippet.map { Line.Part(text: $0.text, isMatch: $0.isMatch) }
                    let line = Line(path: hit.path, document: hit.document.hex, snippet: parts)
                    try here.console.printJSON(line)
                    continue
                }
                let snippet = snippet(hit, dress)
                here.console.print(dress.styled(dress.safe(hit.path), .accent) + ": " + snippet)
            }
            if hits.isEmpty {
                here.console.note("nothing found")
                throw ExitCode.failure
            }
        }
    }

    /// The text around the match on one line, without a blank at its end.
    private func snippet(_ hit: SearchResult, _ dress: Console.Dress) -> String {
        var parts = hit.snippet.map { part in
            (text: part.text.replacing("\n", with: " ").onOneLine, isMatch: part.isMatch)
        }
        while let last = parts.last, last.text.hasSuffix(" ") {
            parts[parts.count - 1].text = String(last.text.dropLast())
        }
        return parts.map { $0.isMatch ? dress.styled($0.text, .strong) : $0.text }.joined()
    }
}
