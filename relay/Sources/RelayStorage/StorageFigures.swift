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
    /// Of storage in databases, why each can't be used, in their order; `nil` for one that can.
    public var databaseOutages: [StorageError?] = []

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

        /// Adds what was counted elsewhere, with the same bounds.
        mutating func add(_ other: Histogram) {
            precondition(bounds == other.bounds, "Histograms that are added have the same bounds.")
            for index in counts.indices { counts[index] += other.counts[index] }
            sum += other.sum
        }
    }

    /// Counts a group that was made durable.
    package mutating func addSync(byteCount: Int, changeCount: Int, took time: Duration) {
        syncCount += 1
        self.byteCount += UInt64(byteCount)
        syncTimes.add(time / .seconds(1))
        groupSizes.add(Double(changeCount))
        failedAt = nil
    }

    /// Counts a group that failed.
    package mutating func addFailure() {
        failureCount += 1
        failedAt = .now
    }

    /// The figures of storage that lies in several parts. Its last write counts as failed while
    /// that of every part did: as long as one part takes writes, it is good for something.
    package init(sumOf parts: [StorageFigures]) {
        for part in parts {
            syncCount += part.syncCount
            byteCount += part.byteCount
            failureCount += part.failureCount
            syncTimes.add(part.syncTimes)
            groupSizes.add(part.groupSizes)
        }
        let failures = parts.compactMap(\.failedAt)
        failedAt = failures.count == parts.count ? failures.max() : nil
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
    /// Bytes that files or tables take up, without what is filled ahead.
    public var storedByteCount: UInt64 = 0
    /// Segment files; `nil` for storage without any.
    public var segmentCount: Int?

    /// An empty storage.
    public init() {}

    /// What storage holds that lies in several parts.
    package init(sumOf parts: [StorageSizes]) {
        for part in parts {
            spaceCount += part.spaceCount
            logCount += part.logCount
            entryCount += part.entryCount
            liveByteCount += part.liveByteCount
            storedByteCount += part.storedByteCount
        }
    }
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
