import ArgumentParser
import Sennit
import SennitSeal

/// `sennit invite`
struct InviteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite",
        abstract: "Print a link with which others join.",
        usage: "sennit invite [--role <role>] [--uses <count>] [options]",
        discussion: """
              $ sennit invite --role writer --uses 3

            Whoever holds the link can read everything in the space, from its beginning, until \
            the key is changed (`sennit revoke` while it is open, `sennit rotate` once it is used \
            up): send it by a way you trust. `--uses` limits how many devices may join by it, not \
            who can read. In a terminal the link is also shown as a \
            QR code.

            JSON: link, role, uses, sent.
            """
    )

    @Option(help: ArgumentHelp("What those who join may do: writer or reader.", valueName: "role"))
    var role: InvitedRole = .writer

    @Option(help: ArgumentHelp("How many devices may join by the link.", valueName: "count"))
    var uses: Int = 1

    @Flag(help: "Don't draw the QR code.")
    var noQR = false

    @OptionGroup(title: "Common options") var common: CommonOptions

    func validate() throws {
        guard (1...4096).contains(uses) else {
            throw ValidationError("--uses takes a number from 1 to 4096")
        }
    }

    private struct Report: Encodable {
        let link: String
        let role: String
        let uses: Int
        let sent: Bool
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "invite") { here in
            await here.receive()
            let link = try await here.space.invite(role: role.role, uses: UInt64(uses))
            let isSent = try await here.send(quietly: true)
            let console = here.console
            if common.json {
                let report = Report(link: link, role: role.rawValue, uses: uses, sent: isSent)
                try console.printJSON(report)
                return
            }
            if console.output.isTerminal, !noQR, let code = QRCode(Array(link.utf8)) {
                for line in code.terminalLines(isColored: console.output.isColored) {
                    console.print(line)
                }
            }
            console.print(link)
            console.note(
                "whoever holds this link can join and read all of the space: send it safely"
            )
            let devices = uses == 1 ? "one device" : "\(uses) devices"
            console.note("\(devices) can join by it as \(role.rawValue): `sennit join`")
            if !isSent {
                console.note("it works once a later command reaches the relay")
            }
        }
    }
}

/// A role that an invite can give.
enum InvitedRole: String, ExpressibleByArgument, CaseIterable {
    case writer, reader

    var role: Role {
        switch self {
        case .writer: .writer
        case .reader: .reader
        }
    }
}
