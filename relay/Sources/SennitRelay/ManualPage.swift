import ArgumentParser
import RelayCore

/// The manual page sennit-relay(8), in the macros of man(7), from the commands and settings
/// themselves.
struct ManualPage {
    private var lines: [String] = []

    static var text: String {
        var page = ManualPage()
        page.write()
        return page.lines.joined(separator: "\n") + "\n"
    }

    private mutating func write() {
        lines.append(".TH SENNIT\\-RELAY 8 \"\" \"sennit-relay \(RelayVersion.text)\"")
        section("NAME")
        lines.append("sennit\\-relay \\- \(escaped(SennitRelay.configuration.abstract))")
        section("SYNOPSIS")
        for verb in SennitRelay.configuration.subcommands {
            let name = verb._commandName
            lines += [".B sennit\\-relay \(escaped(name))", ".RI [ options ]", ".br"]
        }
        section("DESCRIPTION")
        paragraph(
            """
            A relay keeps what the devices of a space send each other, so that they need not be \
            online at the same time. It stores ciphertext and has no keys. It needs no settings on \
            the machine where it is tried; `sennit-relay serve` listens on ws://127.0.0.1:7433.
            """
        )
        section("COMMANDS")
        for verb in SennitRelay.configuration.subcommands { command(verb, after: "") }
        section("SETTINGS")
        paragraph(
            """
            Each is read from a file (--config FILE, $SENNIT_RELAY_CONFIG, or \
            /etc/sennit-relay/sennit-relay.toml if it is there), over it from the environment, \
            over it from options of serve. SIGHUP reads the file again; the log says what needs a \
            restart.
            """
        )
        let defaults = SettingsOptions.defaults
        for setting in RelaySettings.table {
            let value = setting.defaultNote ?? SettingsText.shown(setting, defaults)
            item("\(setting.key) (--\(setting.flag), \(setting.variable))")
            lines.append(escaped("\(setting.help) Takes \(setting.form). Default: \(value)."))
        }
        writeEnd()
    }

    private mutating func writeEnd() {
        section("SIGNALS")
        item("SIGTERM, SIGINT")
        lines.append("Stop in good order, within stop_timeout; the second ends it at once.")
        item("SIGHUP")
        lines.append("Read settings and certificates again.")
        section("EXIT STATUS")
        for (code, meaning) in [
            (0, "Stopped by a signal; nothing wrong was found."),
            (
                1,
                "Data in use, damaged or not a relay's; a bad address or certificate."
            ),
            (64, "The command line isn't understood."),
            (78, "There is a mistake in the settings."),
        ] {
            item("\(code)")
            lines.append(escaped(meaning))
        }
        section("FILES")
        item("/etc/sennit-relay/sennit-relay.toml")
        lines.append("Settings, read if they are there.")
        item("/var/lib/sennit-relay")
        lines.append("Data, unless the setting data says otherwise.")
    }

    private mutating func command(_ type: any ParsableCommand.Type, after path: String) {
        let configuration = type.configuration
        guard configuration.shouldDisplay else { return }
        let name = path + type._commandName
        if configuration.subcommands.isEmpty {
            item(name)
            lines.append(escaped(configuration.abstract))
        }
        for part in configuration.subcommands { command(part, after: name + " ") }
    }

    private mutating func section(_ title: String) { lines.append(".SH \(title)") }

    private mutating func paragraph(_ text: String) { lines.append(escaped(text)) }

    private mutating func item(_ title: String) {
        lines += [".TP", "\\fB\(escaped(title))\\fR"]
    }

    /// Text that troff shows as it is.
    private func escaped(_ text: String) -> String {
        var escaped = text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" : ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
