import ArgumentParser
import Sennit

/// `sennit rotate`
struct RotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Change the key of the space.",
        usage: "sennit rotate [options]",
        discussion: """
              $ sennit rotate

            Whoever copied the key, from a lost backup say, can't read what is written from now \
            on. Members notice nothing. `sennit remove` and `sennit revoke` do it by themselves.

            JSON: saved, sent.
            """
    )

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Report: Encodable {
        let saved = true
        let sent: Bool
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "rotate") { here in
            await here.receive()
            try await here.space.rotate()
            if !common.json { here.console.print("changed the key of \(here.info.name)") }
            let isSent = try await here.send(quietly: common.json)
            if common.json { try here.console.printJSON(Report(sent: isSent)) }
        }
    }
}
