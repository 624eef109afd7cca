import SennitWire

/// Collects batches of one log until the bounds of a read are reached.
struct BatchTaker {
    private var found: BoundedBatches
    private let log: LogID
    private let from: Offset

    /// Frames that lie close to each other are read together, up to this many bytes.
    private static let readByteCount = 1 << 20
    private static let gapByteCount = 4096

    init(_ log: LogID, _ from: Offset, _ maximumCount: Int, _ maximumByteCount: Int) {
        self.log = log
        self.from = from
        found = BoundedBatches(from, maximumCount, maximumByteCount)
    }

    var batches: [Batch] { found.batches }
    /// Whether nothing more is taken, for the bounds or for damage.
    private(set) var isFull = false
    /// Entries that were collected, from the first offset asked for.
    var count: Int { found.count }
    /// Where the next batch begins.
    var next: Offset { found.next }

    /// Takes the batches at these places, in order.
    /// - Throws: `damagedLog` if the first of all can't be read; others end the collection.
    mutating func take(
        _ places: [BatchPlace],
        of number: UInt32,
        from segment: Segment
    ) throws(StorageError) {
        var rest = places[...]
        while !isFull, let first = rest.first {
            var end = Int(first.position) + Int(first.length)
            var taken = 1
            var entryByteCount = Int(first.length)
            for place in rest.dropFirst() {
                let start = Int(place.position)
                guard start >= end, start - end <= BatchTaker.gapByteCount,
                    start + Int(place.length) - Int(first.position) <= BatchTaker.readByteCount,
                    entryByteCount <= found.remainingByteCount
                else { break }
                end = start + Int(place.length)
                entryByteCount += Int(place.length)
                taken += 1
            }
            do throws(StorageError) {
                let (file, epoch) = try segment.open()
                let bytes = try StorageError.reading { () throws(FileFailure) in
                    try file.read(end - Int(first.position), at: Int(first.position))
                }
                let seed = Frame.seed(of: epoch)
                for place in rest.prefix(taken) where !isFull {
                    let at = Int(place.position - first.position)
                    let header = Frame.checked(bytes, at: at, epoch: epoch, seed: seed)
                    try add(bytes, at, header, number, place)
                }
            } catch {
                if batches.isEmpty { throw error }
                isFull = true
            }
            rest = rest.dropFirst(taken)
        }
    }

    private mutating func add(
        _ bytes: [UInt8],
        _ at: Int,
        _ header: FrameHeader?,
        _ number: UInt32,
        _ place: BatchPlace
    ) throws(StorageError) {
        guard let header, header.kind == .batch, header.number == number,
            header.first + UInt64(header.count) == place.end
        else { throw damaged("the batch that ends at \(place.end) doesn't check out") }
        let isNext = batches.isEmpty ? header.first <= from.value : header.first == next.value
        guard isNext else { throw damaged("a batch is missing") }
        let batch = try StorageError.decoding(log, at: header.first) { () throws(WireError) in
            try Frame.batch(bytes, at: at, header)
        }
        found.add(batch)
        isFull = found.isFull
    }

    private func damaged(_ reason: String) -> StorageError {
        .damagedLog(log: log, offset: next, reason: reason)
    }
}

extension StorageError {
    /// Reads, and says so if the file fails.
    static func reading<Value>(
        _ body: () throws(FileFailure) -> Value
    ) throws(StorageError) -> Value {
        do throws(FileFailure) { return try body() } catch { throw StorageError(error) }
    }

    /// Decodes what belongs to a log.
    static func decoding<Value>(
        _ log: LogID,
        at offset: UInt64,
        _ body: () throws(WireError) -> Value
    ) throws(StorageError) -> Value {
        do throws(WireError) { return try body() } catch {
            throw .damagedLog(log: log, offset: Offset(offset), reason: "\(error)")
        }
    }

    /// Decodes what belongs to a space.
    static func decoding<Value>(
        _ space: SpaceID,
        _ body: () throws(WireError) -> Value
    ) throws(StorageError) -> Value {
        do throws(WireError) { return try body() } catch {
            throw .damagedSpace(space: space, reason: "\(error)")
        }
    }

    /// Says which log a damaged frame is of.
    static func locating<Value>(
        _ log: LogID,
        at offset: UInt64,
        _ body: () throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        do throws(StorageError) { return try body() } catch {
            guard case .damagedFile(_, let reason) = error else { throw error }
            throw .damagedLog(log: log, offset: Offset(offset), reason: reason)
        }
    }
}
