import SennitDocument
import SennitStore
import SennitSync
import SennitWire

// A removal may take away what was applied already. Then the replica is built anew from all stored
// entries, within the turn that brought the removal: nobody sees a state between. What it comes to
// is one change like any other, behind those that are on their way to the disk. Until that is done,
// which fails only if the journal can't be read, nothing can be typed.

extension SpaceDriver {
    /// Builds the replica anew if entries are applied that don't count any more.
    func rebuildIfNeeded() {
        guard replica.needsRebuild else { return }
        do {
            let (fresh, change) = try replica.rebuilt(
                from: try storedEntries(),
                ports.surroundings
            )
            replace(by: fresh, change)
        } catch let error as StoreError {
            rebuildFault = SennitError(error)
        } catch let error as SyncError {
            rebuildFault = SennitError(error)
        } catch {
            rebuildFault = SennitError(.internalFailure, "\(error)", cause: error)
        }
    }

    /// Goes on with a replica that was built anew.
    func replace(by fresh: Replica, _ change: ReplicaChange) {
        let before = replica.documents
        replica = fresh
        rebuildFault = nil
        if change.own != nil { adoptOwnLog() }
        ownTail.append(change.entries.filter { $0.log == replica.ownLog })
        outbox.add(change)
        showDifferences(from: before)
        history.beginAnew(replica.documents.keys, now: ports.now)
        use([])
        indexing.statesAt = nil
        subscribers.tell(SpaceUpdate([.directory, .members, .status]))
    }

    /// Every entry of the space: those in the journal, then those on their way there.
    func storedEntries() throws -> [StoredEntry] {
        var entries: [StoredEntry] = []
        let unsaved = Dictionary(grouping: outbox.unsavedEntries, by: \.log)
        for log in replica.logSummaries {
            let coming = unsaved[log.log] ?? []
            let first = coming.first?.offset ?? log.end
            var next = Offset.zero
            while next < first {
                let batch = try ports.journal.entries(of: log.log, in: space, from: next)
                guard let last = batch.last else { break }
                // What is on its way may be there by now, or take the place of what is there.
                entries += batch.filter { $0.offset < first }
                next = last.offset.next
            }
            entries += coming
        }
        return entries
    }

    /// Tells everybody who follows a text how it changed, if it did.
    func showDifferences(from before: [DocumentID: Document]) {
        knownDirectory = nil
        var update = SpaceUpdate(.texts)
        for (document, state) in before {
            let old = state.text.string
            let new = text(of: document).string
            guard old != new else { continue }
            let patches = TextDiff.patches(from: old, to: new)
            feeds[document]?.append(TextChange(patches: patches, isOwn: false))
            peerPlaces.move(in: document, over: patches)
            ownPresence.move(in: document, over: patches)
            update.documents.insert(document)
        }
        subscribers.tell(update)
    }
}
