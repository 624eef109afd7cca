import SennitDocument
import SennitSeal
import SennitSync
import SennitWire

// History on a disk that takes its time, fails, and gives back less than it was given: how the
// engine drives Replica+History, with every choice drawn from the seed.

/// What a device's process knows of histories, and how often each thing happened.
struct SimulatedHistory {
    /// An edit that waits for the history it goes back to.
    struct Edit {
        let document: DocumentID
        let patch: Patch
        let parents: [EventID]
    }

    /// Whether a reading is on its way.
    var isLoading = false
    var waiting: [Edit] = []

    // Counted over all lives of the process.
    var restCount = 0
    var loadCount = 0
    var failureCount = 0
    var replayCount = 0
    var startCount = 0
    var heldEntryCount = 0
    var heldEditCount = 0

    mutating func crash() {
        isLoading = false
        waiting = []
    }
}

extension SimulatedDevice {
    /// Whether the replica asks for a history that nobody is reading.
    var wantsHistory: Bool { replica?.wantedHistory.isEmpty == false && !history.isLoading }

    /// The disk's answer to the oldest wish, which may be that it failed.
    func load() throws -> [Output] {
        guard history.isLoading, let wanted = replica?.wantedHistory.sorted() else { return [] }
        history.isLoading = false
        guard !wanted.isEmpty else { return [] }
        let document = wanted[random.below(wanted.count)]
        let holds = replica?.logSummaries.count { $0.hold == .historyNeeded } ?? 0
        var chunks = journal.history(of: document)
        let change: ReplicaChange?
        switch random.below(10) {
        case 0:
            history.failureCount += 1
            return []
        case 1 where !chunks.isEmpty:
            chunks.removeFirst()
            do {
                _ = try replica?.attach(history: chunks, to: document)
                throw Failure(description: "half a history was taken for a whole one")
            } catch SyncError.document {}
            let operations = journal.operations.filter { $0.document == document }
            // What was applied and isn't committed is missing; then it is tried again.
            guard let replayed = try? replica?.attach(replaying: operations, to: document) else {
                return []
            }
            history.replayCount += 1
            change = replayed
        default:
            change = try replica?.attach(history: chunks, to: document)
        }
        history.loadCount += 1
        history.heldEntryCount += holds
        try replica?.checkInvariants()
        var outputs = change.map(keep) ?? []
        let edits = history.waiting.filter { $0.document == document }
        history.waiting.removeAll { $0.document == document }
        for edit in edits {
            history.heldEditCount += 1
            outputs += try self.edit(edit)
        }
        return outputs + sealIfWanted()
    }

    /// Edits at an older version, now or when the history has come.
    func edit(_ edit: SimulatedHistory.Edit) throws -> [Output] {
        do {
            return try self.edit { try $0.edit(edit.document, [edit.patch], at: edit.parents) }
        } catch SyncError.historyNeeded(let documents) {
            guard documents == [edit.document],
                replica?.wantedHistory.contains(edit.document) == true
            else { throw Failure(description: "an edit wants the history of something else") }
            history.waiting.append(edit)
            return []
        }
    }

    /// Now and then stores what isn't stored, and lets some of it rest.
    func storeAndRest() throws {
        guard let current = replica, uncommitted.isEmpty, current.pendingCount == 0,
            random.chance(30)
        else { return }
        let documents = current.unstoredDocuments.sorted().filter { _ in random.chance(70) }
        let states = current.unstoredStates(of: documents)
        for (document, state) in states.sorted(by: { $0.key < $1.key }) {
            journal.store(document, state, at: current.position)
            // The disk may have it and the process not know it.
            guard random.chance(80) else { continue }
            replica?.noteStored(state, of: document)
            try journal.joinChunks(of: document)
        }
        for document in current.documents.keys.sorted() where random.chance(60) {
            let hadHistory = replica?.documents[document]?.hasHistory == true
            if replica?.rest(document) == true, hadHistory { history.restCount += 1 }
        }
    }

    /// A replica from what the disk holds.
    func standUp(deviceSeed: SecretBytes, invite: InviteIdentity?) throws -> Replica {
        var record = try journal.record()
        do {
            return try Replica(restoring: record, deviceSeed: deviceSeed, invite: invite)
        } catch SyncError.historyNeeded(let documents) {
            history.startCount += 1
            for document in documents {
                try record.documents[document]?.attach(history: journal.history(of: document))
            }
        }
        return try Replica(restoring: record, deviceSeed: deviceSeed, invite: invite)
    }
}
