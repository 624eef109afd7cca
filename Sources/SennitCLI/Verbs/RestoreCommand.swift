import ArgumentParser
import Sennit

/// `sennit restore`
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a document what it was at an older version.",
        usage: "sennit restore <path> <version> [options]",
        discussion: """
              $ sennit restore plans/2027.md 2h
              $ sennit restore plans/2027.md 118

            An edit like any other: what came after that version stays in the history, what others \
            write meanwhile is merged, and restoring the version of now brings everything back. \
            `sennit log <path>` lists versions, `sennit diff <path> <version>` shows what would \
            change.

            JSON: path, document (its id), changes (how many places), saved, sent.
            """
    )

    @Argument(help: "The path of the document.", completion: .shellCommand("sennit ls --offline"))
    var path: String

    @Argument(help: ArgumentHelp("The version.", discussion: PastVersion.help))
    var version: PastVersion

    @OptionGroup(title: "Common options") var common: CommonOptions

    func run() async throws {
        try await OpenSpace.with(common, verb: "restore") { here in
            await here.receive()
            let document = try await here.document(at: path)
            let count = try await document.restore(try await version.version(of: document))
            if count == 0, !common.json {
                here.console.print("nothing to change in \(here.console.output.safe(path))")
            } else {
                try await here.finish(document, changes: count, json: common.json)
            }
        }
    }
}
