#if PostgreSQL
import RelayStorage

/// What a database says no with.
struct PostgresFailure: Error, Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// The connection is gone or was given up. What was asked may have been done.
        case lost
        /// The server refused, with its code of five characters; the connection is good.
        case refused(state: String)
    }

    let kind: Kind
    /// One sentence, without secrets.
    let reason: String

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    /// A message that libpq made, in one line.
    static func sentence(_ message: String) -> String {
        let lines = message.split(whereSeparator: \.isNewline).map { line in
            String(line.drop { $0 == "\t" || $0 == " " })
        }
        return lines.isEmpty ? "the connection is gone" : lines.joined(separator: "; ")
    }

    /// Whether the server ends the connection after it: it shuts down or was told to.
    static func isEnding(_ state: String) -> Bool { state.hasPrefix("57P") }

    /// Whether the same may succeed when it is tried again: others were faster.
    var isTransient: Bool {
        guard case .refused(let state) = kind else { return false }
        // Rolled back for a deadlock or for its order; a key or its counterpart came or went;
        // a guard tripped (see `PostgresStatement.guarded`); a value isn't there.
        return state.hasPrefix("40") || state.hasPrefix("23") || state == "22012"
    }

    /// Whether there is no such table.
    var isMissingTable: Bool { kind == .refused(state: "42P01") }

    /// What it is to whoever uses the storage.
    func storageError(_ location: String) -> StorageError {
        switch kind {
        case .lost: .unavailable(path: location, reason: reason)
        case .refused: .failed(path: location, reason: reason)
        }
    }
}

/// A moment until which something is waited for.
struct Deadline: Sendable, Comparable {
    let instant: ContinuousClock.Instant

    static func after(_ duration: Duration) -> Deadline { Deadline(instant: .now + duration) }

    static func < (left: Deadline, right: Deadline) -> Bool { left.instant < right.instant }

    var isOver: Bool { instant <= .now }

    /// As `poll` takes it.
    var remainingMilliseconds: Int32 {
        let parts = (instant - .now).components
        if parts.seconds < 0 || parts.attoseconds < 0 { return 0 }
        let milliseconds = parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000 + 1
        return Int32(clamping: milliseconds)
    }
}
#endif
