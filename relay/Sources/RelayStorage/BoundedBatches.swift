package import SennitWire

/// Batches of one log, collected in order until the bounds of a read are reached. The first one is
/// always taken, whole; of the rest those that fit.
package struct BoundedBatches {
    /// What was taken.
    package private(set) var batches: [Batch] = []
    /// Whether nothing more is taken.
    package private(set) var isFull = false
    /// Entries that were offered, from the first offset asked for.
    package private(set) var count = 0

    private let from: Offset
    private let maximumCount: Int
    private let maximumByteCount: Int
    private var byteCount = 0

    package init(_ from: Offset, _ maximumCount: Int, _ maximumByteCount: Int) {
        self.from = from
        self.maximumCount = maximumCount
        self.maximumByteCount = maximumByteCount
    }

    /// Where the next batch begins.
    package var next: Offset { batches.last?.end ?? from }

    /// Bytes that may still come.
    package var remainingByteCount: Int { maximumByteCount - byteCount }

    /// Takes a batch, if it fits.
    package mutating func add(_ batch: Batch) {
        let skipped = Int(max(from.value, batch.first.value) - batch.first.value)
        count += batch.packed.count - skipped
        byteCount += batch.packed.dropFirst(skipped).byteCount
        let fits = count <= maximumCount && byteCount <= maximumByteCount
        if batches.isEmpty || fits { batches.append(batch) }
        isFull = !fits || count == maximumCount || byteCount == maximumByteCount
    }
}
