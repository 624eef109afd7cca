import ArgumentParser
import Sennit

/// `sennit mv`
struct MvCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mv",
        abstract: "Give a document another path.",
        usage: "sennit mv <from> <to> [options]",
        discussion: """
              $ sennit mv draft.md plans/2027.md

            The document stays the same one: who has it open keeps it, and its history stays. \
            Never replaces another document.

            JSON: from, to, saved, sent.
            """
    )

    @Argument(help: "The path it has.", completion: .shellCommand("sennit ls --offline"))
    var from: String

    @Argument(help: "The path it is to have.")
    var to: String

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Report: Encodable {
        let from: String
        let to: String
        let saved = true
        let sent: Bool
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "mv") { here in
            _ = try await here.document(at: from, asksRelay: true)
            try await here.space.move(from, to: to)
            try await here.space.saved()
            if !common.json { here.console.print("moved \(from) to \(to)") }
            let isSent = try await here.send(quietly: common.json)
            if common.json {
                try here.console.printJSON(Report(from: from, to: to, sent: isSent))
            }
        }
    }
}
