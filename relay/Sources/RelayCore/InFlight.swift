import SennitWire

/// What is reserved and not finished.
struct InFlight: Sendable {
    var logs: [LogID: Int] = [:]
    var spaces: [SpaceID: Int] = [:]
    var newLogCounts: [SpaceID: Int] = [:]
    var newSpaceCount = 0

    mutating func add(_ other: InFlight) {
        logs.merge(other.logs, uniquingKeysWith: +)
        spaces.merge(other.spaces, uniquingKeysWith: +)
        newLogCounts.merge(other.newLogCounts, uniquingKeysWith: +)
        newSpaceCount += other.newSpaceCount
    }

    mutating func remove(_ other: InFlight) {
        InFlight.subtract(other.logs, from: &logs)
        InFlight.subtract(other.spaces, from: &spaces)
        InFlight.subtract(other.newLogCounts, from: &newLogCounts)
        newSpaceCount -= other.newSpaceCount
    }

    private static func subtract<Key>(_ other: [Key: Int], from counts: inout [Key: Int]) {
        for (key, count) in other {
            let left = counts[key, default: 0] - count
            counts[key] = left > 0 ? left : nil
        }
    }
}
