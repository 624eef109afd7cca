/// One setting: its key, what its values are, and what it is for.
///
/// Everything that is said or done about a setting comes from here: reading it from a file, the
/// environment and the command line, `config show`, `config check`, `--help` and SETTINGS.md.
public struct Setting: Sendable {
    /// When a new value counts.
    public enum Reloading: Hashable, Sendable {
        /// After SIGHUP.
        case live
        /// After a restart.
        case restart
    }

    /// As a file has it, with its table: `log.level`.
    public let key: String
    /// What its values are, in one or two words.
    public let form: String
    /// What its values are, for messages.
    public let expectation: String
    /// One sentence: what it does.
    public let help: String
    /// When a new value counts.
    public let reloading: Reloading
    /// Whether its value is never shown.
    public let isSecret: Bool
    /// Its name on the command line, without dashes.
    public let flag: String
    /// Instead of the default, where that depends on the machine.
    public let defaultNote: String?

    let isBoolean: Bool
    /// Puts a value into the settings; says no if it isn't one.
    let set: @Sendable (inout RelaySettings, RawSetting) -> Bool
    /// The value as a file has it.
    let get: @Sendable (RelaySettings) -> RawSetting

    /// A setting that is kept in a property of the settings.
    init<Value>(
        _ key: String,
        _ path: any WritableKeyPath<RelaySettings, Value> & Sendable,
        _ form: SettingForm<Value>,
        _ reloading: Reloading,
        _ help: String,
        flag: String? = nil,
        isSecret: Bool = false,
        defaultNote: String? = nil
    ) {
        self.key = key
        self.form = form.name
        expectation = form.expectation
        self.help = help
        self.reloading = reloading
        self.isSecret = isSecret
        self.flag = flag ?? Setting.dashed(key)
        self.defaultNote = defaultNote
        isBoolean = Value.self == Bool.self
        set = { settings, raw in
            guard let value = form.read(raw) else { return false }
            settings[keyPath: path] = value
            return true
        }
        get = { form.write($0[keyPath: path]) }
    }

    /// Its name in the environment.
    public var variable: String {
        Setting.variablePrefix + Setting.dashed(key).uppercased().map { $0 == "-" ? "_" : $0 }
    }

    /// What the names of all settings in the environment begin with.
    public static let variablePrefix = "SENNIT_RELAY_"

    private static func dashed(_ key: String) -> String {
        String(key.map { $0 == "." || $0 == "_" ? "-" : $0 })
    }
}
