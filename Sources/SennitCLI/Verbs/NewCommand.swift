import ArgumentParser
import Foundation
import Sennit
import SennitWire

/// `sennit new`
struct NewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Found a space.",
        usage: "sennit new <name> --relay <url> [--as <name>] [options]",
        discussion: """
              $ sennit new "Team notes" --relay wss://relay.example.org --as Anna

            Makes the space's keys on this device and tells the relay of it. Works offline: the \
            relay is told by the first command that reaches it. For a relay on this machine: \
            `sennit-relay serve`, and then `--relay ws://127.0.0.1:7433`. For a relay whose \
            certificate you made yourself, set SSL_CERT_FILE to a file with your authority's \
            certificate; all verbs trust it besides the system's.

            Some relays keep new spaces only for who has a token. Give it with `--token-file \
            FILE`, with `--token-file -` from a pipe or a prompt, or in SENNIT_RELAY_TOKEN; it is \
            a secret, so it is never taken from the command line. `sennit token` gives it later.

            JSON: space (its id), name, person, relays, sent.
            """
    )

    @Argument(help: "What the space is called; only on this device.")
    var name: String

    @Option(help: ArgumentHelp("A relay's address; several may be given.", valueName: "url"))
    var relay: [String] = []

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "The name that others see you by ($USER if not given).",
            valueName: "name"
        )
    )
    var person: String?

    @Option(
        help: ArgumentHelp(
            "Read the relay's token from a file; `-` is a pipe, or a prompt.",
            valueName: "path"
        ),
        completion: .file()
    )
    var tokenFile: String?

    @OptionGroup(title: "Common options") var network: NetworkOptions
    @OptionGroup(title: "Common options") var output: OutputOptions
    @OptionGroup(title: "Common options") var profile: ProfileOptions

    func validate() throws {
        if relay.isEmpty {
            throw ValidationError("--relay is missing: without a relay nobody could join")
        }
        if relay.count > 1, tokenFile != nil {
            throw ValidationError(
                "a token is one relay's: with several relays, `sennit token` gives each its own"
            )
        }
    }

    private struct Report: Encodable {
        let space: String
        let name: String
        let person: String
        let relays: [String]
        let sent: Bool
    }

    func run() async throws {
        let console = profile.console
        let person = try PersonName.given(person)
        let token =
            try tokenFile.map { try TokenInput.read(file: $0 == "-" ? nil : $0, console) }
            ?? TokenInput.fromEnvironment
        try await OpenProfile.with(profile, verb: "new", makesProfile: true) { opened in
            // With several relays nobody could tell whose it is.
            if let token, relay.count == 1 {
                try await opened.engine.keepRelayToken(token, for: relay[0])
            }
            let space = try await opened.engine.found(name: name, person: person, relays: relay)
            let here = try await opened.space(space, console, network)
            if !output.json { console.print("founded \(name), where you are \(person)") }
            let isSent = try await here.send(quietly: output.json)
            if output.json {
                let report = Report(
                    space: space.id.hex,
                    name: name,
                    person: person,
                    relays: relay,
                    sent: isSent
                )
                try console.printJSON(report)
            } else {
                console.note("`sennit invite` lets others in; `sennit edit PATH` begins a document")
            }
        }
    }
}

/// The name a person goes by.
enum PersonName {
    static func given(_ name: String?) throws(Failure) -> String {
        if let name { return name }
        let environment = ProcessInfo.processInfo.environment
        guard let user = environment["USER"] ?? environment["LOGNAME"], !user.isEmpty else {
            throw Failure(.usage, "nothing says who you are", hint: "add `--as NAME`")
        }
        return user
    }
}
