import SennitStore
import SennitSync
import SennitWire

// A copy of this profile wrote the own log. If nothing of ours is in its way the device goes on in
// a new log at once; else the replica is built anew in the turn after everything has come in, and
// what was typed here is done again in the new log: SennitSync/Replica+Renewing.swift. What it
// comes to is one change like any other, behind those that are on their way to the disk.
//
// A relay's word that it has other bytes is no proof. Then it is asked for the own log from the
// start, once for each run: what it gives is signed by this device, or says nothing.

extension SpaceDriver {
    /// Where own entries are to be compared with those of the relay that is dialled.
    var comparesOwnFrom: Offset? {
        if link.rereadsOwnLog { return .zero }
        let end = ownTail.committedEnd
        guard end > .zero, link.provenEnd != end || link.provenRelay != link.connection?.address
        else { return nil }
        return Offset(end.value - 1)
    }

    /// Asks the relay for the own log from the start, unless it was asked already.
    /// - Returns: whether it is asked.
    func rereadOwnLog() -> Bool {
        guard !link.rereadsOwnLog, joining == nil, link.connection != nil else { return false }
        link.rereadsOwnLog = true
        redial()
        return true
    }

    /// Goes on in a new log after entries of the own one came in.
    func beginNewLog() {
        absorb(replica.beginNewLog(ports.surroundings), isOwn: true)
        adoptOwnLog()
    }

    /// Builds the replica anew without own entries from `ownEnd` on, and writes them again.
    func renew(from ownEnd: Offset, _ ranges: [EntryRange]) {
        // Before everything has come in nobody can say what is there already.
        guard session?.isUpToDate == true else {
            link.refusedOwn = (ownEnd, ranges)
            link.leftLogs.insert(replica.ownLog)
            return
        }
        do {
            let (fresh, change) = try replica.renewed(
                from: try storedEntries(),
                ownEnd: ownEnd,
                ranges,
                ports.surroundings
            )
            replace(by: fresh, change)
        } catch SyncError.ownEntriesWait {
            // The other copy has seen what the relay hasn't given. The next connection tries again.
            link.leftLogs.insert(replica.ownLog)
        } catch {
            // Nothing has changed, here or in the journal. The next connection tries again.
            lose(ConnectionTrouble(SennitError(renewalFault: error)))
        }
    }

    /// The log that this device writes is another one from now on.
    func adoptOwnLog() {
        record.own = replica.own
        ownTail = OwnTail()
        witness = Witness(own: replica.ownLog, contexts: [:])
        link.rereadsOwnLog = false
        redial()
    }

    /// Keeps a range of the own log that goes on behind what a new log is to be begun for.
    /// - Returns: whether it is one.
    func collect(_ range: EntryRange) -> Bool {
        guard let (end, ranges) = link.refusedOwn, replica.follows(range, ranges),
            range.head.byteCount <= EngineLimits.maximumRefusedByteCount
        else { return false }
        link.refusedOwn = (end, ranges + [range])
        return true
    }

    /// Everything has come in that the relay had; perhaps what was missing for a new log.
    func renewIfWanted() {
        guard let (end, ranges) = link.refusedOwn else { return }
        link.refusedOwn = nil
        renew(from: end, ranges)
    }
}

extension SennitError {
    fileprivate init(renewalFault error: any Error) {
        switch error {
        case let error as StoreError: self.init(error)
        case let error as SyncError: self.init(error)
        default: self.init(.internalFailure, "no new log can be begun: \(error)", cause: error)
        }
    }
}
