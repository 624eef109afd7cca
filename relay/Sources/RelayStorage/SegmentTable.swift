// Which batches of which log lie where in one segment.
//
// A segment that is being written has its table in memory: 24 bytes a batch and 64 a log. Sealing
// writes it behind the frames, sorted, as the footer (SegmentFooter.swift).

import SennitWire

/// Where one batch lies, and where it ends in its log.
struct BatchPlace: Hashable {
    /// The offset after its last entry.
    var end: UInt64
    /// Of the frame, in the segment.
    var position: UInt32
    /// Of the frame.
    var length: UInt32
}

/// What a segment has of one log.
struct LogRun: Hashable {
    /// The first offset of its first batch; the log's end if there is none.
    var first: UInt64 = 0
    /// The end of its last batch.
    var end: UInt64 = 0
    /// `Head.byteCount` of its last batch.
    var byteCount: UInt64 = 0
    /// The segment with the batches before these; all ones for none.
    var previous: UInt32 = .max
    /// Positions of the frames that created the log and that set its floor; 0 for none.
    var created: UInt32 = 0
    var floor: UInt32 = 0
    /// How many batches there are.
    var count: UInt32 = 0
}

/// Positions of the frames that tell of a space; 0 for none.
struct SpaceRun: Hashable {
    var genesis: UInt32 = 0
    var access: UInt32 = 0
}

/// The index of a segment without a footer.
struct SegmentTable {
    private struct Link {
        var place: BatchPlace
        var next: Int32
    }

    private struct Chain {
        var run = LogRun()
        var head: Int32 = -1
        var tail: Int32 = -1
    }

    private var chains: [UInt32: Chain] = [:]
    private var links: [Link] = []
    private(set) var spaces: [UInt32: SpaceRun] = [:]
    /// Positions of all frames that aren't batches, ascending.
    private(set) var controls: [UInt32] = []

    var batchCount: Int { links.count }

    mutating func addBatch(
        log: UInt32,
        first: UInt64,
        place: BatchPlace,
        byteCount: UInt64,
        previous: UInt32
    ) {
        addBatches(log: log, first: first, previous: previous, byteCount) { add in add(place) }
    }

    /// Adds consecutive batches of a log.
    /// - Parameters:
    ///   - first: the first offset of the first of them.
    ///   - byteCount: `Head.byteCount` of the last.
    ///   - places: calls what it is given once for each, in order; at least once.
    mutating func addBatches(
        log: UInt32,
        first: UInt64,
        previous: UInt32,
        _ byteCount: UInt64,
        places: ((BatchPlace) -> Void) -> Void
    ) {
        let start = links.count
        places { place in links.append(Link(place: place, next: Int32(links.count + 1))) }
        guard start < links.count else { return }
        let last = links.count - 1
        links[last].next = -1
        let tail = Self.extend(
            &chains[log, default: Chain()],
            with: start...last,
            first: first,
            end: links[last].place.end,
            byteCount: byteCount,
            previous: previous
        )
        if tail >= 0 { links[Int(tail)].next = Int32(start) }
    }

    private static func extend(
        _ chain: inout Chain,
        with indices: ClosedRange<Int>,
        first: UInt64,
        end: UInt64,
        byteCount: UInt64,
        previous: UInt32
    ) -> Int32 {
        let tail = chain.tail
        if chain.run.count == 0 {
            chain.run.first = first
            chain.run.previous = previous
            chain.head = Int32(indices.lowerBound)
        }
        chain.tail = Int32(indices.upperBound)
        chain.run.count += UInt32(indices.count)
        chain.run.end = end
        chain.run.byteCount = byteCount
        return tail
    }

    /// Notes a frame that isn't a batch.
    mutating func addControl(_ kind: FrameHeader.Kind, number: UInt32, position: UInt32) {
        controls.append(position)
        switch kind {
        case .log: chains[number, default: Chain()].run.created = position
        case .floor: chains[number, default: Chain()].run.floor = position
        case .space: spaces[number, default: SpaceRun()].genesis = position
        case .access: spaces[number, default: SpaceRun()].access = position
        case .batch, .admission, .dismissal, .removal: break
        }
    }

    func run(of log: UInt32) -> LogRun? { chains[log]?.run }

    /// Every log, ascending.
    var logs: [UInt32] { chains.keys.sorted() }

    /// The batches of a log that end after `offset`, in order, at most `maximumCount`.
    func places(of log: UInt32, after offset: UInt64, maximumCount: Int) -> [BatchPlace] {
        guard let chain = chains[log] else { return [] }
        var places: [BatchPlace] = []
        var index = chain.head
        // The chain has each link once, so this ends.
        while index >= 0, places.count < maximumCount {
            let link = links[Int(index)]
            if link.place.end > offset { places.append(link.place) }
            index = link.next
        }
        return places
    }

    /// The last batch of a log.
    func lastPlace(of log: UInt32) -> BatchPlace? {
        guard let chain = chains[log], chain.tail >= 0 else { return nil }
        return links[Int(chain.tail)].place
    }

    /// The batch of a log that ends at `offset`.
    func place(of log: UInt32, endingAt offset: UInt64) -> BatchPlace? {
        if let last = lastPlace(of: log), last.end == offset { return last }
        guard offset > 0 else { return nil }
        let place = places(of: log, after: offset - 1, maximumCount: 1).first
        return place?.end == offset ? place : nil
    }
}
