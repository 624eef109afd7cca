import ArgumentParser

/// The command `sennit-demo`.
@main
struct SennitDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sennit-demo",
        abstract: "Replays a real editing history through real clients, and judges what comes out.",
        subcommands: [Run.self, Pair.self, Verify.self, Client.self]
    )
}
