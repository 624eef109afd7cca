import Dispatch
import NIOCore
import SennitDocument
import SennitStore
import SennitSync
import SennitWire

// History stays on the disk until a merge needs it, and goes back there when it is not used.
//
// What the replica wants is read on the disk thread, one document after another, and handed in as a
// turn of its own. Until then only the entries that need it wait; everything else goes on.
//
// A document that nobody has changed for a while is stored, if it isn't, and comes to rest. The
// while is long compared with the pauses of people who write together, so a document that is in use
// keeps its history and its merge state, and reads the one and builds the other once. What comes to
// rest costs its text and who wrote how far; what is stored costs the text and what is new.

/// Which histories are on their way, and which documents are in use.
struct HistoryState {
    /// Documents whose chunks are being read.
    var loading: Set<DocumentID> = []
    /// Why the last reading of a document's history failed, until one succeeds.
    var faults: [DocumentID: SennitError] = [:]
    /// Documents that are not at rest, with the time when each was last used.
    private(set) var used: [DocumentID: Duration] = [:]
    /// Whether states are being written.
    var isStoring = false
    /// How long a document is left alone before it rests.
    var quiet = EngineLimits.restQuiet
    var timer: Scheduled<Void>?
    /// How often the replica was built anew: what was read or written before is of other documents.
    private(set) var generation = 0

    /// The replica was built anew, with all history in memory and nothing stored.
    mutating func beginAnew(_ documents: some Sequence<DocumentID>, now: Duration) {
        loading = []
        faults = [:]
        isStoring = false
        used = [:]
        for document in documents { used[document] = now }
        generation += 1
    }

    mutating func use(_ document: DocumentID, now: Duration) { used[document] = now }

    mutating func rests(_ document: DocumentID) { used[document] = nil }

    /// Documents that nobody has used since `end`.
    func unused(since end: Duration) -> [DocumentID] {
        used.filter { $0.value <= end }.keys.sorted()
    }
}

extension SpaceDriver {
    // MARK: Loading

    /// Reads the histories that the replica wants and that are not on their way. Called at the end
    /// of every turn that may have wanted one.
    func loadHistories() {
        guard !isClosed else { return }
        for document in replica.wantedHistory.sorted() where history.faults[document] == nil {
            guard history.loading.insert(document).inserted else { continue }
            load(document)
        }
    }

    private func load(_ document: DocumentID) {
        let (journal, space) = (ports.journal, space)
        let (loop, enter, generation) = (ports.loop, ports.enter, history.generation)
        ports.disk.async {
            let result: Result<[[UInt8]], StoreError>
            do throws(StoreError) {
                result = .success(try journal.history(of: document, in: space))
            } catch {
                result = .failure(error)
            }
            loop.execute {
                enter(space) { driver in
                    guard driver.history.generation == generation else { return }
                    driver.loaded(result, of: document)
                }
            }
        }
    }

    private func loaded(_ result: Result<[[UInt8]], StoreError>, of document: DocumentID) {
        do {
            let change = try replica.attach(history: result.get(), to: document)
            attached(change, to: document)
        } catch {
            // The chunks are damaged. They were made from operations, which are still there.
            replay(document)
        }
    }

    private func attached(_ change: ReplicaChange, to document: DocumentID) {
        history.loading.remove(document)
        history.faults[document] = nil
        history.use(document, now: ports.now)
        absorb(change, isOwn: false)
        restSoon()
        proceed()
    }

    /// Makes a history again from the operations of applied entries.
    private func replay(_ document: DocumentID) {
        let (journal, space) = (ports.journal, space)
        let (loop, enter, generation) = (ports.loop, ports.enter, history.generation)
        ports.disk.async {
            let result: Result<[StoredOperations], StoreError>
            do throws(StoreError) {
                result = .success(try journal.operations(on: document, in: space))
            } catch {
                result = .failure(error)
            }
            loop.execute {
                enter(space) { driver in
                    guard driver.history.generation == generation else { return }
                    driver.replayed(result, of: document)
                }
            }
        }
    }

    private func replayed(_ result: Result<[StoredOperations], StoreError>, of document: DocumentID)
    {
        do {
            let change = try replica.attach(replaying: result.get(), to: document)
            attached(change, to: document)
        } catch {
            // Either entries were applied since the operations were read, or the file is damaged.
            // What waits is on the disk; another try comes after a while.
            history.loading.remove(document)
            history.faults[document] = SennitError(historyFault: error)
            resumeWaiters()
            _ = ports.schedule(in: EngineLimits.commitRetryPause, space) { driver in
                driver.history.faults[document] = nil
                driver.loadHistories()
            }
        }
    }

    /// Whether the history of a document has come; false if it can't be read.
    func waitForHistory(of document: DocumentID, _ resume: @escaping (Bool) -> Void) {
        wait(
            for: nil,
            until: { driver in
                if driver.history.faults[document] != nil { return false }
                return driver.replica.wantedHistory.contains(document) ? nil : true
            },
            resume
        )
    }

    // MARK: Rest

    /// Notes that documents are in use, and lets them rest after a while.
    func use(_ documents: some Sequence<DocumentID>) {
        for document in documents { history.use(document, now: ports.now) }
        restSoon()
    }

    private func restSoon() {
        guard history.timer == nil, !isClosed, let oldest = history.used.values.min() else {
            return
        }
        let pause = max(oldest + history.quiet - ports.now, EngineLimits.restInterval)
        history.timer = ports.schedule(in: pause, space) { driver in
            driver.history.timer = nil
            driver.storeAndRest()
            driver.restSoon()
        }
    }

    /// Stores documents that nobody has used for a while, and lets those rest that are stored.
    func storeAndRest() {
        let unused = history.unused(since: ports.now - history.quiet)
        for document in unused where replica.rest(document) { history.rests(document) }
        storeStates(of: unused)
    }

    /// Writes what the journal lacks of documents, if all that they hold is committed.
    func storeStates(of documents: some Sequence<DocumentID>) {
        guard !history.isStoring, isSettled else { return }
        let states = replica.unstoredStates(of: documents)
        guard !states.isEmpty else { return }
        history.isStoring = true
        let (journal, space, position) = (ports.journal, space, replica.position)
        let (loop, enter, indexing) = (ports.loop, ports.enter, ports.indexing)
        let generation = history.generation
        ports.disk.async {
            // What can't be stored is stored later, or made again from operations.
            let isStored = (try? journal.storeDocuments(states, at: position, in: space)) != nil
            if isStored {
                indexing.async {
                    for document in states.keys {
                        _ = try? journal.joinChunks(of: document, in: space)
                    }
                }
            }
            loop.execute {
                enter(space) { driver in
                    guard driver.history.generation == generation else { return }
                    driver.stored(isStored ? states : [:])
                }
            }
        }
    }

    private func stored(_ states: [DocumentID: DocumentState]) {
        history.isStoring = false
        for (document, state) in states { replica.noteStored(state, of: document) }
        let unused = history.unused(since: ports.now - history.quiet)
        for document in unused where replica.rest(document) { history.rests(document) }
    }
}

extension SennitError {
    /// The history of a document can't be read.
    fileprivate init(historyFault error: any Error) {
        switch error {
        case let error as StoreError: self.init(error)
        case let error as SyncError: self.init(error)
        default: self.init(.internalFailure, "the history can't be read: \(error)", cause: error)
        }
    }
}
