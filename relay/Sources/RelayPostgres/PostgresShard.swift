#if PostgreSQL
import Foundation
import RelayStorage
import SennitWire
import Synchronization

// One database of the storage, with all that this relay does at it.
//
//     committer   its own connection: groups, one transaction each (PostgresShard+Committing)
//     readers     some connections that whoever reads borrows (PostgresShard+Reading)
//     teller      hints for other relays, beside the transactions (PostgresShard+Telling)
//     listener    hints from other relays, and the slow poll (PostgresShard+Listening)
//     janitor     deletes what nobody can read any more, measures what is there

/// One database, as one relay uses it.
final class PostgresShard: Sendable {
    /// A unit that waits to be stored.
    struct Item: Sendable {
        let unit: StorageUnit
        let submission: PostgresSubmission
        /// Its place among the units of the submission.
        let index: Int
        let byteCount: Int
        /// Until when it may be held back while the database is away.
        let deadline: Deadline
    }

    struct Queue: Sendable {
        var items: [Item] = []
        var isClosed = false
    }

    /// Connections that nobody uses at the moment.
    struct Readers: Sendable {
        var idle: [Transfer] = []
        /// Until when no new connection is tried, after one failed.
        var pause: Deadline?
        var isClosed = false
    }

    /// A connection on its way between threads; the pool has it or one thread, never two.
    struct Transfer: @unchecked Sendable {
        // Safe, because whoever takes it out of the pool is the only one to refer to it.
        let connection: PostgresConnection
    }

    /// What is stored, and when it is measured again.
    struct Measured: Sendable {
        var sizes: StorageSizes?
        var until = Deadline.after(.zero)
    }

    /// The database is away.
    struct Trouble: Sendable {
        let error: StorageError
        /// How long whoever asks is kept waiting.
        let patience: Deadline
    }

    let source: String
    /// For people: host, port and database.
    let location: String
    let options: PostgresStorage.Options
    let identity: PostgresSchema.Identity
    /// Names this process's row in the database.
    let node: [UInt8]

    let queue = Mutex(Queue())
    let committing: Mutex<Committing>
    let readers = Mutex(Readers())
    let readerSlots: DispatchSemaphore
    let outgoing = Mutex(Outgoing())
    let watching = Mutex(Watching())
    let audience = Mutex<StorageAudience?>(nil)
    let trouble = Mutex<Trouble?>(nil)
    let spaceCounter = Mutex<(count: Int, until: Deadline)?>(nil)
    /// What this relay counted here.
    let figures = Mutex(StorageFigures())
    let measured = Mutex(Measured())
    let isStopping = Atomic(false)
    /// Set by the listener when it lost its connection: the committer's may be gone too.
    let isInQuestion = Atomic(false)
    /// Called when a group is done.
    let settled: @Sendable () -> Void

    // Invariant: committer, teller, listener, janitor; none once it is closed.
    private let threads = Mutex<[StorageThread]>([])

    /// Connects, checks the server and makes or checks the tables.
    init(
        _ source: String,
        identity: PostgresSchema.Identity,
        options: PostgresStorage.Options,
        settled: @escaping @Sendable () -> Void
    ) throws(StorageError) {
        do throws(PostgresFailure) {
            location = try PostgresConnection.location(of: source)
        } catch {
            // Not with the text itself, which may have a password in it.
            throw .failed(path: "the database's address", reason: error.reason)
        }
        self.source = source
        self.options = options
        self.settled = settled
        readerSlots = DispatchSemaphore(value: options.readerCount)
        node = (0..<NodeMessage.nodeByteCount).map { _ in UInt8.random(in: 0...255) }
        let deadline = Deadline.after(options.commitTimeout)
        let connection: PostgresConnection
        do throws(PostgresFailure) {
            connection = try PostgresConnection(source, timeout: options.connectTimeout)
        } catch {
            throw error.storageError(location)
        }
        self.identity = try PostgresSchema.prepare(
            connection,
            location,
            identity: identity,
            makesTables: options.makesTables,
            until: deadline
        )
        committing = Mutex(Committing())
        do throws(PostgresFailure) {
            try connection.run(.removeOldNodes, until: deadline)
        } catch {
            throw error.storageError(location)
        }
        readers.withLock { $0.idle.append(Transfer(connection: connection)) }
        try connect()
    }

    /// Why the database can't be used at present.
    var outage: StorageError? { trouble.withLock { $0?.error } }

    /// Starts the threads. Not before: they call back.
    func start() {
        let committer = StorageThread("relay-committer") { [weak self] in self?.commitAll() }
        let teller = StorageThread("relay-teller") { [weak self] in self?.tellAll() }
        let listener = StorageThread("relay-listener") { [weak self] in self?.listen() }
        let janitor = StorageThread("relay-janitor") { [weak self] in self?.tidy() }
        threads.withLock { $0 = [committer, teller, listener, janitor] }
        listener.wake()
    }

    func wakeCommitter() { threads.withLock { $0.first?.wake() } }
    func wakeTeller() { threads.withLock { $0.count == 4 ? $0[1].wake() : () } }
    func wakeJanitor() { threads.withLock { $0.last?.wake() } }

    /// Takes a unit in. It is refused at once if the storage is closed.
    func submit(_ items: [Item]) -> Bool {
        let isTaken = queue.withLock { queue in
            guard !queue.isClosed else { return false }
            queue.items += items
            return true
        }
        if isTaken { wakeCommitter() }
        return isTaken
    }

    /// Stores what is queued and lets go of the connections.
    func close() {
        queue.withLock { $0.isClosed = true }
        isStopping.store(true, ordering: .sequentiallyConsistent)
        // Listener and janitor end by themselves within a moment; the committer is first, so that
        // what it stored is still told.
        let running = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for (number, thread) in running.enumerated() {
            thread.stop()
            if number == 0 { commitAll() }
            if number == 1 { tellAll() }
        }
        committing.withLock { committing in
            let deadline = Deadline.after(.seconds(1))
            if let connection = committing.connection {
                _ = try? connection.run(.removeNode, [.bytes(node)], until: deadline)
            }
            committing.connection = nil
        }
        outgoing.withLock { $0.connection = nil }
        readers.withLock { readers in
            readers.isClosed = true
            readers.idle = []
        }
    }

    // MARK: The janitor

    /// Measuring may take no more than a hundredth of the time.
    private static let measuringShare = 100
    private static let measuringTimeout = Duration.seconds(60)

    /// Counts what is stored, for metrics. It goes through the rows of all logs.
    private func measureIfDue() {
        let isDue = measured.withLock { measured in
            defer { if measured.until.isOver { measured.until = .after(options.measureInterval) } }
            return measured.until.isOver
        }
        guard isDue else { return }
        let began = ContinuousClock.now
        func measure(_ statement: PostgresStatement) throws(StorageError) -> PostgresRows {
            try read { connection throws(PostgresFailure) in
                try connection.run(statement, until: .after(Self.measuringTimeout))
            }
        }
        guard let rows = try? measure(.sizes) else { return }
        var sizes = StorageSizes()
        sizes.spaceCount = Int(clamping: rows.integer(0, 0) ?? 0)
        sizes.logCount = Int(clamping: rows.integer(0, 1) ?? 0)
        sizes.entryCount = UInt64(clamping: rows.integer(0, 2) ?? 0)
        sizes.liveByteCount = UInt64(clamping: rows.integer(0, 3) ?? 0)
        // Other engines of this protocol have no such function; then it stays 0.
        let stored = try? measure(.storedBytes).integer(0, 0)
        sizes.storedByteCount = UInt64(clamping: stored ?? 0)
        let pause = max(options.measureInterval, (.now - began) * Self.measuringShare)
        measured.withLock { $0 = Measured(sizes: sizes, until: .after(pause)) }
    }

    private static let dropCount: Int64 = 2000

    /// Deletes batches that nobody can read any more, some at a time.
    private func tidy() {
        measureIfDue()
        while !isStopping.load(ordering: .sequentiallyConsistent) {
            do throws(StorageError) {
                let isDone = try read { connection throws(PostgresFailure) in
                    let deadline = Deadline.after(self.options.commitTimeout)
                    let rows = try connection.run(.nextDiscarded, until: deadline)
                    guard let number = rows.integer(0, 0), let below = rows.integer(0, 1) else {
                        return true
                    }
                    let place = [PostgresParameter.integer(number), .integer(below)]
                    let dropped = try connection.run(
                        .dropBatches,
                        place + [.integer(PostgresShard.dropCount)],
                        until: deadline
                    )
                    if dropped.changedCount < Int(PostgresShard.dropCount) {
                        try connection.run(.dropDiscarded, place, until: deadline)
                    }
                    return false
                }
                if isDone { return }
            } catch {
                // The listener wakes it again.
                return
            }
        }
    }
}

/// Units that were submitted together, and what came of them.
final class PostgresSubmission: Sendable {
    private struct State {
        var results: [StorageError?]
        var remaining: Int
        var lastUninformed: UInt64?
    }

    /// In the order of the calls.
    let number: UInt64
    let completion: @Sendable ([StorageError?]) -> Void
    private let state: Mutex<State>

    init(
        _ number: UInt64,
        count: Int,
        completion: @escaping @Sendable ([StorageError?]) -> Void
    ) {
        self.number = number
        self.completion = completion
        state = Mutex(State(results: Array(repeating: nil, count: count), remaining: count))
    }

    /// What came of the unit at a place.
    func settle(_ index: Int, _ result: StorageError?) {
        state.withLock { state in
            state.results[index] = result
            state.remaining -= 1
        }
    }

    /// What came of all; `nil` while some wait.
    var results: [StorageError?]? {
        state.withLock { $0.remaining == 0 ? $0.results : nil }
    }

    /// Its sender is told now.
    /// - Parameter last: the last submission that was made before.
    func willTell(last: UInt64) { state.withLock { $0.lastUninformed = last } }

    /// The last submission by who may not have known what came of this one; `nil` until its sender
    /// is told.
    var lastUninformed: UInt64? { state.withLock { $0.lastUninformed } }
}
#endif
