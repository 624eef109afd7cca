import ArgumentParser
import Foundation
import RelayCore

/// The options that say what the relay's settings are. One for each setting, from the table.
struct SettingsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A TOML file of settings; without it, $SENNIT_RELAY_CONFIG or \
            /etc/sennit-relay/sennit-relay.toml.
            """,
            valueName: "file"
        )
    )
    var config: String?

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp("One option for each setting, see below.", valueName: "--setting value")
    )
    var flags: [String] = []

    /// Where a file of settings is looked for if nobody names one.
    static let standardPath = "/etc/sennit-relay/sennit-relay.toml"

    /// What holds where nobody says anything.
    static var defaults: RelaySettings {
        RelaySettings(
            directory: RelaySettings.defaultDirectory(
                environment: ProcessInfo.processInfo.environment,
                isRoot: geteuid() == 0
            )
        )
    }

    /// The file that is read; `nil` if nobody named one and there is none.
    var path: String? {
        if let config { return config }
        let environment = ProcessInfo.processInfo.environment
        if let named = environment[EffectiveSettings.fileVariable], !named.isEmpty { return named }
        let standard = SettingsOptions.standardPath
        return FileManager.default.fileExists(atPath: standard) ? standard : nil
    }

    /// Reads everything that speaks about settings.
    func read() throws -> EffectiveSettings {
        EffectiveSettings(
            defaults: SettingsOptions.defaults,
            file: try path.map { try EffectiveSettings.File(reading: $0) },
            environment: ProcessInfo.processInfo.environment,
            flags: flags
        )
    }

    /// What one file says, and nothing else.
    static func settings(ofFile path: String) throws -> RelaySettings {
        let file = try EffectiveSettings.File(reading: path)
        return try EffectiveSettings(
            defaults: defaults,
            file: file,
            environment: [:],
            flags: []
        ).orFail().settings
    }

    /// The same as `read`, for a command that can't go on with a mistake.
    func readOrFail() throws -> EffectiveSettings { try read().orFail() }
}

extension EffectiveSettings.File {
    /// Reads a file, or says why it can't be read and ends the command.
    fileprivate init(reading path: String) throws {
        do {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            self.init(path: path, text: text)
        } catch {
            let reason =
                FileManager.default.fileExists(atPath: path)
                ? "it can't be read as UTF-8 text" : "there is no such file"
            Complaint.write("\(path): \(reason)")
            throw ExitCode(Complaint.settingsCode)
        }
    }
}

extension EffectiveSettings {
    /// These, or all mistakes in them and the end of the command.
    fileprivate func orFail() throws -> EffectiveSettings {
        for warning in warnings { Complaint.write("\(warning)", kind: "warning") }
        guard problems.isEmpty else {
            for problem in problems { Complaint.write("\(problem)") }
            let isFlags = problems.allSatisfy(\.source.isFlag)
            throw isFlags ? ExitCode.validationFailure : ExitCode(Complaint.settingsCode)
        }
        return self
    }
}

/// Says what is wrong, on standard error.
enum Complaint {
    /// The exit code for mistakes in the settings: EX_CONFIG of sysexits.h.
    static let settingsCode: Int32 = 78

    static func write(_ text: String, kind: String = "error") {
        FileHandle.standardError.write(Data("sennit-relay: \(kind): \(text)\n".utf8))
    }
}

/// Ends the process with the error's sentence.
func fail(_ error: RelayError) -> Never {
    Complaint.write("\(error)")
    exit(1)
}
