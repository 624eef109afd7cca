// The embedded store: one growing log of all logs, cut into segments.
//
//     submit ──► reserve: judged against what is reserved, encoded into the queue     any thread
//     pump   ──► the whole queue: one write, one fdatasync                            committer
//            ──► index, then completions                                              committer
//     then   ──► seal full segments, write checkpoints, fill the next segment         janitor
//
// The next group is what queued while the last one was synced; there is no timer. With one append
// waiting, it is written at once; with a thousand, they share one sync.
//
// Files in the data directory:
//
//     0000000017.segment   frames (Frame.swift) behind a header (SegmentHeader.swift), and a footer
//                          (SegmentFooter.swift) once it is sealed
//     checkpoint           the index as of the end of some segment (Checkpoint.swift)
//     lock                 held while the storage is open
//
// Segments are the truth; a lost checkpoint costs time. Opening reads the checkpoint, the footers
// of segments sealed since, and the frames of the one or two that weren't (Recovery).
//
// When a write or a sync fails, everything reserved is refused and the segment is left as it is: a
// second fdatasync may return 0 though the pages it was about were dropped and marked clean
// (https://wiki.postgresql.org/wiki/Fsync_Errors). The next group goes to a new segment, whose
// header says where the failed one ends: see SegmentHeader.swift for why that is safe.
//
// Left out: numbers of removed logs are not used again (48 bytes each until the store is migrated),
// and compaction doesn't merge small segments.

import Foundation
public import SennitWire
import Synchronization

/// A relay's storage in segment files.
public final class SegmentStorage: RelayStorage, Sendable {
    /// What may be chosen.
    public struct Options: Hashable, Sendable {
        /// Bytes of a segment, after which the next is begun.
        public var segmentByteCount = 64 << 20
        /// Whether segments are written with zeros ahead of use. A sync then changes no metadata,
        /// which doubles the rate of commits and takes its tail away.
        public var fillsAhead = true
        /// Bytes that share one write; what is queued beyond goes to the next.
        public var groupByteCount = 8 << 20
        /// Segments after which a checkpoint is written. With many logs it takes more, see
        /// `Checkpoint.isDue`.
        public var checkpointSegmentCount = 8
        /// Bytes that what is stored may take up; `nil` for no limit. What is filled ahead comes on
        /// top.
        public var maximumByteCount: Int?
        /// Whether threads of its own do the work. Without, `commit` and `pump` do it, in the
        /// calling thread, and only one thread may call.
        public var hasThreads = true

        /// The options that a relay runs with.
        public init() {}
    }

    struct State: Sendable {
        var index: StoreIndex
        var reservation: Reservation
        /// Segments without a footer, whose batches are in memory.
        var tables: [UInt32: SegmentTable] = [:]
        /// Where the frames of these segments end, once nothing is added to them.
        var ends: [UInt32: Int] = [:]
        /// Those of them whose write or sync failed: their files are only read.
        var failed: Set<UInt32> = []
        var segments: [UInt32: Segment] = [:]
        var queue: [CommitGroup] = []
        var tasks: [JanitorTask] = []
        var nextSegment: UInt32 = 0
        var spare: Spare?
        var filling: Filling?
        /// Where the segment in use ends; `nil` if there is none, or one that isn't filled ahead.
        var activeEnd: Int?
        /// Bytes of all segments behind their headers, as far as there is something in them.
        var storedByteCount = 0
        var isClosed = false
        var figures = StorageFigures()
    }

    public let relayName: Bytes32
    /// Damage that was found when the storage was opened; each names its log or its file.
    public let damages: [StorageError]

    let files: any StorageFiles
    let options: Options
    let state: Mutex<State>
    let writer: Mutex<Writer>
    let walks = Mutex<[UInt32: [LogWalk]]>([:])
    let compaction = Mutex<Void>(())
    private let closing = Mutex(false)
    // Invariant: the committer, then the janitor; none without threads, or once it is closed. Only
    // this refers to them, so they end when the storage goes.
    private let threads: Mutex<[StorageThread]>

    /// Whether a directory has segments.
    public static func isPresent(in directory: String) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.contains { Segment.number($0) != nil || $0 == Checkpoint.name }
    }

    /// Opens the storage in a directory, or makes it.
    /// - Parameters:
    ///   - relayName: the name for a new storage; a random one if it is `nil`.
    /// - Throws: `directory`, `inUse`, `notRelayStorage`, `newerFormat`, `damagedFile`, `failed`.
    public convenience init(
        directory: String,
        relayName: Bytes32? = nil,
        options: Options = Options()
    ) throws(StorageError) {
        let files = try POSIXFiles(directory)
        do throws(StorageError) {
            try self.init(files: files, relayName: relayName, options: options)
        } catch {
            files.close()
            throw error
        }
    }

    /// Opens the storage on a file layer.
    public init(
        files: any StorageFiles,
        relayName: Bytes32? = nil,
        options: Options = Options()
    ) throws(StorageError) {
        let recovered = try Recovery.run(files, newName: relayName)
        self.files = files
        self.options = options
        self.relayName = recovered.relayName
        damages = recovered.damages
        let sealTasks = recovered.ends.keys.sorted().map { JanitorTask.seal($0) }
        let prepare = options.fillsAhead && recovered.spare == nil
        state = Mutex(
            State(
                index: recovered.index,
                reservation: Reservation(over: recovered.index),
                tables: recovered.tables,
                ends: recovered.ends,
                segments: recovered.segments,
                tasks: sealTasks + (prepare ? [.prepare] : []),
                nextSegment: recovered.nextSegment,
                spare: recovered.spare
            )
        )
        writer = Mutex(
            Writer(last: recovered.last, uncheckpointedCount: recovered.uncheckpointedCount)
        )
        threads = Mutex([])
        try countStoredBytes(recovered)
        guard options.hasThreads else { return }
        // Weak, so that a storage that nobody closed goes away with its last reference. While a
        // thread works it holds the storage, and waiting it holds nothing.
        let committer = StorageThread("relay-committer") { [weak self] in self?.pump() }
        let janitor = StorageThread("relay-janitor") { [weak self] in self?.tidy() }
        threads.withLock { $0 = [committer, janitor] }
        janitor.wake()
    }

    /// What the storage counted since it was opened.
    public var figures: StorageFigures { state.withLock { $0.figures } }

    /// Bytes that stored data takes up, as the limit of bytes counts them.
    public var storedByteCount: Int { state.withLock { $0.storedByteCount } }

    /// Looks at the sizes of all files. A lost one takes no room; that it is lost was reported.
    private func countStoredBytes(_ recovered: Recovery) throws(StorageError) {
        let count = try StorageError.reading { () throws(FileFailure) in
            let names = Set(try files.names())
            var count = 0
            for (number, segment) in recovered.segments where names.contains(segment.name) {
                let size =
                    if let end = recovered.ends[number] { end } else {
                        try files.open(segment.name).size()
                    }
                count += max(0, size - SegmentHeader.byteCount)
            }
            return count
        }
        state.withLock { $0.storedByteCount = count }
    }

    /// Wakes the committer.
    func wakeCommitter() { threads.withLock { $0.first?.wake() } }

    /// Wakes the janitor, or is it.
    func wakeJanitor() {
        guard options.hasThreads else { return tidy() }
        threads.withLock { $0.last?.wake() }
    }

    /// Makes durable what is queued, seals what is open and lets go of the files.
    ///
    /// No more is taken in; then the committer ends, which wakes the janitor, then the janitor;
    /// what they left is done here. When this returns, neither thread runs and the directory may be
    /// opened again. Not to be called from a completion, which the committer makes.
    public func close() throws(StorageError) {
        // Held until all is done: whoever calls it second returns to a closed storage too.
        closing.withLock { isClosed in
            if isClosed { return }
            isClosed = true
            state.withLock { $0.isClosed = true }
            // In their places until they have ended, so that the one may still wake the other.
            for thread in threads.withLock({ $0 }) { thread.stop() }
            threads.withLock { $0 = [] }
            pump()
            writer.withLock { $0.retire(self) }
            tidy()
            dropFilling()
            files.close()
        }
    }
}
