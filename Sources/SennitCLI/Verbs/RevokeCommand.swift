import ArgumentParser
import Sennit
import SennitWire

/// `sennit revoke`
struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke invites, and change the key that they could read with.",
        usage: "sennit revoke <invite> ... [options]",
        discussion: """
              $ sennit invites
              $ sennit revoke 3f9a12

            Nobody joins by a revoked invite any more, and who holds its link can't read what is \
            written from now on. Who joined by it before stays: `sennit remove`. Only an owner can.

            JSON: invite, sent.
            """
    )

    @Argument(help: ArgumentHelp("First digits of invites.", valueName: "invite"))
    var invite: [String]

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Report: Encodable {
        let invite: String
        let sent: Bool
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "revoke") { here in
            await here.receive()
            let open = try await here.space.invites()
            let chosen = try invite.map { try MemberChoice.invite($0, among: open).key }
            try await here.space.revoke(Array(Set(chosen)))
            if !common.json {
                for key in chosen { here.console.print("revoked \(key.short)") }
            }
            let isSent = try await here.send(quietly: common.json)
            guard common.json else { return }
            for key in chosen {
                try here.console.printJSON(Report(invite: key.hex, sent: isSent))
            }
        }
    }
}
