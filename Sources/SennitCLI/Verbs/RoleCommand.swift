import ArgumentParser
import Sennit
import SennitSeal
import SennitWire

/// `sennit role`
struct RoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role",
        abstract: "Say what somebody may do.",
        usage: "sennit role <who> <role> [options]",
        discussion: """
              $ sennit role Ben owner

            Roles are owner (writes, invites, removes), writer and reader. By a name the role is \
            given to all devices whose person goes by it, by the first digits of a key to one \
            device: `sennit members`. Only an owner can, and a space is never without one. What a \
            new reader wrote that nobody had seen has no effect; it is kept. A reader becomes a \
            writer by a new invite, not by this.

            JSON: device, name, role, sent.
            """
    )

    @Argument(help: ArgumentHelp("A name, or first digits of a device.", valueName: "who"))
    var who: String

    @Argument(help: ArgumentHelp("owner, writer or reader.", valueName: "role"))
    var role: GivenRole

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Report: Encodable {
        let device: String
        let name: String
        let role: String
        let sent: Bool
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "role") { here in
            await here.receive()
            let chosen = try MemberChoice.devices(
                who,
                among: try await here.space.members()
            )
            guard role == .reader || !chosen.contains(where: { $0.role == .reader }) else {
                throw Failure(
                    .usage,
                    "a reader becomes a writer by a new invite",
                    hint: "`sennit invite` and `sennit join` in another profile"
                )
            }
            try await here.space.setRole(role.role, of: chosen.map(\.device))
            if !common.json {
                for member in chosen {
                    here.console.print(
                        "\(member.name.onOneLine) (device \(member.device.short)) is "
                            + "\(role.rawValue) now"
                    )
                }
            }
            let isSent = try await here.send(quietly: common.json)
            guard common.json else { return }
            for member in chosen {
                let report = Report(
                    device: member.device.hex,
                    name: member.name,
                    role: role.rawValue,
                    sent: isSent
                )
                try here.console.printJSON(report)
            }
        }
    }
}

/// A role that a person can be given.
enum GivenRole: String, ExpressibleByArgument, CaseIterable {
    case owner, writer, reader

    var role: Role {
        switch self {
        case .owner: .owner
        case .writer: .writer
        case .reader: .reader
        }
    }
}
