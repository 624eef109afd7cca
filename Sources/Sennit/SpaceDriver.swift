import NIOCore
import SennitDocument
import SennitSeal
import SennitStore
import SennitSync
import SennitWire

// One space of an open profile: it does what the replica and the session decide.
//
//     edit ──► replica ──► feed, subscribers              at once, in memory
//                 │
//                 └► queue ──► journal.commit (disk thread, fsync) ──► saved, sent
//     relay ──► session ──► replica ──► feed, subscribers  at once
//                                └► queue ──► journal.commit
//
// Everything happens on the engine's loop, in turns that never wait; only commits and reads of the
// journal run elsewhere, and come back as turns of their own. Since each turn is short and nothing
// is awaited within one, no state changes under anybody's feet.
//
// Sending is self-clocking. If nothing of ours is on its way, an edit is sealed in the turn it is
// made in, committed together with its entry in one transaction, and sent when that is on the disk.
// What is typed before the relay's ack is committed as pending, and sealed as one entry when the
// ack comes.

/// The driver of one space. Confined to its engine.
final class SpaceDriver {
    // A class: it stands for a live connection and for what is on its way to the disk.

    let ports: EnginePorts
    let space: SpaceID
    /// What the journal keeps of the space beside its logs.
    var record: SpaceRecord
    var replica: Replica
    /// What this device says about its person when it joins.
    var member: MemberRecord?
    var subscribers = Subscribers()
    var isClosed = false

    // What happened to each document that somebody follows.
    var feeds: [DocumentID: ChangeFeed] = [:]
    var knownDirectory: Directory?

    // On its way to the disk; see SpaceDriver+Committing.
    var outbox = Outbox()
    var ownTail = OwnTail()

    // The relay; see SpaceDriver+Connecting.
    var link = RelayLink()
    var session: Session?
    var access: AccessList?

    // Who is where; see SpaceDriver+Presence.
    var tracker: PresenceTracker?
    var peerPlaces = PeerPlaces()
    var ownPresence = OwnPresence()

    // What others say they have seen of us; see SpaceDriver+Status.
    var witness: Witness

    // Joining; see SpaceDriver+Joining.
    var joining: Joining?

    // Why entries that don't count any more couldn't be taken back yet; see
    // SpaceDriver+Rebuilding.
    var rebuildFault: SennitError?

    var indexing = IndexState()

    // History on the disk; see SpaceDriver+History.
    var history = HistoryState()

    // Conditions that somebody waits for; see SpaceDriver+Waiting.
    var waiters: [Waiter] = []
    var nextWaiter = 0

    /// Drives a space that the journal holds, or, with `isStored` false, one that it is yet to
    /// hold.
    init(
        _ replica: Replica,
        record: SpaceRecord,
        contexts: [LogID: Version] = [:],
        isStored: Bool,
        ports: EnginePorts
    ) {
        self.ports = ports
        self.replica = replica
        self.record = record
        space = record.id
        access = record.access.flatMap { try? AccessList(decoding: $0) }
        witness = Witness(own: replica.ownLog, contexts: contexts)
        outbox.isStored = isStored
        let own = replica.logSummaries.first { $0.isOwn }
        ownTail = OwnTail(end: own?.end ?? .zero, byteCount: own?.byteCount ?? 0)
        if isStored { ownTail.commit(ownTail.end) }
        if record.inviteSeed != nil, !replica.isMember { joining = Joining() }
    }

    /// Takes in what a step of the replica did: shows it at once, and puts it on its way to the
    /// disk.
    func absorb(_ change: ReplicaChange, isOwn: Bool) {
        var update = SpaceUpdate([])
        for (document, patches) in change.texts {
            feeds[document]?.append(TextChange(patches: patches, isOwn: isOwn))
            peerPlaces.move(in: document, over: patches)
            ownPresence.move(in: document, over: patches)
            update.documents.insert(document)
            update.kinds.insert(.texts)
        }
        if change.mapsChanged.contains(.directory) {
            knownDirectory = nil
            update.kinds.insert(.directory)
        }
        if change.membershipChanged { update.kinds.insert(.members) }
        use(Set(change.texts.keys).union(change.mapsChanged))
        witness.note(change)
        ownTail.append(change.entries.filter { $0.log == replica.ownLog })
        outbox.add(change)
        update.kinds.insert(.status)
        subscribers.tell(update)
        rebuildIfNeeded()
        if change.membershipChanged { publishAccess() }
    }

    /// Stops everything but what is on its way to the disk.
    func shutDown() {
        isClosed = true
        disconnect()
        history.timer?.cancel()
        joining?.finish(.closed)
        subscribers.finish()
        for waiter in waiters { waiter.resume(false) }
        waiters = []
    }

    /// The paths of the space.
    var directory: Directory {
        if let knownDirectory { return knownDirectory }
        let directory = Directory(replica.documents[.directory]?.entries ?? [])
        knownDirectory = directory
        return directory
    }

    /// The name the owner of a log goes by.
    func author(of log: LogID) -> String? {
        replica.descriptor(of: log).flatMap { replica.name(of: $0.device) }
    }
}
