import RelayStorage
import SennitWire
import Testing

/// A log of six entries in batches 0..<2, 2..<5 and 5..<6, as the relay holds it.
struct LogTailTests {
    let author = TestDevice(1)
    let log: TestLog

    init() {
        var log = TestLog(author, author.genesis().spaceID)
        _ = log.add(count: 10)
        self.log = log
    }

    private func judge(_ range: EntryRange) -> LogTail.Verdict {
        let stored = [log.batch(0, 2), log.batch(2, 5), log.batch(5, 6)]
        let tail = LogTail(log.id, log.descriptor, at: log.head(6))
        var overlap = stored.filter { $0.end > range.from && $0.first < range.head.end }
        if range.from >= tail.end { overlap = [] }
        let base: LogTail =
            switch overlap.first?.first.value {
            case nil: tail
            case 0: LogTail(startOf: log.descriptor, in: log.space)
            case let first?: LogTail(log.id, log.descriptor, at: log.head(Int(first)))
            }
        return tail.judge(
            PackedRange(range),
            hashes: range.entries.map(EntryHash.init(of:)),
            overlap: overlap,
            base: base
        )
    }

    private func refusal(_ range: EntryRange) -> Refusal? {
        if case .refused(let refusal) = judge(range) { refusal } else { nil }
    }

    @Test func `an append at the end is taken whole`() {
        #expect(judge(log.range(6, 8)) == .appends(log.batch(6, 8)))
    }

    @Test func `a first append is taken`() {
        let tail = LogTail(startOf: log.descriptor, in: log.space)
        let range = log.range(0, 3)
        let hashes = range.entries.map(EntryHash.init(of:))
        let verdict = tail.judge(PackedRange(range), hashes: hashes, overlap: [], base: tail)
        #expect(verdict == .appends(log.batch(0, 3)))
    }

    @Test func `a log precedes what starts at its end, its chain and its byte count`() {
        let tail = LogTail(log.id, log.descriptor, at: log.head(6))
        let (chain, byteCount) = (log.head(6).chain, log.head(6).byteCount)
        #expect(tail.precedes(from: Offset(6), chain: chain, byteCount: byteCount))
        #expect(!tail.precedes(from: Offset(5), chain: chain, byteCount: byteCount))
        #expect(!tail.precedes(from: Offset(6), chain: log.head(5).chain, byteCount: byteCount))
        #expect(!tail.precedes(from: Offset(6), chain: chain, byteCount: byteCount + 1))
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5])
    func `of an append that overlaps only what is new is taken`(from: Int) {
        #expect(judge(log.range(from, 9)) == .appends(log.batch(6, 9)))
    }

    @Test(arguments: [(0, 6), (0, 1), (1, 4), (3, 4), (5, 6), (2, 5)])
    func `an append of what is stored is known`(from: Int, end: Int) {
        #expect(judge(log.range(from, end)) == .known)
    }

    @Test func `an append past the end is a gap at the end`() {
        let refusal = refusal(log.range(7, 8))
        #expect(refusal?.code == .gap)
        #expect(refusal?.position == Position(log: log.id, offset: Offset(6)))
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5])
    func `other bytes at a stored offset are a conflict there`(changed: Int) {
        for from in 0...changed {
            var other = TestLog(author, log.space)
            var entries = Array(log.entries[..<8])
            entries[changed][0] ^= 1
            _ = other.add(entries)
            let refusal = refusal(other.range(from, 8))
            #expect(refusal?.code == .conflict)
            let offset = Offset(UInt64(changed))
            #expect(refusal?.position == Position(log: log.id, offset: offset))
        }
    }

    @Test func `a log that differs before the append is a conflict of no known place`() {
        var other = TestLog(author, log.space)
        var entries = log.entries
        entries[1][0] ^= 1
        _ = other.add(entries)
        for range in [other.range(6, 8), other.range(4, 8), other.range(3, 5)] {
            let refusal = refusal(range)
            #expect(refusal?.code == .conflict)
            #expect(refusal?.position == Position(log: log.id, offset: .zero))
        }
    }

    @Test func `a head that isn't that of the entries is bad`() {
        let chain = ChainHash(value: .repeating(9))
        #expect(refusal(log.range(0, 8).with(head: log.head(8, chain: chain)))?.code == .badHead)
        for from in [0, 4, 6] {
            let head = log.head(8, byteCountError: 1)
            #expect(refusal(log.range(from, 8).with(head: head))?.code == .badHead)
        }
        let stored = log.range(2, 5).with(head: log.head(5, byteCountError: 1))
        #expect(refusal(stored)?.code == .badHead)
    }
}
