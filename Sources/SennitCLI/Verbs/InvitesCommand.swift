import ArgumentParser
import Sennit
import SennitWire

/// `sennit invites`
struct InvitesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invites",
        abstract: "List the invites by which somebody may still join.",
        usage: "sennit invites [options]",
        discussion: """
              $ sennit invites
              $ sennit revoke 3f9a12

            Each with the first digits of its key, what those who join may do, how many devices \
            may still join, and who opened it. The links themselves are kept nowhere.

            JSON: invite, role, remainingUses, opener.
            """
    )

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Line: Encodable {
        let invite: String
        let role: String
        let remainingUses: UInt64
        let opener: String
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "invites") { here in
            await here.receive()
            let console = here.console
            let invites = try await here.space.invites()
            for invite in invites {
                if common.json {
                    let line = Line(
                        invite: invite.key.hex,
                        role: "\(invite.role)",
                        remainingUses: invite.remainingUses,
                        opener: invite.opener
                    )
                    try console.printJSON(line)
                } else {
                    let devices =
                        invite.remainingUses == 1
                        ? "one device" : "\(invite.remainingUses) devices"
                    console.print(
                        "\(invite.key.short)  \(invite.role), \(devices), opened by "
                            + invite.opener.onOneLine
                    )
                }
            }
            if invites.isEmpty, !common.json { console.note("no invite is open") }
        }
    }
}
