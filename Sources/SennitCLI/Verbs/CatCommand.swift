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
              $ sennit cat plans/2027.md --at 2h

            Asks the relay for news first, for as long as `--wait` says, and then prints what is \
            here. Prints every byte as it is, except that a terminal is shown control characters \
            instead of obeying them.

            JSON: path, document (its id), text.
            """
    )

    @Argument(help: "The paths of documents.", completion: .shellCommand("sennit ls --offline"))
    var path: [String]

    @Option(
        help: ArgumentHelp(
            "An older version.",
            discussion: PastVersion.help,
            valueName: "version"
        )
    )
    var at: PastVersion?

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Report: Encodable {
        let path: String
        let document: String
        let text: String
    }

    func run() async throws {
        if let at { return try await printPast(at) }
        try await ReadableSpace.with(common, verb: "cat") { here in
            for path in path {
                let (document, text) = try await here.text(at: path)
                try print(path, document, text, here.console)
            }
        }
    }

    private func printPast(_ past: PastVersion) async throws {
        try await OpenSpace.with(common, verb: "cat") { here in
            await here.receive()
            for path in path {
                let document = try await here.document(at: path)
                let text = try await document.text(at: try await past.version(of: document))
                try print(path, document.id, text, here.console)
            }
        }
    }

    private func print(
        _ path: String,
        _ document: DocumentID,
        _ text: String,
        _ console: Console
    ) throws {
        if common.json {
            try console.printJSON(Report(path: path, document: document.hex, text: text))
        } else {
            console.write(console.output.contents(text))
        }
    }
}
