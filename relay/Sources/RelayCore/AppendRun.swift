// Appends as they go through the relay: in runs.
//
// A device that pipelines has many appends of one log in one read of its socket. They are judged,
// reserved, acked and announced together, so what has to be looked up or locked is so once for all
// of them. Within a run each append follows on from the one before it:
//
//     run    from 4, 1 entry, head 5 │ from 5, 2 entries, head 7 │ from 7, 1 entry, head 8
//     start  chain and byte count at 4, as the head at 4 claimed them
//
// An append is *linked* if its entries were hashed and lead from its start to its head. The start
// is the device's own word, so where a log is appended to, one comparison remains: whether the log
// stands at that start (`LogTail.precedes`). All but the first of a run are linked; the first is if
// the connection had appended to the log before.

import SennitWire

/// Where a log stands: the chain and the bytes of all entries before it.
struct ChainPoint: Hashable, Sendable {
    var chain: ChainHash
    var byteCount: UInt64

    /// The point at a head.
    init(_ head: Head) {
        chain = head.chain
        byteCount = head.byteCount
    }
}

/// Appends of one connection to one log that came together, in order.
struct AppendRun: Hashable, Sendable {
    /// One of them.
    struct Append: Hashable, Sendable {
        let from: Offset
        let entries: PackedEntries
        let head: Head
        /// From where the entries are known to lead to the head; `nil` if it isn't known.
        let start: ChainPoint?
        /// The hashes of the entries, where `start` is `nil`.
        let hashes: [EntryHash]
        /// What is still to be done about the head's signature before anything is stored.
        var headCheck = HeadCheck.done

        /// - Parameter last: the head of the connection's append before this one, of the same log.
        init(_ range: PackedRange, after last: Head?) {
            from = range.from
            entries = range.entries
            head = range.head
            if let last, last.end == range.from, Append.leads(from: last, range) {
                start = ChainPoint(last)
                hashes = []
            } else {
                start = nil
                hashes = range.entries.hashes
            }
        }

        private static func leads(from last: Head, _ range: PackedRange) -> Bool {
            var chain = last.chain
            range.entries.forEach { entry in
                chain = chain.extended(by: EntryHash(of: range.entries.bytes, in: entry))
            }
            let byteCount = last.byteCount.addingReportingOverflow(UInt64(range.entries.byteCount))
            return chain == range.head.chain && !byteCount.overflow
                && byteCount.partialValue == range.head.byteCount
        }
    }

    let space: SpaceID
    /// The device of the connection, which may not be the author.
    let device: DeviceKey
    let log: LogID
    let descriptor: LogDescriptor
    // Invariant: not empty; all but the first are linked, and start where the one before ends.
    private(set) var appends: [Append]
    /// Bytes of all entries.
    private(set) var byteCount: Int

    /// A run of one.
    init(
        space: SpaceID,
        device: DeviceKey,
        log: LogID,
        descriptor: LogDescriptor,
        _ append: Append
    ) {
        self.space = space
        self.device = device
        self.log = log
        self.descriptor = descriptor
        appends = [append]
        byteCount = append.entries.byteCount
    }

    /// The author.
    var author: DeviceKey { descriptor.device }

    /// The head after the last append.
    var head: Head { appends[appends.count - 1].head }

    /// Takes one more in, if it follows on.
    /// - Returns: whether it did.
    mutating func extend(_ log: LogID, with append: Append) -> Bool {
        guard log == self.log, append.start != nil, append.from == head.end else { return false }
        appends.append(append)
        byteCount += append.entries.byteCount
        return true
    }

    /// The appends with these indices as a run of their own.
    func part(_ indices: Range<Int>) -> AppendRun {
        var part = self
        part.appends = Array(appends[indices])
        part.byteCount = part.appends.reduce(0) { $0 + $1.entries.byteCount }
        return part
    }

    /// Says what is to be done about the head of one append.
    mutating func setHeadCheck(_ check: HeadCheck, of index: Int) {
        appends[index].headCheck = check
    }

    /// One append as a frame carries it.
    func range(_ append: Append) -> PackedRange {
        PackedRange(
            descriptor: descriptor,
            from: append.from,
            entries: append.entries,
            head: append.head
        )
    }

    /// Whether the author signed the head of an append.
    /// - Complexity: one signature check, about 50 µs.
    func hasSignedHead(_ append: Append) -> Bool {
        append.head.isSigned(by: author, space: space, log: log)
    }

    /// The answer that says the same no to all.
    func refusals(_ refusal: Refusal) -> [AppendAnswer] {
        appends.map { append in
            .refused(
                Refusal(
                    code: refusal.code,
                    position: refusal.position ?? Position(log: log, offset: append.from),
                    reason: refusal.reason
                )
            )
        }
    }
}

/// What one append came to.
enum AppendAnswer: Hashable, Sendable {
    /// The entries before `end` are on disk.
    case acked(end: Offset, chain: ChainHash)
    case refused(Refusal)

    /// The answer to an append that brought a log to this head.
    init(_ head: Head) { self = .acked(end: head.end, chain: head.chain) }

    /// The frame that says so.
    func frame(of log: LogID) -> RelayFrame {
        switch self {
        case .acked(let end, let chain): .ack(Ack(log: log, end: end, chain: chain))
        case .refused(let refusal): .refused(refusal)
        }
    }
}

extension [AppendAnswer] {
    /// Where the log ends after the last that is acked.
    var lastEnd: Offset? {
        for answer in reversed() { if case .acked(let end, _) = answer { return end } }
        return nil
    }
}
