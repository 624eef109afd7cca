import SennitWire

/// What is reserved and not finished.
struct InFlight: Sendable {
    var logs: [LogID: Int] = [:]
    var spaces: [SpaceID: Int] = [:]
    var newLogCounts: [SpaceID: Int] = [:]
    var newSpaceCount = 0

    /// One less of a thing.
    static func drop<Key>(_ key: Key, from counts: inout [Key: Int]) {
        let left = counts[key, default: 0] - 1
        counts[key] = left > 0 ? left : nil
    }
}
