import ArgumentParser
import Sennit

/// `sennit write`
struct WriteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write",
        abstract: "Replace a document's text by standard input.",
        usage: "sennit write <path> [options] < text",
        discussion: """
              $ sennit write plans/2027.md < plan.md

            Changes only what differs from the text as this device last had it. So `sennit cat`, \
            a change and `sennit write` keep what others wrote meanwhile. Makes the document if \
            there is none. Returns once the text is saved on this device; \
            then tries to send it, for as long as `--wait` says.

            JSON: path, document (its id), changes (how many places), saved, sent.
            """
    )

    @Argument(help: "The path of the document.", completion: .shellCommand("sennit ls --offline"))
    var path: String

    @OptionGroup(title: "Common options") var common: CommonOptions

    func run() async throws {
        try await OpenSpace.with(common, verb: "write") { here in
            let text = try StandardInput.text(here.console)
            let isNew = try await !here.space.documents().contains { $0.path == path }
            let document = try await here.space.document(at: path, create: true)
            let count = try await document.write(text)
            if count == 0, !isNew, !common.json {
                here.console.print("nothing to change in \(here.console.output.safe(path))")
            } else {
                try await here.finish(document, changes: count, json: common.json)
            }
        }
    }
}
