import ArgumentParser
import Sennit
import SennitWire

/// `sennit join`
struct JoinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Join a space by an invite link.",
        usage: "sennit join [-] [--file <path>] [--as <name>] [options]",
        discussion: """
              $ sennit join --as Bob
              Paste the invite link (it stays hidden):

              $ sennit join --as Bob --file link.txt
              $ pass show team-link | sennit join --as Bob -

            A link is a secret, so it is never taken from the command line, where every user of \
            the machine can see it.

            JSON: space (its id), name, person, documents (how many).
            """
    )

    @Argument(help: ArgumentHelp("`-` reads the link from standard input.", valueName: "-"))
    var source: String?

    @Option(
        help: ArgumentHelp("Read the link from a file.", valueName: "path"),
        completion: .file()
    )
    var file: String?

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
            "What to call the space on this device (if not given, \"shared\").",
            valueName: "name"
        )
    )
    var name: String?

    @OptionGroup(title: "Common options") var output: OutputOptions
    @OptionGroup(title: "Common options") var profile: ProfileOptions

    func validate() throws {
        if let source, source != "-" {
            throw ValidationError(
                "join takes the link from a prompt, a pipe or --file, not '\(source)'"
            )
        }
        if source != nil, file != nil {
            throw ValidationError("`-` and --file are two places for one link")
        }
    }

    private struct Report: Encodable {
        let space: String
        let name: String
        let person: String
        let documents: Int
    }

    func run() async throws {
        let console = profile.console
        let person = try PersonName.given(person)
        let link = try LinkInput.read(file: source ?? file, console)
        try await OpenProfile.with(profile, verb: "join", makesProfile: true) { opened in
            let space = try await Progress.shown("joining; this takes the whole history", console) {
                let name = await freeName(in: opened.engine)
                return try await opened.engine.join(link, name: name, person: person)
            }
            let documents = try await space.documents()
            if output.json {
                let report = Report(
                    space: space.id.hex,
                    name: space.name,
                    person: person,
                    documents: documents.count
                )
                try console.printJSON(report)
                return
            }
            let count = documents.count == 1 ? "1 document" : "\(documents.count) documents"
            console.print("joined as \(person): \(count); the space is called \(space.name) here")
            console.note("`sennit ls` lists them; `sennit edit PATH` opens one")
        }
    }

    /// A link doesn't tell what others call the space.
    private func freeName(in engine: Engine) async -> String {
        if let name { return name }
        let taken = Set(await engine.spaces.map(\.name))
        var name = "shared"
        var number = 2
        while taken.contains(name) {
            name = "shared-\(number)"
            number += 1
        }
        return name
    }
}
