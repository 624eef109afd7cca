import ArgumentParser
import RelayCore

/// The command `sennit-relay`.
@main
struct SennitRelay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sennit-relay",
        abstract: "Keeps what a space's devices send each other, without being able to read it.",
        usage: """
            sennit-relay serve
            sennit-relay config check
            sennit-relay token create --name friends
            sennit-relay admin status
            sennit-relay backup --to /var/backups/sennit-relay/monday
            sennit-relay verify
            """,
        version: RelayVersion.text,
        subcommands: [
            ServeCommand.self, ConfigCommand.self, HealthCommand.self, TopCommand.self,
            AdminCommand.self, TokenCommand.self, BackupCommand.self, RestoreCommand.self,
            VerifyCommand.self, MigrateCommand.self,
        ]
    )
}
