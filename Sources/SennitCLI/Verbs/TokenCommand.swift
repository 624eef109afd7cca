import ArgumentParser
import Sennit

/// `sennit token`
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Keep the token that a relay asks for before it keeps a space.",
        usage: "sennit token [-] [--file <path>] --relay <url> [options]",
        discussion: """
              $ sennit token --relay wss://relay.example.org
              Paste the relay's token (it stays hidden):

              $ pass show relay-token | sennit token - --relay wss://relay.example.org

            Some relays keep new spaces only for who has a token; ask who runs the relay for one. \
            Only who brings a space to a relay needs it, nobody who joins. It is kept in the \
            profile, and offered to this relay alone. A token is a secret, so it is never taken \
            from the command line.

            JSON: relay.
            """
    )

    @Argument(help: ArgumentHelp("`-` reads the token from standard input.", valueName: "-"))
    var source: String?

    @Option(help: ArgumentHelp("The relay's address.", valueName: "url"))
    var relay: String

    @Option(
        help: ArgumentHelp("Read the token from a file.", valueName: "path"),
        completion: .file()
    )
    var file: String?

    @OptionGroup(title: "Common options") var output: OutputOptions
    @OptionGroup(title: "Common options") var profile: ProfileOptions

    func validate() throws {
        if let source, source != "-" {
            throw ValidationError("token takes the token from a prompt, a pipe or --file")
        }
        if source != nil, file != nil {
            throw ValidationError("`-` and --file are two places for one token")
        }
    }

    private struct Report: Encodable {
        let relay: String
    }

    func run() async throws {
        let console = profile.console
        let token =
            try source == nil && file == nil
            ? TokenInput.fromEnvironment ?? TokenInput.read(file: nil, console)
            : TokenInput.read(file: source ?? file, console)
        try await OpenProfile.with(profile, verb: "token", makesProfile: true) { opened in
            try await opened.engine.keepRelayToken(token, for: relay)
            if output.json {
                try console.printJSON(Report(relay: relay))
            } else {
                console.print("kept the token for \(relay)")
            }
        }
    }
}
