import Foundation
import SennitDocument
import SennitReference
import SennitWire

/// What one trace costs. Times are CPU milliseconds of one thread.
struct TraceResult {
    let name: String
    let transactionCount: Int
    let local: Double
    let merge: Double
    let liveMean: Double
    let liveWorst: Double
    let open: Double
    let encodedByteCount: Int
    let scalarCount: Int

    static let header =
        "trace               txns   local ms  merge ms live µs (worst ms)  open ms   bytes    text"

    var row: String {
        let live = String(format: "%.2f (%.2f)", liveMean * 1000, liveWorst)
        return String(
            format: "%-18@ %6d %10.2f %9.2f  %18@ %8.2f %7d %7d",
            name as NSString,
            transactionCount,
            local,
            merge,
            live as NSString,
            open,
            encodedByteCount,
            scalarCount
        )
    }

    var json: String {
        """
        {"trace":"\(name)","transactions":\(transactionCount),"local_ms":\(local),\
        "merge_ms":\(merge),"live_mean_us":\(liveMean * 1000),"live_worst_ms":\(liveWorst),\
        "open_ms":\(open),"encoded_bytes":\(encodedByteCount),"text_scalars":\(scalarCount)}
        """
    }
}

/// CPU milliseconds that this thread has used.
func threadMilliseconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
}

/// The least of several runs.
func best(of count: Int, _ body: () throws -> Void) rethrows -> Double {
    var least = Double.infinity
    for _ in 0..<count {
        let start = threadMilliseconds()
        try body()
        least = min(least, threadMilliseconds() - start)
    }
    return least
}

/// A benchmark that doesn't end in the right text measures nothing.
struct WrongText: Error, CustomStringConvertible {
    let what: String
    var description: String { "\(what) ended in another text: nothing was measured" }
}

/// Measures one trace through the calls that the engine makes.
struct TraceBenchmark {
    private let trace: Trace
    // Each transaction's patches, the author's log, and the events of its parents.
    private var edits: [(patches: [Patch], log: LogID, parents: [EventID])] = []
    private var firstEvents: [UInt64] = []

    init(_ trace: Trace) {
        self.trace = trace
        var nextEvents: [Int: UInt64] = [:]
        var lastEvents: [EventID?] = []
        for transaction in trace.transactions {
            let log = Trace.log(ofAgent: transaction.agent)
            let patches = transaction.patches.map { patch in
                Patch(
                    range: patch.position..<(patch.position + patch.deletedCount),
                    text: patch.text
                )
            }
            let count = patches.reduce(0) { $0 + $1.range.count + $1.text.unicodeScalars.count }
            let first = nextEvents[transaction.agent] ?? 0
            let parents = transaction.parents.compactMap { lastEvents[$0] }.sorted()
            edits.append((patches, log, parents))
            firstEvents.append(first)
            nextEvents[transaction.agent] = first + UInt64(count)
            lastEvents.append(
                count > 0
                    ? EventID(log: log, number: first + UInt64(count) - 1)
                    : transaction.parents.last.flatMap { lastEvents[$0] }
            )
        }
    }

    func measure(name: String) throws -> TraceResult {
        var document = Document()
        var batches: [[OperationRun]] = []
        let local = try best(of: 3) {
            document = Document()
            batches = try replay(into: &document)
        }
        let expected = document.text.string
        let bytes = encoded(batches)
        let merge = try best(of: 5) {
            var merged = Document()
            _ = try merged.merge(try decoded(bytes))
            guard merged.text.string == expected else { throw WrongText(what: "the merge") }
        }
        let (mean, worst) = try live(batches, expected: expected)
        let stored = document.encode()
        let open = try best(of: 5) {
            let opened = try Document(decoding: stored)
            guard opened.text.scalarCount == document.text.scalarCount else {
                throw WrongText(what: "opening")
            }
        }
        return TraceResult(
            name: name,
            transactionCount: edits.count,
            local: local,
            merge: merge,
            liveMean: mean,
            liveWorst: worst,
            open: open,
            encodedByteCount: stored.count,
            scalarCount: document.text.scalarCount
        )
    }

    /// Makes every transaction through the editing call: at the current version if the trace is
    /// sequential, else at its parents.
    private func replay(into document: inout Document) throws -> [[OperationRun]] {
        var batches: [[OperationRun]] = []
        batches.reserveCapacity(edits.count)
        for (index, edit) in edits.enumerated() {
            if trace.kind == .sequential {
                batches.append(
                    try document.edit(
                        edit.patches,
                        author: edit.log,
                        firstEvent: firstEvents[index]
                    )
                )
            } else {
                let result = try document.edit(
                    edit.patches,
                    at: edit.parents,
                    author: edit.log,
                    firstEvent: firstEvents[index]
                )
                batches.append(result.runs)
            }
        }
        return batches
    }

    private func encoded(_ batches: [[OperationRun]]) -> [(LogID, [UInt8])] {
        var logs = LogTable()
        let all = batches.filter { !$0.isEmpty }.map {
            OperationBatch(document: .directory, runs: $0)
        }
        return OperationBatch.joined(all).map { batch in
            var writer = ByteWriter()
            batch.write(to: &writer, logs: &logs)
            return (batch.author, writer.bytes)
        }
    }

    private func decoded(_ batches: [(LogID, [UInt8])]) throws -> [OperationRun] {
        var logs = LogTable()
        return try batches.flatMap { author, bytes in
            try OperationBatch(decoding: bytes, author: author, logs: &logs).runs
        }
    }

    private func live(
        _ batches: [[OperationRun]],
        expected: String
    ) throws -> (mean: Double, worst: Double) {
        var document = Document()
        var total = 0.0
        var worst = 0.0
        for batch in batches {
            let start = threadMilliseconds()
            _ = try document.merge(batch)
            let time = threadMilliseconds() - start
            total += time
            worst = max(worst, time)
        }
        guard document.text.string == expected else { throw WrongText(what: "live merging") }
        return (total / Double(max(batches.count, 1)), worst)
    }
}
