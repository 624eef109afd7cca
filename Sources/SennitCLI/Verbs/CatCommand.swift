import ArgumentParser
import Sennit
import SennitWire

/// `sennit cat`
struct CatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Print documents.",
        usage: "sennit cat <path> ... [options]",
        discussion: """
              $ sennit cat plans/2027.md

            Asks the relay for news first, for as long as `--wait` says, and then prints what is \
            here. Prints every byte as it is, except that a terminal is shown control characters \
            instead of obeying them.

            JSON: path, document (its id), text.
            """
    )

    @Argument(help: "The paths of documents.", completion: .shellCommand("sennit ls --offline"))
    var path: [String]

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Report: Encodable {
        let path: String
        let document: String
        let text: String
    }

    func run() async throws {
        try await ReadableSpace.with(common, verb: "cat") { here in
            for path in path {
                let (document, text) = try await here.text(at: path)
                if common.json {
                    let report = Report(path: path, document: document.hex, text: text)
                    try here.console.printJSON(report)
                } else {
                    here.console.write(here.console.output.contents(text))
                }
            }
        }
    }
}
