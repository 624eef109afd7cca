import ArgumentParser
import Sennit
import SennitDocument
import SennitWire

/// `sennit blame`
struct BlameCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blame",
        abstract: "Show who wrote each line of a document, and when.",
        usage: "sennit blame <path> [options]",
        discussion: """
              $ sennit blame plans/2027.md

            For each line the time of its newest words, and who wrote most of it; a + stands for \
            others who wrote in it too. Times are as the authors' devices say. Nobody can write in \
            another's name.

            JSON, one line for each piece that one entry brought: path, start, end (in scalars), \
            author, log, position (of the entry in `sennit log`), time, text. Position and time \
            are null for what no entry holds yet.
            """
    )

    @Argument(help: "The path of the document.", completion: .shellCommand("sennit ls --offline"))
    var path: String

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Piece: Encodable {
        let path: String
        let start: Int
        let end: Int
        let author: String?
        let log: String
        let position: UInt64?
        let time: Timestamp?
        let text: String

        private enum CodingKeys: CodingKey {
            case path, start, end, author, log, position, time, text
        }

        // What isn't known is null, so that every line has every key.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(path, forKey: .path)
            try container.encode(start, forKey: .start)
            try container.encode(end, forKey: .end)
            try container.encode(author, forKey: .author)
            try container.encode(log, forKey: .log)
            try container.encode(position, forKey: .position)
            try container.encode(time, forKey: .time)
            try container.encode(text, forKey: .text)
        }
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "blame") { here in
            await here.receive()
            let document = try await here.document(at: path)
            let (text, pieces) = try await document.authorship()
            let scalars = Array(text.unicodeScalars)
            if common.json {
                for piece in pieces { try print(piece, scalars, here.console) }
            } else {
                print(AuthoredLine.all(scalars, pieces), here.console)
            }
        }
    }

    private func print(
        _ piece: AuthoredText,
        _ scalars: [Unicode.Scalar],
        _ console: Console
    ) throws {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[piece.range])
        let report = Piece(
            path: path,
            start: piece.range.lowerBound,
            end: piece.range.upperBound,
            author: piece.author,
            log: piece.log.hex,
            position: piece.position,
            time: piece.authorTime.map(Timestamp.init(milliseconds:)),
            text: String(text)
        )
        try console.printJSON(report)
    }

    private func print(_ lines: [AuthoredLine], _ console: Console) {
        let dress = console.output
        let names = lines.map(\.name.onOneLine)
        let width = min(names.map(\.count).max() ?? 0, 20)
        for (line, name) in zip(lines, names) {
            let time = line.time.map { Timestamp(milliseconds: $0).local } ?? "not sent yet"
            let padded = String(name.prefix(width))
            console.print(
                dress.styled(time + String(repeating: " ", count: max(0, 19 - time.count)), .faint)
                    + "  " + dress.styled(padded, .accent)
                    + String(repeating: " ", count: width - padded.count) + "  "
                    + dress.safe(line.text)
            )
        }
    }
}

/// A line of a text and who wrote it.
struct AuthoredLine: Equatable {
    var text: String
    /// Who wrote most of it; with a + if others wrote in it too.
    var name: String
    /// When its newest part was written; `nil` if that is in no entry yet.
    var time: UInt64?

    /// All lines of a text whose authors are given from left to right.
    static func all(_ scalars: [Unicode.Scalar], _ pieces: [AuthoredText]) -> [AuthoredLine] {
        var lines: [AuthoredLine] = []
        var start = 0
        var piece = 0
        while start < scalars.count {
            let end = scalars[start...].firstIndex(of: "\n").map { $0 + 1 } ?? scalars.count
            while piece < pieces.count, pieces[piece].range.upperBound <= start { piece += 1 }
            var counts: [String: Int] = [:]
            var newest: UInt64? = 0
            var next = piece
            while next < pieces.count, pieces[next].range.lowerBound < end {
                let range = pieces[next].range.clamped(to: start..<end)
                counts[pieces[next].author ?? "?", default: 0] += range.count
                let time = pieces[next].authorTime
                newest = time.flatMap { time in newest.map { max($0, time) } }
                next += 1
            }
            let most = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? "?"
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars[start..<end].prefix { $0 != "\n" })
            let name = most + (counts.count > 1 ? " +" : "")
            lines.append(AuthoredLine(text: String(text), name: name, time: newest))
            start = end
        }
        return lines
    }
}
