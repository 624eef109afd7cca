// The relay's log: one line an event on standard error.
//
//     text   2026-11-25T18:03:03.120Z info listening url=ws://127.0.0.1:7433
//     json   {"time":"2026-11-25T18:03:03.120Z","level":"info","message":"listening","url":"…"}
//
// Under systemd, whose journal keeps the time itself, a line of text begins with the priority
// instead (sd-daemon(3)): <6>listening url=…
//
// Nothing above `debug` names a space, a log or a device. What came from strangers is quoted, so no
// value can look like another line.

import Foundation
public import Logging
import Synchronization

/// Where the relay's log goes and how much of it.
public final class RelayLog: Sendable {
    /// How a line is written.
    public enum Format: String, Sendable {
        case text
        case json
        /// For systemd's journal.
        case journal
    }

    private let format: Format
    private let threshold: Atomic<Int>
    private let write: @Sendable (String) -> Void

    /// A log.
    /// - Parameters:
    ///   - level: the least that is written; an unknown one means `info`.
    ///   - write: takes a line with its end; standard error if it isn't given.
    public init(
        level: String,
        format: Format,
        write: @escaping @Sendable (String) -> Void = RelayLog.writeToStandardError
    ) {
        self.format = format
        self.write = write
        threshold = Atomic(RelayLog.rank(level))
    }

    /// What writes to it.
    public var logger: Logger { Logger(label: "sennit-relay") { _ in Handler(self) } }

    /// From now on, less or more is written.
    public func setLevel(_ level: String) {
        threshold.store(RelayLog.rank(level), ordering: .relaxed)
    }

    /// One call of the system for a line, so that lines of several threads don't mix.
    public static let writeToStandardError: @Sendable (String) -> Void = { line in
        FileHandle.standardError.write(Data(line.utf8))
    }

    private static let levels = Logger.Level.allCases

    private static func rank(_ level: String) -> Int {
        levels.firstIndex { $0.rawValue == level } ?? levels.firstIndex(of: .info) ?? 0
    }

    fileprivate var level: Logger.Level {
        RelayLog.levels[threshold.load(ordering: .relaxed)]
    }

    fileprivate func log(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) {
        let fields = metadata.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        write(RelayLog.line(level, message, fields, format, at: Date()))
    }

    /// One line.
    static func line(
        _ level: Logger.Level,
        _ message: String,
        _ fields: [(name: String, value: String)],
        _ format: Format,
        at date: Date
    ) -> String {
        let time = date.formatted(
            Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        )
        guard format == .json else {
            let start = format == .text ? "\(time) \(level) " : "<\(priority(of: level))>"
            let rest = fields.map { " \($0.name)=\(quotedIfNeeded($0.value))" }.joined()
            return start + escaped(message) + rest + "\n"
        }
        let all = [("time", time), ("level", "\(level)"), ("message", message)] + fields
        let members = all.map {
            "\(RawSetting.string($0).literal):\(RawSetting.string($1).literal)"
        }
        return "{" + members.joined(separator: ",") + "}\n"
    }

    /// The numbers of syslog(3).
    private static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let isPlain = value.unicodeScalars.allSatisfy { scalar in
            scalar.value > 0x20 && !(0x7f...0xa0).contains(scalar.value) && scalar != "\""
                && scalar != "="
        }
        return isPlain && !value.isEmpty ? value : RawSetting.string(value).literal
    }

    private static func escaped(_ message: String) -> String {
        String(RawSetting.string(message).literal.dropFirst().dropLast())
    }

    private struct Handler: LogHandler {
        private let log: RelayLog
        var metadata: Logger.Metadata = [:]

        init(_ log: RelayLog) { self.log = log }

        // One level for all loggers of the relay, which SIGHUP changes.
        var logLevel: Logger.Level {
            get { log.level }
            set { log.setLevel(newValue.rawValue) }
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let own = event.metadata ?? [:]
            log.log(
                event.level,
                "\(event.message)",
                metadata.merging(own) { _, new in new }
            )
        }
    }
}
