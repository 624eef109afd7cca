public import Logging

/// The relay's log: one line an event on standard error, with its values as key=value.
///
/// Nothing above `debug` names a space, a log or a device.
public enum RelayLog {
    /// Whether `name` is a level.
    public static func isLevel(_ name: String) -> Bool { Logger.Level(rawValue: name) != nil }

    /// A logger of a level; of `info` if there is no such level.
    public static func standardError(_ level: String) -> Logger {
        var logger = Logger(label: "sennit-relay") { label in
            StreamLogHandler.standardError(label: label)
        }
        logger.logLevel = Logger.Level(rawValue: level) ?? .info
        return logger
    }
}
