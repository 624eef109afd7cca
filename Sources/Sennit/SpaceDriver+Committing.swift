import Dispatch
import NIOCore
import SennitStore
import SennitSync
import SennitWire

extension SpaceDriver {
    /// Goes on with whatever can: seals what is pending if it can be sent, and commits what waits.
    ///
    /// Called at the end of every turn that changed something.
    func proceed() {
        rebuildIfNeeded()
        sealIfWanted()
        rotateIfNeeded()
        loadHistories()
        commit()
        link.connection?.setReading(
            !outbox.isStored
                || outbox.byteCount < EngineLimits.maximumUncommittedByteCount
        )
        resumeWaiters()
    }

    /// Makes an entry of what is pending if it would go out at once: nothing of ours is on its way
    /// to the disk or to the relay.
    private func sealIfWanted() {
        if replica.mustSeal {
            // Somebody's record waits for it.
            seal(evenIfNotSentAtOnce: true)
        } else if session?.wantsEntries == true {
            seal()
        }
    }

    /// Makes entries of what is pending though no relay is there to take them, so that the views,
    /// which follow entries, have it too. Called after a little quiet and on closing.
    func sealForViews() {
        if session?.isOpen != true { seal() }
    }

    private func seal(evenIfNotSentAtOnce: Bool = false) {
        guard replica.pendingCount > 0, outbox.isStored, outbox.fault == nil,
            evenIfNotSentAtOnce || ownTail.end == ownTail.committedEnd
        else { return }
        do {
            absorb(try replica.sealPending(ports.surroundings), isOwn: true)
        } catch {
            // What is sealed are our own operations under our own key: it can't fail, and if it
            // does, they stay pending, which is safe and shows in the status.
        }
    }

    private func commit() {
        guard let changes = outbox.begin() else { return }
        let (journal, space, loop, enter) = (ports.journal, space, ports.loop, ports.enter)
        let (ownLog, ownEnd) = (replica.ownLog, ownTail.end)
        let (index, indexing) = (ports.index, ports.indexing)
        let isRebuild = changes.contains(where: \.isRebuild)
        let creation = outbox.creation
        ports.disk.async {
            let result: Result<Void, StoreError>
            do throws(StoreError) {
                // Positions begin anew: no view may take the new ones for its own.
                if isRebuild { try indexing.sync { index.forgetting(space) }.get() }
                if let creation {
                    try journal.createSpace(creation, changes)
                } else {
                    try journal.commit(changes, to: space)
                }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            loop.execute {
                enter(space) { driver in driver.committed(result, ownEnd, of: ownLog) }
            }
        }
    }

    private func committed(
        _ result: Result<Void, StoreError>,
        _ ownEnd: Offset,
        of ownLog: LogID
    ) {
        switch result {
        case .success:
            let failedBefore = outbox.fault != nil
            let isFirst = outbox.creation != nil
            outbox.succeed()
            if isFirst { storeRecord() }
            if ownLog == replica.ownLog, ownTail.committedEnd < ownEnd {
                ownTail.commit(ownEnd)
                // First of all: somebody at the other end waits for this.
                perform { $0.handle(.ownLogGrew(to: ownEnd), now: $1) }
            }
            subscribers.tell(SpaceUpdate(failedBefore ? [.saved, .status] : .saved))
            storeStatesIfDue()
            followIndexSoon()
            proceed()
        case .failure(let error):
            outbox.fail(error)
            subscribers.tell(SpaceUpdate(.status))
            resumeWaiters()
            link.retry?.cancel()
            link.retry = ports.schedule(in: EngineLimits.commitRetryPause, space) { driver in
                driver.proceed()
            }
        }
    }
}

extension Index {
    /// `forget`, for a queue that passes on no typed error.
    fileprivate func forgetting(_ space: SpaceID) -> Result<Void, StoreError> {
        do {
            return .success(try forget(space))
        } catch {
            return .failure(error)
        }
    }
}
