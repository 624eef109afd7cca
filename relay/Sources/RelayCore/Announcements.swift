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
        var pieces: [PackedEntries]
        var count: Int
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
        // Nearly always it is the last run of all that goes on.
        let last = runs.last?.log == log ? runs.count - 1 : lastRuns[log]
        if let index = last, runs[index].head.end == batch.first,
            runs[index].count + batch.packed.count <= Limits.maximumBatchCount,
            runs[index].byteCount + batch.packed.byteCount <= Limits.maximumBatchByteCount
        {
            runs[index].pieces.append(batch.packed)
            runs[index].count += batch.packed.count
            runs[index].byteCount += batch.packed.byteCount
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
                pieces: [batch.packed],
                count: batch.packed.count,
                byteCount: batch.packed.byteCount,
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
            let tail = CommittedTail(
                log: run.log,
                descriptor: run.descriptor,
                from: run.from,
                end: run.head.end,
                frame: hasReader
                    ? ByteBuffer(
                        entriesOf: run.descriptor,
                        from: run.from,
                        run.pieces,
                        head: run.head
                    ) : nil
            )
            for audience in audiences { outbox.add(.committed(tail), for: audience) }
        }
    }
}
