import Synchronization

/// What a storage counted since it was opened.
public struct StorageFigures: Hashable, Sendable {
    /// Groups that were made durable.
    public var syncCount: UInt64 = 0
    /// Bytes of these groups.
    public var byteCount: UInt64 = 0
    /// Groups whose write or sync failed.
    public var failureCount: UInt64 = 0
    /// When the last group failed; `nil` once one was made durable again.
    public var failedAt: ContinuousClock.Instant?
    /// Time that writes and syncs took, in seconds.
    public var syncTimes = Histogram(bounds: StorageFigures.secondBounds)
    /// Changes that shared a sync.
    public var groupSizes = Histogram(bounds: StorageFigures.countBounds)

    private static let secondBounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5,
    ]
    private static let countBounds: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

    /// Nothing yet.
    public init() {}

    /// How many values were no larger than each of some bounds.
    public struct Histogram: Hashable, Sendable {
        /// Ascending.
        public let bounds: [Double]
        /// Of the values between two bounds; the last one of those above all bounds.
        public private(set) var counts: [UInt64]
        /// Of all values.
        public private(set) var sum = 0.0

        init(bounds: [Double]) {
            self.bounds = bounds
            counts = [UInt64](repeating: 0, count: bounds.count + 1)
        }

        /// Counts a value.
        public mutating func add(_ value: Double) {
            counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
            sum += value
        }
    }
}

/// What a storage holds now.
public struct StorageSizes: Hashable, Sendable {
    /// Spaces that are there.
    public var spaceCount = 0
    /// Logs of these spaces.
    public var logCount = 0
    /// Entries of these logs.
    public var entryCount: UInt64 = 0
    /// Bytes of these entries.
    public var liveByteCount: UInt64 = 0
    /// Bytes that files take up, without what is filled ahead.
    public var storedByteCount: UInt64 = 0
    /// Segment files.
    public var segmentCount = 0

    /// An empty storage.
    public init() {}
}

extension SegmentStorage {
    /// What the storage holds now.
    /// - Complexity: O(spaces), of which only a copy of references is made under the lock.
    public func sizes() -> StorageSizes? {
        var sizes = StorageSizes()
        let spaces = state.withLock { state in
            sizes.storedByteCount = UInt64(max(0, state.storedByteCount))
            sizes.segmentCount = state.segments.count
            return state.index.content.spaces
        }
        for number in 0..<UInt32(spaces.count) {
            let row = spaces[number]
            guard !row.isGone else { continue }
            sizes.spaceCount += 1
            sizes.logCount += Int(row.logCount)
            sizes.entryCount += row.entryCount
            sizes.liveByteCount += row.byteCount
        }
        return sizes
    }
}
