import GRDB
import Synchronization

// What can be asked of a profile without its owner: which documents there are, their texts, and a
// search. It follows the journal from a checkpoint, rows and checkpoint in one transaction, so it
// may lag or be lost and is never wrong (Index+Follow.swift). Several connections are allowed here:
// should SQLite's WAL-reset race ever strike, the index is found damaged and made again.

/// The index of a profile: a view of the journal in a SQLite file of its own.
public final class Index: Sendable {
    // A class: it stands for one open file.

    /// How the index came to be open.
    public enum State: Hashable, Sendable {
        /// It was there; it follows from its checkpoint.
        case kept
        /// There was none.
        case made
        /// What was there couldn't be used. It lies aside with `.damaged` at the end of its name.
        case replaced(reason: StoreError)
    }

    /// Where the file lies.
    public let path: String
    /// Whether another process may own the profile.
    public let isReadOnly: Bool
    private let connection: Mutex<(queue: DatabaseQueue, state: State)>

    /// Opens the index of a profile that this process owns. One that is missing, damaged or of
    /// another version is made anew: what it held can be derived.
    /// - Throws: `notPermitted`, `diskFull`, `io`.
    init(path: String) throws(StoreError) {
        self.path = path
        isReadOnly = false
        let state: State
        let queue: DatabaseQueue
        do {
            state = try DatabaseKind.index.look(at: path) == .nothing ? .made : .kept
            queue = try Index.connect(path)
        } catch let error where error.isDamage {
            connection = Mutex((try Index.replace(path), .replaced(reason: error)))
            return
        }
        connection = Mutex((queue, state))
    }

    /// Opens the index of a profile that any process may own, for reading.
    /// - Parameter path: `Profile.indexPath(in:)`.
    /// - Throws: `noIndex`, `newerVersion`, `notOurs`, `notPermitted`, `corrupt`, `io`.
    public init(readOnly path: String) throws(StoreError) {
        self.path = path
        isReadOnly = true
        guard try DatabaseKind.index.look(at: path) != .nothing else { throw .noIndex(path: path) }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(Index.patience)
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            connection = Mutex((queue, .kept))
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// An empty index that lies in memory.
    /// - Throws: `io`.
    init() throws(StoreError) {
        path = ":memory:"
        isReadOnly = false
        connection = Mutex((try Index.connection(to: path), .made))
    }

    /// How the index came to be open; changes when damage is found later.
    public var state: State { connection.withLock { $0.state } }

    var queue: DatabaseQueue { connection.withLock { $0.queue } }

    /// Lets go of the file. Later calls throw `closed`.
    /// - Throws: `io`.
    public func close() throws(StoreError) {
        do {
            try queue.close()
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// Puts a damaged index aside and begins an empty one.
    func replace(because reason: StoreError) throws(StoreError) {
        precondition(!isReadOnly, "Only the owner of a profile replaces its index.")
        try? queue.close()
        let queue = try Index.replace(path)
        connection.withLock { $0 = (queue, .replaced(reason: reason)) }
    }

    // Another process may be reading while this one writes its checkpoint, for seconds at most.
    private static let patience = 5.0

    private static func replace(_ path: String) throws(StoreError) -> DatabaseQueue {
        for suffix in ["-wal", "-shm"] { try FileSystem.remove(path + suffix) }
        if try FileKind(of: path) != .nothing { try FileSystem.move(path, to: path + ".damaged") }
        return try connect(path)
    }

    private static func connect(_ path: String) throws(StoreError) -> DatabaseQueue {
        if try FileKind(of: path) == .nothing { _ = try OpenFile.creating(path) }
        return try connection(to: path)
    }

    /// A connection that writes, to a file or to `:memory:`.
    static func connection(to path: String) throws(StoreError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(patience)
        configuration.prepareDatabase { db in
            // A lost transaction is one that is followed again, so NORMAL is enough.
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
            try db.execute(sql: "PRAGMA journal_size_limit = \(StoreLimits.journalSizeLimit)")
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try DatabaseKind.index.migrate(queue)
            return queue
        } catch {
            throw StoreError(error, path: path)
        }
    }
}

extension StoreError {
    /// Whether a file that can be derived should be made anew.
    var isDamage: Bool {
        switch self {
        case .corrupt, .notOurs, .newerVersion: true
        default: false
        }
    }
}
