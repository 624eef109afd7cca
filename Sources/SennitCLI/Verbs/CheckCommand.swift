import ArgumentParser
import Sennit

/// `sennit check`
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Prove everything the profile holds, and make the index anew.",
        usage: "sennit check [--rebuild] [options]",
        discussion: """
              $ sennit check
              $ sennit check --rebuild

            Reads every byte and believes none: hashes, signatures, positions, and every document \
            by replaying its history. Deletes nothing. `--rebuild` drops the search index first \
            and derives it again. Exits with 65 if something is wrong.

            JSON: findings (kind, place, detail), isCut (whether there were more), spaces (space, \
            name, logCount, entryCount, byteCount, waitingCount, documentCount, pendingCount).
            """
    )

    @Flag(help: "Drop the index and derive it again.")
    var rebuild = false

    @OptionGroup(title: "Common options") var output: OutputOptions
    @OptionGroup(title: "Common options") var profile: ProfileOptions

    func run() async throws {
        let console = profile.console
        try await OpenProfile.with(profile, verb: "check") { opened in
            let report = try await Progress.shown("reading the whole profile", console) {
                try await opened.engine.check(rebuild: rebuild)
            }
            if output.json {
                try console.printJSON(report)
            } else {
                show(report, console)
            }
            if !report.isSound {
                throw Failure(
                    .damaged,
                    "the profile is damaged; nothing was deleted",
                    hint: "restore a backup, or join anew: the relay has what was sent"
                )
            }
        }
    }

    private func show(_ report: ProfileReport, _ console: Console) {
        let dress = console.output
        for finding in report.findings {
            console.print(
                dress.styled(finding.kind, .bad) + "  \(finding.place): "
                    + dress.safe(finding.detail)
            )
        }
        if report.isCut { console.print("… and more") }
        for space in report.spaces {
            let waiting = space.waitingCount == 0 ? "" : ", \(space.waitingCount) waiting"
            console.print(
                "\(dress.safe(space.name)): \(space.logCount) logs, \(space.entryCount) entries, "
                    + "\(space.byteCount) bytes\(waiting)"
            )
        }
        if report.isSound { console.print(dress.styled("all is sound", .good)) }
    }
}
