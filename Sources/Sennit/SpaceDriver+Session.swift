import Dispatch
import NIOCore
import SennitDocument
import SennitSeal
import SennitStore
import SennitSync
import SennitWire

extension SpaceDriver {
    /// Gives the session an event and carries out what it says.
    func perform(_ step: (inout Session, Duration) -> [Session.Action]) {
        guard var current = session else { return }
        session = nil
        let actions = step(&current, ports.now)
        session = current
        let number = link.number
        for action in actions where link.number == number { perform(action) }
    }

    private func perform(_ action: Session.Action) {
        switch action {
        case .send(let frame):
            link.connection?.send(frame.bytes)
        case .deliver(let range):
            receive(range)
        case .overLimit(let descriptor, let start):
            replica.note(corruptAt: start, of: descriptor)
            subscribers.tell(SpaceUpdate(.status))
            leaveLog(descriptor.logID(in: space))
        case .welcomed(let welcome):
            enter(welcome)
        case .access(let list):
            adopt(list)
        case .caughtUp:
            joining?.isCaughtUp = true
            renewIfWanted()
            joinIfReady()
            subscribers.tell(SpaceUpdate(.status))
        case .load(let start):
            load(from: start)
        case .acked(let end, let chain):
            acknowledge(end, chain)
        case .presence(let message):
            receivePresence(message)
        case .refused(let refusal):
            link.refusal = refusal.reason
            if refusal.code == .conflict, let position = refusal.position,
                position.log == replica.ownLog
            {
                replica.note(conflictAt: position.offset)
                if rereadOwnLog() { return }
            }
            subscribers.tell(SpaceUpdate(.status))
        case .close(let end):
            guard let connection = link.connection else { return }
            lose(ConnectionTrouble(end, relay: connection.address))
        }
    }

    private func receive(_ range: EntryRange) {
        if collect(range) { return }
        do {
            let change = try replica.receive(range)
            absorb(change, isOwn: false)
            joining?.received(range.entries.count)
            if replica.isOwnLogTaken { return beginNewLog() }
            joinIfReady()
        } catch {
            subscribers.tell(SpaceUpdate(.status))
            // What doesn't hold is noted in the replica's findings.
            let log = range.descriptor.logID(in: space)
            switch error {
            case .ownLogTaken(let end): renew(from: end, [range])
            case .corrupt where log == replica.ownLog && rereadOwnLog(): break
            case .corrupt, .batchTooLarge: leaveLog(log)
            case .forked: link.leftLogs.insert(log)
            case .gap where link.leftLogs.contains(log): break
            default: giveUp()
            }
        }
    }

    /// Leaves a log where it is until the next connection; the others go on.
    ///
    /// The relay has gone on behind what was refused, so only a new subscription brings the log
    /// further: there is one after a while. Of a fork it brings nothing else. Who joins can't wait.
    private func leaveLog(_ log: LogID) {
        guard joining == nil else { return giveUp() }
        let isFirst = link.leftLogs.isEmpty
        link.leftLogs.insert(log)
        guard isFirst else { return }
        let number = link.number
        _ = ports.schedule(in: EngineLimits.leftLogPause, space) { driver in
            if driver.link.number == number { driver.giveUp() }
        }
    }

    /// Hangs up on a relay that sends what can't be, and tries again after a while.
    private func giveUp() {
        guard let connection = link.connection else { return }
        lose(ConnectionTrouble(.unexpectedFrame, relay: connection.address))
    }

    private func enter(_ welcome: Welcome) {
        resetBackoffIfItHolds()
        link.trouble = nil
        link.refusal = nil
        replica.compare(with: welcome)
        if let list = welcome.access { adopt(list) }
        joining?.welcomed(welcome, known: replica.version, in: space)
        confirmJoin(by: welcome)
        beginPresence()
        publishAccess()
        subscribers.tell(SpaceUpdate(.status))
    }

    /// The next pause is the shortest again once a connection has held for a while; what fails
    /// right after each welcome must not be tried at the speed of the network.
    private func resetBackoffIfItHolds() {
        let number = link.number
        _ = ports.schedule(in: EngineLimits.holdsAfter, space) { driver in
            if driver.link.number == number { driver.link.backoff.reset() }
        }
    }

    /// The ack of the join may have been lost with a connection, while the relay has the join.
    private func confirmJoin(by welcome: Welcome) {
        guard joining != nil, ownTail.end > .zero else { return }
        let held = welcome.logs.first { $0.descriptor == replica.own }
        if held?.end == ownTail.end { finishJoining() }
    }

    private func acknowledge(_ end: Offset, _ chain: ChainHash) {
        link.refusal = nil
        guard replica.acknowledge(end, chain: chain) else {
            guard let connection = link.connection else { return }
            return lose(ConnectionTrouble(lying: connection.address))
        }
        ownTail.acknowledge(end)
        link.provenEnd = end
        link.provenRelay = link.connection?.address
        witness.acknowledge(end)
        finishJoining()
        subscribers.tell(SpaceUpdate(.status))
    }
}

// MARK: Uploading

extension SpaceDriver {
    /// Answers the session's wish for own entries, from memory or else from the journal.
    private func load(from start: Offset) {
        if let batch = ownTail.batch(from: start) {
            return loaded(batch.entries, byteCount: batch.byteCount, from: start)
        }
        let (journal, space, log) = (ports.journal, space, replica.ownLog)
        let (loop, enter, number) = (ports.loop, ports.enter, link.number)
        ports.disk.async {
            let result: Result<(entries: [[UInt8]], byteCount: UInt64), StoreError>
            do throws(StoreError) {
                let entries = try journal.entries(of: log, in: space, from: start)
                let end = entries.last?.offset.next ?? start
                let byteCount = try journal.byteCount(of: log, before: end)
                result = .success((entries.map(\.bytes), byteCount))
            } catch {
                result = .failure(error)
            }
            loop.execute {
                enter(space) { driver in
                    guard driver.link.number == number else { return }
                    switch result {
                    case .success(let batch):
                        driver.loaded(batch.entries, byteCount: batch.byteCount, from: start)
                        driver.proceed()
                    case .failure(let error):
                        driver.lose(ConnectionTrouble(reading: error))
                    }
                }
            }
        }
    }

    private func loaded(_ entries: [[UInt8]], byteCount: UInt64, from start: Offset) {
        let end = Offset(start.value + UInt64(entries.count))
        guard !entries.isEmpty, let head = replica.head(upTo: end, byteCount: byteCount) else {
            return
        }
        let range = EntryRange(
            descriptor: replica.own,
            from: start,
            entries: entries,
            head: head
        )
        perform { $0.handle(.loaded(range), now: $1) }
    }
}

// MARK: The access list

extension SpaceDriver {
    /// Takes in the relay's list. It decides nothing here; it is kept to heal a relay that lost it.
    private func adopt(_ list: AccessList) {
        guard list.space == space, list.isSigned,
            replica.membership?.role(of: list.signer) == .owner
        else { return }
        let isOwner = replica.membership?.role(of: replica.identity.device) == .owner
        // An owner follows the relay's list, whatever it is, since the next must follow it.
        if isOwner ? list != access : list.version > (access?.version ?? 0) { keep(list) }
        let rights = list.rights(of: replica.identity.device, as: .device)
        if record.inviteSeed != nil, rights.contains(.append), joining == nil, replica.isMember {
            record.inviteSeed = nil
            storeRecord()
        }
        publishAccess()
    }

    /// Gives the relay the list that follows from membership, if this device may and it is another.
    func publishAccess() {
        guard session?.isOpen == true, outbox.isStored,
            let next = replica.nextAccessList(after: access)
        else { return }
        keep(next)
        perform { $0.handle(.publish(next), now: $1) }
    }

    private func keep(_ list: AccessList) {
        access = list
        record.access = list.bytes
        storeRecord()
    }

    /// Writes what the journal keeps of the space beside its logs. It can be derived or asked for
    /// again, so nobody waits for it.
    func storeRecord() {
        guard outbox.isStored, outbox.creation == nil else { return }
        let (journal, space, record) = (ports.journal, space, record)
        ports.disk.async {
            try? journal.updateSpace(space) { stored in
                stored.name = record.name
                stored.relays = record.relays
                stored.access = record.access
                stored.inviteSeed = record.inviteSeed
            }
        }
    }
}

extension ConnectionTrouble {
    /// Own entries could not be read for an upload.
    init(reading error: StoreError) { self.init(SennitError(error)) }

    /// The relay confirms other entries than ours under our name.
    init(lying relay: RelayAddress) {
        self.init(
            SennitError(
                .relayFailed,
                "\(relay) confirms entries of this device that it did not write",
                hint: "is a copy of this profile in use? use one copy only"
            )
        )
    }
}
