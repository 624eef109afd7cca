import ArgumentParser
import Sennit
import SennitWire

/// `sennit remove`
struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove somebody from the space, and change its key.",
        usage: "sennit remove <who> ... [options]",
        discussion: """
              $ sennit remove Mallory
              $ sennit remove 3f9a12

            By a name all devices are removed whose person goes by it, by the first digits of a \
            key one device: `sennit members`. Only an owner can. Invites that the removed opened, \
            or came by, are revoked with it.

            They keep what they have read. What is written from now on they can't read, and what \
            they wrote that nobody had seen has no effect: it is kept, and `sennit status` tells \
            of it.

            JSON: device, name, sent.
            """
    )

    @Argument(help: ArgumentHelp("Names, or first digits of devices.", valueName: "who"))
    var who: [String]

    @OptionGroup(title: "Common options") var common: CommonOptions

    private struct Report: Encodable {
        let device: String
        let name: String
        let sent: Bool
    }

    func run() async throws {
        try await OpenSpace.with(common, verb: "remove") { here in
            await here.receive()
            let members = try await here.space.members()
            var chosen: [Space.Member] = []
            for word in who { chosen += try MemberChoice.devices(word, among: members) }
            try await here.space.remove(Array(Set(chosen.map(\.device))))
            if !common.json {
                for member in chosen {
                    here.console.print(
                        "removed \(member.name.onOneLine) (device \(member.device.short))"
                    )
                }
            }
            let isSent = try await here.send(quietly: common.json)
            guard common.json else { return }
            for member in chosen {
                try here.console.printJSON(
                    Report(device: member.device.hex, name: member.name, sent: isSent)
                )
            }
        }
    }
}
