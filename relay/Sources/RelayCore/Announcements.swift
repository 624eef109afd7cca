// What a commit added, told to all who are there.
//
// A group of appends that shared one fsync often has many of one log, when its device pipelines.
// They go out as one `entries` frame, which ends on the last head, as a range that is read later
// would: a subscriber gets one frame instead of sixty-four, and has one signature to check. The
// frame is encoded once; all subscribers share its bytes (`ByteBuffer` counts references), so what
// a subscriber costs is a write.
//
//     group    a: 4..<5   b: 0..<1   a: 5..<7          frames    a: 4..<7   b: 0..<1
//
// Entries keep their order within a log; between logs there is none (SPEC.md section 6).

import NIOCore
import RelayStorage
import SennitWire

/// The batches of one commit, by space and log.
struct Announcements {
    /// Consecutive batches of one log that one frame carries.
    private struct Run {
        let space: SpaceID
        let log: LogID
        let descriptor: LogDescriptor
        let from: Offset
        var entries: [[UInt8]]
        var byteCount: Int
        var head: Head
        /// The connection that all of it came from; `nil` if it came from several.
        var author: UInt64?
    }

    private var runs: [Run] = []
    // Invariant: the index in `runs` of the log's last run.
    private var lastRuns: [LogID: Int] = [:]

    /// Takes a batch that was stored; those of one log come in order.
    /// - Parameter author: the outlet of the connection that appended it; `nil` if it came to
    ///   another relay.
    mutating func add(
        _ batch: Batch,
        of log: LogID,
        _ descriptor: LogDescriptor,
        in space: SpaceID,
        author: UInt64?
    ) {
        let byteCount = batch.entries.reduce(0) { $0 + $1.count }
        if let index = lastRuns[log], runs[index].head.end == batch.first,
            runs[index].entries.count + batch.entries.count <= Limits.maximumBatchCount,
            runs[index].byteCount + byteCount <= Limits.maximumBatchByteCount
        {
            runs[index].entries += batch.entries
            runs[index].byteCount += byteCount
            runs[index].head = batch.head
            if runs[index].author != author { runs[index].author = nil }
            return
        }
        lastRuns[log] = runs.count
        runs.append(
            Run(
                space: space,
                log: log,
                descriptor: descriptor,
                from: batch.first,
                entries: batch.entries,
                byteCount: byteCount,
                head: batch.head,
                author: author
            )
        )
    }

    /// Tells everybody who is in the spaces now.
    func send(to hub: Hub, _ outbox: inout Outbox) {
        for run in runs {
            let audiences = hub.audiences(of: run.space)
            let hasReader = audiences.contains { $0.outlets.contains { $0.id != run.author } }
            let range = EntryRange(
                descriptor: run.descriptor,
                from: run.from,
                entries: run.entries,
                head: run.head
            )
            let tail = CommittedTail(
                log: run.log,
                descriptor: run.descriptor,
                from: run.from,
                end: run.head.end,
                frame: hasReader ? ByteBuffer(sharedFrame: RelayFrame.entries(range)) : nil
            )
            for audience in audiences { outbox.add(.committed(tail), for: audience) }
        }
    }
}
