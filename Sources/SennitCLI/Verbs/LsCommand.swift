import ArgumentParser
import Sennit
import SennitWire

/// `sennit ls`
struct LsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the documents.",
        usage: "sennit ls [<folder>] [options]",
        discussion: """
              $ sennit ls
              $ sennit ls plans

            Lists every document, or those below a folder, in the order of their paths. When two \
            people gave one path to two documents, both are kept, the second as `path~2`; `sennit \
            mv` gives it a name of its own.

            JSON: path, document (its id), conflictsAt (the path it stands in for, or null).
            """
    )

    @Argument(help: ArgumentHelp("Only what is below this folder.", valueName: "folder"))
    var folder: String?

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Line: Encodable {
        let path: String
        let document: String
        let conflictsAt: String?

        private enum CodingKeys: CodingKey { case path, document, conflictsAt }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(path, forKey: .path)
            try container.encode(document, forKey: .document)
            try container.encode(conflictsAt, forKey: .conflictsAt)
        }
    }

    func run() async throws {
        try await ReadableSpace.with(common, verb: "ls") { here in
            let entries = try await here.documents()
            let shown = entries.filter { entry in
                folder.map { entry.path.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") } ?? true
            }
            for entry in shown {
                try print(entry, here.console)
            }
            if shown.isEmpty, !common.json {
                let place = folder.map { " below \($0)" } ?? ""
                here.console.note("no documents\(place) yet; `sennit edit PATH` begins one")
            }
        }
    }

    private func print(_ entry: ReadableSpace.Entry, _ console: Console) throws {
        if common.json {
            let line = Line(
                path: entry.path,
                document: entry.document.hex,
                conflictsAt: entry.conflictsAt
            )
            try console.printJSON(line)
            return
        }
        var line = console.output.safe(entry.path)
        if let original = entry.conflictsAt, console.output.isTerminal {
            line += console.output.styled(
                "  also made as \(original.withVisibleControls)",
                .warning
            )
        }
        console.print(line)
    }
}
