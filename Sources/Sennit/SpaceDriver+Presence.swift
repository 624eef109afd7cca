import NIOCore
import SennitDocument
import SennitSeal
import SennitSync
import SennitWire

/// Where this person is, and when others were told.
struct OwnPresence {
    /// Where, in the text as it is now; `nil` for nowhere.
    private(set) var place: (document: DocumentID, presence: Presence)?
    var lastSent: Duration?
    /// Sends what changed since, when the interval is over.
    var timer: Scheduled<Void>?

    mutating func go(to presence: Presence?, in document: DocumentID) {
        place = presence.map { (document, $0) }
    }

    mutating func leave() { place = nil }

    mutating func move(in document: DocumentID, over patches: [Patch]) {
        guard var place, place.document == document else { return }
        for patch in patches {
            place.presence.cursor = patch.moved(place.presence.cursor)
            place.presence.anchor = patch.moved(place.presence.anchor)
        }
        self.place = place
    }
}

extension SpaceDriver {
    /// Everybody else who is here, each at their place in the texts as they are now.
    var peers: [PeerPresence] {
        guard let tracker else { return [] }
        return peerPlaces.settled(tracker.peers, in: replica.documents)
    }

    /// Tells the others where this person is.
    func publish(_ presence: Presence, in document: DocumentID) {
        let count = text(of: document).scalarCount
        let clamped = Presence(
            cursor: min(max(presence.cursor, 0), count),
            anchor: min(max(presence.anchor, 0), count)
        )
        if let place = ownPresence.place, place.document == document, place.presence == clamped {
            return
        }
        ownPresence.go(to: clamped, in: document)
        sendPresenceSoon()
    }

    /// Tells the others that this person left the document.
    func leaveDocument() {
        guard ownPresence.place != nil else { return }
        ownPresence.leave()
        sendPresenceSoon()
    }

    func beginPresence() {
        guard let own = PresenceSession(Random.bytes(PresenceSession.byteCount)) else { return }
        tracker = PresenceTracker(session: own)
        ownPresence.lastSent = nil
        sendPresenceSoon()
    }

    func receivePresence(_ message: [UInt8]) {
        guard var current = tracker else { return }
        tracker = nil
        let effect = current.receive(message, in: replica, now: ports.now)
        tracker = current
        switch effect {
        case .nothing: return
        case .changed: break
        case .answer: sendPresenceSoon()
        }
        subscribers.tell(SpaceUpdate(.presence))
    }

    func tickPresence() {
        if tracker?.expire(now: ports.now) == true { subscribers.tell(SpaceUpdate(.presence)) }
        if let last = ownPresence.lastSent, ports.now - last >= EngineLimits.presenceHeartbeat {
            sendPresenceSoon()
        }
    }

    /// Sends where this person is now, or as soon as the interval since the last time is over.
    private func sendPresenceSoon() {
        guard tracker != nil, ownPresence.timer == nil else { return }
        let pause = ownPresence.lastSent.map {
            $0 + EngineLimits.presenceInterval - ports.now
        }
        guard let pause, pause > .zero else { return sendPresence() }
        ownPresence.timer = ports.schedule(in: pause, space) { driver in
            driver.ownPresence.timer = nil
            driver.sendPresence()
        }
    }

    private func sendPresence() {
        // Presence is worth nothing late: if the socket is full, the next one will do.
        guard tracker != nil, link.connection?.isWritable == true else { return }
        ownPresence.lastSent = ports.now
        let place = ownPresence.place.map { place in
            PresenceMessage.Place(
                document: place.document,
                cursor: UInt64(place.presence.cursor),
                anchor: UInt64(place.presence.anchor),
                frontier: Array(
                    (replica.documents[place.document]?.frontier ?? [])
                        .prefix(Limits.maximumFrontierCount)
                )
            )
        }
        let name = replica.name(of: replica.identity.device) ?? ""
        let message = tracker?.message(
            at: place,
            name: name,
            in: replica,
            random: Random.bytes32()
        )
        if let message { perform { $0.handle(.present(message), now: $1) } }
    }
}
