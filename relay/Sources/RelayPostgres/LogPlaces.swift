#if PostgreSQL
import SennitWire

/// Which database a log is on, as far as it is remembered. What was asked for lately is kept, so a
/// log that is in use is not forgotten.
struct LogPlaces {
    // Invariant: `recent` has at most `maximumCount` logs, and so has `older`.
    private var recent: [LogID: Int] = [:]
    private var older: [LogID: Int] = [:]
    private let maximumCount: Int

    init(maximumCount: Int = 1 << 17) { self.maximumCount = maximumCount }

    mutating func place(of log: LogID) -> Int? {
        if let place = recent[log] { return place }
        guard let place = older[log] else { return nil }
        remember(log, at: place)
        return place
    }

    mutating func remember(_ log: LogID, at place: Int) {
        recent[log] = place
        guard recent.count >= maximumCount else { return }
        older = recent
        recent = [:]
    }
}
#endif
