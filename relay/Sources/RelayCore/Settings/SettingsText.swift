// What is told about settings, all of it from the table.

/// Texts about all settings.
public enum SettingsText {
    /// The effective values as a file that could be read again, each with where it comes from.
    public static func toml(_ effective: EffectiveSettings) -> String {
        let lines = RelaySettings.table.map { setting in
            let value = shown(setting, effective.settings)
            return (setting, "\(setting.name) = \(value)", "\(effective.source(of: setting.key))")
        }
        let width = lines.map(\.1.count).filter { $0 <= 60 }.max() ?? 0
        var text = ""
        var table = ""
        for (setting, line, source) in lines {
            if setting.table != table {
                table = setting.table
                text += "\n[\(table)]\n"
            }
            let padding = String(repeating: " ", count: max(0, width - line.count))
            text += "\(line)\(padding)  # \(source)\n"
        }
        return text
    }

    /// The same for programs: an object with a value and a source for each key.
    public static func json(_ effective: EffectiveSettings) -> String {
        let rows = RelaySettings.table.map { setting in
            let key = RawSetting.string(setting.key).literal
            let source = RawSetting.string("\(effective.source(of: setting.key))").literal
            let value = shown(setting, effective.settings)
            return "  \(key): {\"value\": \(value), \"source\": \(source)}"
        }
        return "{\n" + rows.joined(separator: ",\n") + "\n}\n"
    }

    /// A file with every setting, all of them commented out at their defaults.
    public static func example(_ defaults: RelaySettings) -> String {
        var text = """
            # Settings of sennit-relay. Every line below shows the default; remove the # to change
            # it. The environment (SENNIT_RELAY_LOG_LEVEL) and options (--log-level) come before
            # this file. `sennit-relay config check` finds mistakes, `config show` what is in force.

            """
        var table = ""
        for setting in RelaySettings.table {
            if setting.table != table {
                table = setting.table
                text += "\n[\(table)]\n"
            }
            text += "\n" + wrapped(setting.help, prefix: "# ", width: 96)
            if let note = setting.defaultNote {
                text += wrapped("Default: \(note)", prefix: "# ", width: 96)
            }
            text += "#\(setting.name) = \(shown(setting, defaults))\n"
        }
        return text
    }

    /// Every option of the command line, for `--help`.
    public static func help(_ defaults: RelaySettings) -> String {
        var text = "SETTINGS (file < environment < options):\n"
        for setting in RelaySettings.table {
            let value = setting.defaultNote ?? shown(setting, defaults)
            text += "  --\(setting.flag) <\(setting.form)>\n"
            text += wrapped("\(setting.help) (default: \(value))", prefix: "      ", width: 78)
        }
        return text
    }

    /// The page SETTINGS.md.
    public static func markdown(_ defaults: RelaySettings) -> String {
        var text = """
            # Settings of sennit-relay

            `sennit-relay config markdown` writes this page. A relay needs none of these settings.
            They come from a TOML file (`--config FILE`, `$SENNIT_RELAY_CONFIG` or
            `/etc/sennit-relay/sennit-relay.toml` if it is there), over it from the environment,
            over it from options of `serve`. SIGHUP reads the file again; the log then says what
            needs a restart.

            | key | option, variable | value | default | SIGHUP | |
            |---|---|---|---|---|---|

            """
        for setting in RelaySettings.table {
            let value = setting.defaultNote ?? "`\(shown(setting, defaults))`"
            let live = setting.reloading == .live ? "yes" : "restart"
            text += "| `\(setting.key)` | `--\(setting.flag)` `\(setting.variable)` "
            text += "| \(setting.form) | \(value) | \(live) | \(setting.help) |\n"
        }
        return text
    }

    /// A setting's value as a file has it, unless it is a secret.
    public static func shown(_ setting: Setting, _ settings: RelaySettings) -> String {
        let value = setting.get(settings)
        // That there is none is no secret.
        let isHidden = setting.isSecret && value != .list([])
        return isHidden ? RawSetting.string("(hidden)").literal : value.literal
    }

    private static func wrapped(_ text: String, prefix: String, width: Int) -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, prefix.count + line.count + 1 + word.count > width {
                lines.append(prefix + line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        return (lines + [prefix + line]).map { $0 + "\n" }.joined()
    }
}

extension Setting {
    /// The table that it stands in; empty for none.
    fileprivate var table: String {
        key.split(separator: ".").dropLast().joined(separator: ".")
    }

    /// The key without its table.
    fileprivate var name: String { key.split(separator: ".").last.map(String.init) ?? key }
}
