import ArgumentParser
import Sennit

/// `sennit append`
struct AppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append",
        abstract: "Add standard input at the end of a document.",
        usage: "sennit append <path> [options] < text",
        discussion: """
              $ date | sennit append journal.md

            Adds exactly what comes in, without a line end of its own. Makes the document if \
            there is none. Two who append at the same time both keep their lines whole.

            JSON: path, document (its id), changes (0 or 1), saved, sent.
            """
    )

    @Argument(help: "The path of the document.", completion: .shellCommand("sennit ls --offline"))
    var path: String

    @OptionGroup(title: "Common options") var common: CommonOptions

    func run() async throws {
        try await OpenSpace.with(common, verb: "append") { here in
            let text = try StandardInput.text(here.console)
            let document = try await here.space.document(at: path, create: true)
            if !text.isEmpty { try await document.append(text) }
            try await here.finish(document, changes: text.isEmpty ? 0 : 1, json: common.json)
        }
    }
}
