import ArgumentParser
import Sennit
import SennitWire

/// `sennit log`
struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "List what happened in the space, in the order it arrived here.",
        usage: "sennit log [<path>] [--last <count>] [options]",
        discussion: """
              $ sennit log --last 20
              $ sennit log plans/2027.md

            One line for each entry of every device's log: its number here, when its author wrote \
            it, who, what, where. Times are as the authors' devices say. The number names the \
            version after the entry, for `sennit diff`, `sennit cat --at` and `sennit restore`; \
            other devices have other numbers.

            JSON: position, time, author, type, log, offset, documents (ids of those it changed; \
            zeros are the list of documents), paths (where these are now), bytes, isEffective.
            """
    )

    @Argument(
        help: "Only entries that changed this document.",
        completion: .shellCommand("sennit ls --offline")
    )
    var path: String?

    @Option(help: ArgumentHelp("Only the last ones.", valueName: "count"))
    var last: Int?

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Line: Encodable {
        let position: UInt64
        let time: Timestamp?
        let author: String?
        let type: String
        let log: String
        let offset: UInt64
        let documents: [String]
        let paths: [String]
        let bytes: Int
        let isEffective: Bool

        private enum CodingKeys: CodingKey {
            case position, time, author, type, log, offset, documents, paths, bytes, isEffective
        }

        // What isn't known is null, so that every line has every key.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(position, forKey: .position)
            try container.encode(time, forKey: .time)
            try container.encode(author, forKey: .author)
            try container.encode(type, forKey: .type)
            try container.encode(log, forKey: .log)
            try container.encode(offset, forKey: .offset)
            try container.encode(documents, forKey: .documents)
            try container.encode(paths, forKey: .paths)
            try container.encode(bytes, forKey: .bytes)
            try container.encode(isEffective, forKey: .isEffective)
        }
    }

    func validate() throws {
        if let last, last < 1 { throw ValidationError("--last takes a number from 1") }
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "log") { here in
            await here.receive()
            var wanted: DocumentID?
            if let path { wanted = try await here.document(at: path).id }
            var paths: [DocumentID: String] = [:]
            for entry in try await here.space.documents() { paths[entry.id] = entry.path }
            let lines = try await here.space.log().filter { line in
                wanted.map { line.documents.contains($0) } ?? true
            }
            for line in lines.suffix(last ?? .max) {
                try print(line, paths, here.console)
            }
        }
    }

    private func print(_ line: LogLine, _ paths: [DocumentID: String], _ console: Console) throws {
        let time = line.authorTime == 0 ? nil : Timestamp(milliseconds: line.authorTime)
        if common.json {
            let report = Line(
                position: line.position,
                time: time,
                author: line.author,
                type: line.type.name,
                log: line.log.hex,
                offset: line.offset.value,
                documents: line.documents.map(\.hex),
                paths: line.documents.compactMap { paths[$0] },
                bytes: line.byteCount,
                isEffective: line.isEffective
            )
            return try console.printJSON(report)
        }
        let dress = console.output
        let author = (line.author ?? "?").onOneLine
        let width = 12
        let name = author + String(repeating: " ", count: max(0, width - author.count))
        let number = String(line.position)
        var text = String(repeating: " ", count: max(0, 5 - number.count)) + number + "  "
        text += dress.styled(time?.local ?? String(repeating: " ", count: 19), .faint) + "  "
        text += dress.styled(name, .accent) + "  " + line.type.name
        let places = line.documents.map { document in
            document == .directory ? "(list of documents)" : paths[document] ?? "(removed)"
        }
        if !places.isEmpty { text += "  " + dress.safe(places.joined(separator: ", ")) }
        if !line.isEffective { text += "  " + dress.styled("no effect", .warning) }
        console.print(text)
    }
}

extension EntryType {
    /// The name of SPEC.md.
    fileprivate var name: String {
        switch self {
        case .genesis: "genesis"
        case .epoch: "epoch"
        case .edit: "edit"
        case .join: "join"
        case .invite: "invite"
        default: "type \(rawValue)"
        }
    }
}
