import ArgumentParser

/// The command `sennit-relay`.
@main
struct SennitRelay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sennit-relay",
        abstract: "Keeps what a space's devices send each other, without being able to read it.",
        usage: """
            sennit-relay serve
            sennit-relay config check
            sennit-relay check --data /var/lib/sennit-relay
            """,
        subcommands: [ServeCommand.self, ConfigCommand.self, CheckCommand.self]
    )
}
