import ArgumentParser
import Sennit

/// `sennit rm`
struct RmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Take documents out of the space.",
        usage: "sennit rm <path> ... [options]",
        discussion: """
              $ sennit rm draft.md

            The path goes away on every device. What was written stays in the space's history; \
            this erases nothing.

            JSON: path, saved, sent.
            """
    )

    @Argument(help: "The paths of documents.", completion: .shellCommand("sennit ls --offline"))
    var path: [String]

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Report: Encodable {
        let path: String
        let saved = true
        let sent: Bool
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "rm") { here in
            for path in path {
                _ = try await here.document(at: path, asksRelay: true)
                try await here.space.remove(path)
                try await here.space.saved()
                if !common.json { here.console.print("removed \(path)") }
            }
            let isSent = try await here.send(quietly: common.json)
            guard common.json else { return }
            for path in path { try here.console.printJSON(Report(path: path, sent: isSent)) }
        }
    }
}
