// Where values come from: a file, over it the environment, over it the command line. What is in
// none of them is the default. Every mistake is found, not only the first one.

/// Where a value comes from.
public enum SettingSource: Hashable, Sendable, CustomStringConvertible {
    case standard
    case file(path: String, line: Int)
    case variable(String)
    case flag(String)

    public var description: String {
        switch self {
        case .standard: "default"
        case .file(let path, let line): "\(path):\(line)"
        case .variable(let name): name
        case .flag(let name): "--\(name)"
        }
    }
}

/// A mistake in the settings: where, and what to do.
public struct SettingProblem: Hashable, Sendable, CustomStringConvertible {
    /// Where it stands.
    public let source: SettingSource
    /// The key as it is written there; `nil` if the line has none.
    public let key: String?
    /// What is wrong and what is right.
    public let reason: String

    public var description: String { "\(source): \(reason)" }
}

/// Settings put together from all that speaks about them.
public struct EffectiveSettings: Hashable, Sendable {
    /// A file of settings.
    public struct File: Hashable, Sendable {
        let path: String
        let text: String

        /// A file that was read.
        public init(path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    /// The values. Where there was a mistake, what the next lower source says.
    public private(set) var settings: RelaySettings
    /// Mistakes; with any of them a relay isn't to start.
    public private(set) var problems: [SettingProblem] = []
    /// What may be a mistake: names in the environment that look like settings. Kubernetes sets
    /// some for a service that is called sennit-relay.
    public private(set) var warnings: [SettingProblem] = []

    private var sources: [String: SettingSource] = [:]

    /// Puts settings together.
    /// - Parameters:
    ///   - defaults: what holds where nobody says anything.
    ///   - environment: the process's; what doesn't begin with `SENNIT_RELAY_` is passed over.
    ///   - flags: the command line's: `--log-level debug` or `--log-level=debug`.
    public init(
        defaults: RelaySettings,
        file: File? = nil,
        environment: [String: String] = [:],
        flags: [String] = []
    ) {
        settings = defaults
        if let file { take(file) }
        take(environment)
        take(flags)
        for (key, reason) in settings.contradictions {
            problems.append(
                SettingProblem(source: source(of: key), key: key, reason: "\(key): \(reason)")
            )
        }
    }

    /// Where a setting's value comes from.
    public func source(of key: String) -> SettingSource { sources[key] ?? .standard }

    /// The name in the environment for the file's path, which is no setting itself.
    public static let fileVariable = Setting.variablePrefix + "CONFIG"

    private mutating func take(_ file: File) {
        let reader = TOMLReader(file.text)
        for entry in reader.entries {
            let source = SettingSource.file(path: file.path, line: entry.line)
            guard let setting = RelaySettings.setting(entry.key) else {
                let keys = RelaySettings.table.map(\.key)
                note("\(entry.key) is no setting", like: entry.key, in: keys, at: source)
                continue
            }
            set(setting, entry.value, from: source)
        }
        for mistake in reader.mistakes {
            let source = SettingSource.file(path: file.path, line: mistake.line)
            problems.append(SettingProblem(source: source, key: nil, reason: mistake.reason))
        }
        problems.sort { $0.source.line < $1.source.line }
    }

    private mutating func take(_ environment: [String: String]) {
        for (name, value) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix(Setting.variablePrefix) && name != EffectiveSettings.fileVariable {
            let source = SettingSource.variable(name)
            if let setting = RelaySettings.table.first(where: { $0.variable == name }) {
                set(setting, .text(value), from: source)
            } else {
                let near = Suggestion.nearest(to: name, in: RelaySettings.table.map(\.variable))
                let hint = near.map { "; did you mean \($0)?" } ?? ""
                warnings.append(
                    SettingProblem(
                        source: source,
                        key: name,
                        reason: "there is no such setting\(hint)"
                    )
                )
            }
        }
    }

    private mutating func take(_ flags: [String]) {
        var rest = flags[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--"), word.count > 2 else {
                let source = SettingSource.flag(word)
                problems.append(
                    SettingProblem(
                        source: source,
                        key: nil,
                        reason: "'\(word)' is not understood; options begin with --"
                    )
                )
                continue
            }
            let parts = word.dropFirst(2).split(
                separator: "=",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            let name = String(parts[0])
            let source = SettingSource.flag(name)
            guard let setting = RelaySettings.table.first(where: { $0.flag == name }) else {
                let names = RelaySettings.table.map(\.flag)
                note("there is no such option", like: name, in: names, at: source, prefix: "--")
                // What may be its value is no second mistake.
                if parts.count == 1, rest.first?.hasPrefix("--") == false { rest.removeFirst() }
                continue
            }
            let value: String
            if parts.count == 2 {
                value = String(parts[1])
            } else if setting.isBoolean, rest.first != "true", rest.first != "false" {
                value = "true"
            } else if let next = rest.popFirst() {
                value = next
            } else {
                problems.append(
                    SettingProblem(
                        source: source,
                        key: setting.key,
                        reason: "its value is missing; it takes \(setting.expectation)"
                    )
                )
                continue
            }
            set(setting, .text(value), from: source)
        }
    }

    private mutating func set(_ setting: Setting, _ raw: RawSetting, from source: SettingSource) {
        if setting.set(&settings, raw) {
            sources[setting.key] = source
            return
        }
        let value = setting.isSecret ? "its value isn't one" : "it is \(raw.literal)"
        let name = if case .file = source { "\(setting.key): " } else { "" }
        problems.append(
            SettingProblem(
                source: source,
                key: setting.key,
                reason: "\(name)\(value); it takes \(setting.expectation)"
            )
        )
    }

    private mutating func note(
        _ reason: String,
        like name: String,
        in names: [String],
        at source: SettingSource,
        prefix: String = ""
    ) {
        let near = Suggestion.nearest(to: name, in: names)
        let hint = near.map { "; did you mean \(prefix)\($0)?" } ?? "; remove it"
        problems.append(SettingProblem(source: source, key: name, reason: reason + hint))
    }
}

extension SettingSource {
    fileprivate var line: Int { if case .file(_, let line) = self { line } else { .max } }

    /// Whether it is the command line.
    public var isFlag: Bool { if case .flag = self { true } else { false } }
}

/// The name that somebody meant.
enum Suggestion {
    /// The nearest of some names, if it is near: a third of its letters may be wrong.
    static func nearest(to name: String, in names: [String]) -> String? {
        let letters = Array(name.utf8)
        // Where somebody left the table out, or wrote it where it doesn't belong.
        let tail = name.split(separator: ".").last.map(String.init) ?? name
        let distances = names.map { other -> (name: String, distance: Int) in
            let whole = distance(letters, Array(other.utf8))
            let otherTail = other.split(separator: ".").last.map(String.init) ?? other
            return (other, otherTail == tail ? min(whole, 1) : whole)
        }
        guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, best.name.utf8.count / 3) ? best.name : nil
    }

    /// How many letters to add, remove or change.
    /// - Complexity: the product of the lengths.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard a.count <= 256 else { return .max }
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var previous = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let cost = letter == other ? previous : previous + 1
                previous = row[j + 1]
                row[j + 1] = min(cost, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
