import ArgumentParser

/// The pages of help that aren't about one verb.
enum HelpPage {
    case overview, exitCodes

    /// The page that these arguments ask for, if they do.
    init?(for arguments: [String]) {
        switch arguments {
        case [], ["help"], ["--help"], ["-h"], ["help", "help"]: self = .overview
        case ["help", "exit-codes"]: self = .exitCodes
        default: return nil
        }
    }

    func text(_ dress: Console.Dress) -> String {
        switch self {
        case .overview: HelpPage.overviewText(dress)
        case .exitCodes: HelpPage.exitCodeText(dress)
        }
    }

    private static func overviewText(_ dress: Console.Dress) -> String {
        var text = """
            \(SennitCommand.configuration.abstract)

              $ sennit new "Team notes" --relay wss://relay.example.org --as Anna
              $ sennit invite
              $ sennit edit today.md

            """
        let groups = SennitCommand.configuration.groupedSubcommands
        let width =
            groups.flatMap(\.subcommands)
            .map { $0.configuration.commandName?.count ?? 0 }.max() ?? 0
        for group in groups {
            text += "\n" + dress.styled(group.name, .strong) + "\n"
            for verb in group.subcommands {
                let name = verb.configuration.commandName ?? ""
                let padding = String(repeating: " ", count: width + 2 - name.count)
                text += "  " + dress.styled(name, .accent) + padding
                text += verb.configuration.abstract + "\n"
            }
        }
        text += """

            A space is a set of devices and the documents they share. The relay between them keeps
            ciphertext and can't read it. Everything works offline and is sent when it can be.

            `sennit VERB --help` begins with an example. `sennit help exit-codes` lists what the
            codes mean. `sennit --generate-completion-script bash` (zsh, fish) prints completions.

            """
        return text
    }

    private static func exitCodeText(_ dress: Console.Dress) -> String {
        var text = dress.styled("Exit codes", .strong) + "\n"
        for status in ExitStatus.allCases {
            let number = String(status.rawValue)
            text += String(repeating: " ", count: 4 - number.count) + number
            text += "  " + status.meaning + "\n"
        }
        return text
    }
}
