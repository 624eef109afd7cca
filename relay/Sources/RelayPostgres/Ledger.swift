#if PostgreSQL
import SennitWire

/// What a relay knows of the database without asking. It may be wrong, for other relays write too.
struct Ledger {
    struct Space: Hashable {
        /// Of the list in force; empty if there is none.
        var accessHash: [UInt8] = []
        var accessVersion: UInt64 = 0
        /// Whether it was read, and nothing of this relay fitted it since.
        var isFresh = false
    }

    struct Log: Hashable {
        let number: Int64
        let space: SpaceID
        var end: UInt64
        var start: UInt64
        var isFresh = false
    }

    var spaces: [SpaceID: Space] = [:]
    var logs: [LogID: Log] = [:]

    private static let maximumCount = 1 << 16

    /// Forgets everything once it is too much; what is needed is read again.
    mutating func forgetSome() {
        if spaces.count > Ledger.maximumCount { spaces = [:] }
        if logs.count > Ledger.maximumCount { logs = [:] }
    }
}
#endif
