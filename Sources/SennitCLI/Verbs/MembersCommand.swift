import ArgumentParser
import Sennit
import SennitWire

/// `sennit members`
struct MembersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members",
        abstract: "List who belongs to the space.",
        usage: "sennit members [options]",
        discussion: """
              $ sennit members

            Each device of a person is a member of its own: the first digits of its key, what it \
            may do, and the name its person goes by. People choose their names; nothing stops two \
            from choosing the same, so look at the devices before you remove somebody.

            JSON: device, name, role, isOwn.
            """
    )

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Line: Encodable {
        let device: String
        let name: String
        let role: String
        let isOwn: Bool
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "members") { here in
            await here.receive()
            let console = here.console
            for member in try await here.space.members() {
                if common.json {
                    let line = Line(
                        device: member.device.hex,
                        name: member.name,
                        role: "\(member.role)",
                        isOwn: member.isOwn
                    )
                    try console.printJSON(line)
                } else {
                    let own = member.isOwn ? " (this device)" : ""
                    let role = "\(member.role)"
                    let gap = String(repeating: " ", count: 8 - role.count)
                    console.print(
                        "\(member.device.short)  \(role)\(gap)\(member.name.onOneLine)\(own)"
                    )
                }
            }
        }
    }
}
