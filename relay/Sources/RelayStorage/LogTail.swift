// Whether an append fits its log. SPEC.md section 10.
//
//     stored     0 1 2 3 4 5 | end = 6
//     from = 6               + 6 7      appended
//     from = 4           4 5 + 6 7      4 and 5 are compared, 6 and 7 appended
//     from = 4           4 5            compared; nothing new, and acked again
//     from = 7                   7      gap at 6
//     from = 4           4 x + 6 7      conflict at 5
//
// The chain is worked out from what is stored, through the entries, and must be the head's. If the
// entries agree as far as they overlap and the head is well signed, and still the chain differs,
// then the author's log differs before `from`: a conflict too, of which no place is known. From
// offset 0 there is nothing before, so there it can only be the head that is wrong.

public import SennitWire

/// Where a log ends and what its chain is there.
public struct LogTail: Hashable, Sendable {
    /// The log's id.
    public let log: LogID
    /// Author and life of the log.
    public let descriptor: LogDescriptor
    /// The next offset.
    public let end: Offset
    /// The chain at `end`.
    public let chain: ChainHash
    /// Bytes of all entries before `end`.
    public let byteCount: UInt64

    /// What an append comes to.
    public enum Verdict: Hashable, Sendable {
        /// This batch is to be stored; the log then ends at the batch's head.
        case appends(Batch)
        /// The relay has all of it.
        case known
        /// No.
        case refused(Refusal)
    }

    /// The tail of a log that has no entries.
    public init(startOf descriptor: LogDescriptor, in space: SpaceID) {
        log = descriptor.logID(in: space)
        self.descriptor = descriptor
        end = .zero
        chain = descriptor.chainStart(in: space)
        byteCount = 0
    }

    /// The tail at a head of the log.
    public init(_ log: LogID, _ descriptor: LogDescriptor, at head: Head) {
        self.log = log
        self.descriptor = descriptor
        end = head.end
        chain = head.chain
        byteCount = head.byteCount
    }

    /// The tail that a record describes.
    public init(_ record: LogRecord) {
        if let head = record.head {
            self.init(record.descriptor.logID(in: record.space), record.descriptor, at: head)
        } else {
            self.init(startOf: record.descriptor, in: record.space)
        }
    }

    /// What the relay answers when the log stands here.
    public var ack: Ack { Ack(log: log, end: end, chain: chain) }

    /// Whether a log that stands here goes on with an append for which it is proven already that
    /// its entries lead from this chain and byte count to its head.
    public func precedes(from: Offset, chain: ChainHash, byteCount: UInt64) -> Bool {
        from == end && chain == self.chain && byteCount == self.byteCount
    }

    /// Judges an append whose head has a good signature.
    /// - Parameters:
    ///   - hashes: the hashes of the range's entries.
    ///   - overlap: the stored batches from the one that holds `range.from` on, as far as the range
    ///     reaches; empty if the range starts at `end`.
    ///   - base: the tail before the first of these batches, or this one.
    public func judge(
        _ range: PackedRange,
        hashes: [EntryHash],
        overlap: [Batch],
        base: LogTail
    ) -> Verdict {
        guard range.from <= end else {
            return .refused(
                Refusal(
                    code: .gap,
                    position: Position(log: log, offset: end),
                    reason: "the append starts past the end of the log"
                )
            )
        }
        var walk = Walk(tail: base)
        for stored in overlap {
            for bytes in stored.entries where walk.end < range.head.end {
                let hash = EntryHash(of: bytes)
                if walk.end >= range.from, hash != hashes[walk.index(from: range.from)] {
                    return conflict(at: walk.end, "other bytes are stored at these offsets")
                }
                walk.take(hash, byteCount: bytes.count)
            }
        }
        let knownCount = walk.index(from: range.from)
        let new = range.entries.dropFirst(knownCount)
        var next = knownCount
        new.forEach { entry in
            walk.take(hashes[next], byteCount: entry.count)
            next += 1
        }
        guard walk.chain == range.head.chain else {
            return range.from == .zero
                ? badHead("the head's chain is not that of the entries")
                : conflict(at: .zero, "the log differs before these offsets")
        }
        guard walk.byteCount == range.head.byteCount else {
            return badHead("the head's byte count is not that of the entries")
        }
        guard range.head.end > end else { return .known }
        return .appends(
            Batch(
                first: end,
                packed: new,
                head: range.head
            )
        )
    }

    private func conflict(at offset: Offset, _ reason: String) -> Verdict {
        .refused(
            Refusal(
                code: .conflict,
                position: Position(log: log, offset: offset),
                reason: reason
            )
        )
    }

    private func badHead(_ reason: String) -> Verdict {
        .refused(
            Refusal(code: .badHead, position: Position(log: log, offset: end), reason: reason)
        )
    }
}

/// The running state of a log while its entries are gone through.
struct Walk {
    private(set) var end: Offset
    private(set) var chain: ChainHash
    private(set) var byteCount: UInt64

    init(tail: LogTail) {
        end = tail.end
        chain = tail.chain
        byteCount = tail.byteCount
    }

    mutating func take(_ hash: EntryHash, byteCount count: Int) {
        end = end.next
        chain = chain.extended(by: hash)
        byteCount += UInt64(count)
    }

    /// How far the walk is past `from`; 0 before it. At most a batch, so it is an `Int`.
    func index(from: Offset) -> Int {
        end <= from ? 0 : Int(end.value - from.value)
    }
}
