import ArgumentParser
import Sennit
import SennitDocument
import SennitWire

/// `sennit diff`
struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what changed in a document between two versions.",
        usage: "sennit diff <path> <older> [<newer>] [options]",
        discussion: """
              $ sennit diff plans/2027.md 1d
              $ sennit diff plans/2027.md 118 132

            From the older version to the newer one, or to the text as it is. What was deleted and \
            typed anew counts as changed, because it is known who typed what.

            JSON: path, document (its id), changes (position, deletedCount, inserted; in scalars, \
            each in the text that the one before it left).
            """
    )

    @Argument(help: "The path of the document.", completion: .shellCommand("sennit ls --offline"))
    var path: String

    @Argument(help: ArgumentHelp("The older version.", discussion: PastVersion.help))
    var older: PastVersion

    @Argument(help: "The newer version; without it the text as it is.")
    var newer: PastVersion?

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Report: Encodable {
        let path: String
        let document: String
        let changes: [Change]
    }

    private struct Change: Encodable {
        let position: Int
        let deletedCount: Int
        let inserted: String
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "diff") { here in
            await here.receive()
            let document = try await here.document(at: path)
            let from = try await older.version(of: document)
            let to = try await newer?.version(of: document)
            let patches = try await document.changes(from: from, to: to)
            if common.json {
                let changes = patches.map { patch in
                    Change(
                        position: patch.range.lowerBound,
                        deletedCount: patch.range.count,
                        inserted: patch.text
                    )
                }
                let report = Report(path: path, document: document.id.hex, changes: changes)
                return try here.console.printJSON(report)
            }
            let old = try await document.text(at: from)
            if patches.isEmpty { return here.console.note("nothing changed in \(path)") }
            for hunk in LineDiff(patches, of: old).hunks { print(hunk, here.console) }
        }
    }

    private func print(_ hunk: LineDiff.Hunk, _ console: Console) {
        let dress = console.output
        console.print(dress.styled("line \(hunk.firstLine)", .accent))
        for line in hunk.removed { console.print(dress.styled("-" + dress.safe(line), .bad)) }
        for line in hunk.added { console.print(dress.styled("+" + dress.safe(line), .good)) }
    }
}
