import Dispatch
import NIOCore
import SennitDocument
import SennitStore
import SennitSync
import SennitWire

// The views follow at their own pace: after a little quiet, or at latest a second after a change,
// and on closing. Texts are handed over as copies, which cost nothing, so nobody waits for SQLite.

/// How far the derived things are.
struct IndexState {
    var timer: Scheduled<Void>?
    /// When the first change came that the index doesn't have.
    var behindSince: Duration?
    var isFollowing = false
    /// The position at which states were stored last.
    var statesAt: JournalPosition?
}

extension SpaceDriver {
    /// Lets the index follow after a little quiet.
    func followIndexSoon() {
        let since = indexing.behindSince ?? ports.now
        indexing.behindSince = since
        guard !indexing.isFollowing else { return }
        let rest = max(.zero, since + EngineLimits.indexLag - ports.now)
        let quiet = min(EngineLimits.indexQuiet, rest)
        indexing.timer?.cancel()
        indexing.timer = ports.schedule(in: quiet, space) { driver in driver.followIndex() }
    }

    private func followIndex() {
        if !isClosed, replica.pendingCount > 0 {
            sealForViews()
            proceed()
        }
        // The next commit asks again.
        guard !isClosed, !indexing.isFollowing, isSettled else { return }
        indexing.isFollowing = true
        indexing.behindSince = nil
        let view = IndexedView(self)
        let (journal, index, space) = (ports.journal, ports.index, space)
        let (loop, enter) = (ports.loop, ports.enter)
        ports.indexing.async {
            // An index that can't be written is behind, never wrong: the next change tries again.
            try? index.follow(journal, space, view.source)
            loop.execute {
                enter(space) { driver in
                    driver.indexing.isFollowing = false
                    if driver.indexing.behindSince != nil { driver.followIndexSoon() }
                }
            }
        }
    }

    /// Stores the states of changed documents now and then, so that the next start replays little.
    func storeStatesIfDue() {
        guard let last = indexing.statesAt else {
            indexing.statesAt = replica.position
            return
        }
        let due = last.value + EngineLimits.entriesBetweenStates
        guard replica.position.value >= due, isSettled else { return }
        indexing.statesAt = replica.position
        storeStates(of: replica.unstoredDocuments)
    }

    /// Whether the documents hold exactly the entries before the replica's position, all of them
    /// committed, and nothing that is pending. Only then may a view take them in.
    var isSettled: Bool { outbox.isEmpty && outbox.isStored && replica.pendingCount == 0 }
}

/// What the index asks for, as copies that may be read on another thread.
struct IndexedView: Sendable {
    let position: JournalPosition
    let entries: [DocumentEntry]
    let texts: [DocumentID: Rope]
    let names: [LogID: String]

    /// The same in the shape in which a view asks.
    var source: DocumentSource {
        DocumentSource(
            position: position,
            places: { entries.map { DocumentSource.Place(path: $0.path, document: $0.id) } },
            text: { texts[$0]?.string ?? "" },
            person: { names[$0] ?? "" }
        )
    }
}

extension IndexedView {
    /// A space as it is now.
    init(_ driver: SpaceDriver) {
        var names: [LogID: String] = [:]
        for log in driver.replica.logSummaries { names[log.log] = log.author }
        self.init(
            position: driver.replica.position,
            entries: driver.directory.entries,
            texts: driver.replica.documents.mapValues(\.text),
            names: names
        )
    }
}
