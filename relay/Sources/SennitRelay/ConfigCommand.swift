import ArgumentParser
import Foundation
import RelayCore

/// `sennit-relay config`
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Checks, shows and explains the relay's settings.",
        usage: """
            sennit-relay config check --config /etc/sennit-relay/sennit-relay.toml
            sennit-relay config show --json
            sennit-relay config example > sennit-relay.toml
            """,
        subcommands: [Check.self, Show.self, Example.self, Markdown.self, Manual.self]
    )

    /// `sennit-relay config check`
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Names every mistake in the settings, with its place; exit code 78 if any."
        )

        @OptionGroup var options: SettingsOptions

        func run() throws {
            let effective = try options.read()
            for warning in effective.warnings { Complaint.write("\(warning)", kind: "warning") }
            for problem in effective.problems { Complaint.write("\(problem)") }
            var isGood = effective.problems.isEmpty
            if isGood {
                do throws(RelayError) {
                    try RelayServer.Configuration(effective.settings).checkFiles()
                } catch {
                    let source = effective.source(of: "tls.certificate")
                    Complaint.write("\(source): \(error)")
                    isGood = false
                }
            }
            guard isGood else { throw ExitCode(Complaint.settingsCode) }
            print("sennit-relay: the settings are good (\(options.path ?? "no file"))")
        }
    }

    /// `sennit-relay config show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the settings in force, each with where it comes from."
        )

        @Flag(help: "As JSON, for programs.")
        var json = false

        @OptionGroup var options: SettingsOptions

        func run() throws {
            let effective = try options.readOrFail()
            let text = json ? SettingsText.json(effective) : SettingsText.toml(effective)
            print(text, terminator: "")
        }
    }

    /// `sennit-relay config example`
    struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a file with every setting at its default, to begin with."
        )

        func run() {
            print(
                SettingsText.example(RelaySettings(directory: "/var/lib/sennit-relay")),
                terminator: ""
            )
        }
    }

    /// `sennit-relay config markdown`
    struct Markdown: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the page SETTINGS.md.",
            shouldDisplay: false
        )

        func run() {
            let defaults = RelaySettings(directory: "/var/lib/sennit-relay")
            print(SettingsText.markdown(defaults), terminator: "")
        }
    }

    /// `sennit-relay config manual`
    struct Manual: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the manual page, for `man -l`.",
            shouldDisplay: false
        )

        func run() { print(ManualPage.text, terminator: "") }
    }
}
