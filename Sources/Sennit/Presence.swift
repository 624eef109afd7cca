import SennitDocument
import SennitSeal
import SennitSync
public import SennitWire

/// Where this person is in a document: what others see as a cursor.
public struct Presence: Hashable, Sendable {
    /// Where the cursor is, in scalars.
    public var cursor: Int
    /// Where the selection begins; the cursor itself if nothing is selected.
    public var anchor: Int

    /// A cursor, and where its selection begins.
    public init(cursor: Int, anchor: Int? = nil) {
        self.cursor = cursor
        self.anchor = anchor ?? cursor
    }
}

/// Somebody else who is in the space now.
public struct PeerPresence: Hashable, Sendable {
    /// Names the connection, in hexadecimal digits.
    public let id: String
    /// The name its person goes by.
    public let name: String
    /// The device, from which a stable colour follows.
    public let device: DeviceKey
    /// The log the device writes.
    public let log: LogID
    /// The document the person is in, if in one.
    public let document: DocumentID?
    /// Where in it, in scalars of its text as it is now; `nil` if in none.
    public let place: Presence?
}

// Where others are in the texts as they are here. A peer names a place in the text at a version of
// its own, which may be ahead of ours (its entry is still on the way), or beside it (we both type):
//
//   - at our very version the place is taken as it is;
//   - of a version that is all here it is carried over by a trial insertion into a copy;
//   - of a version that isn't here yet the last known place stays, and is tried again when the
//     document has grown.
//
// Between two messages a place moves with the text.
struct PeerPlaces {
    private struct Placed {
        let told: PresenceMessage.Place
        var place: Presence
        var isSettled: Bool
    }

    private var placed: [PresenceSession: Placed] = [:]

    /// Moves everybody in `document` along.
    mutating func move(in document: DocumentID, over patches: [Patch]) {
        for (session, peer) in placed where peer.told.document == document {
            var peer = peer
            for patch in patches {
                peer.place.cursor = patch.moved(peer.place.cursor)
                peer.place.anchor = patch.moved(peer.place.anchor)
            }
            placed[session] = peer
        }
    }

    /// Everybody, each at their place in the documents as they are now.
    mutating func settled(_ peers: [Peer], in documents: [DocumentID: Document]) -> [PeerPresence] {
        let sessions = Set(peers.map(\.session))
        placed = placed.filter { sessions.contains($0.key) }
        return peers.map { peer in
            let place = peer.place.flatMap { told -> Presence? in
                guard let document = documents[told.document] else { return nil }
                return settle(peer.session, told, in: document)
            }
            return PeerPresence(
                id: Hex.encode(peer.session.bytes),
                name: peer.name,
                device: peer.device,
                log: peer.log,
                document: peer.place?.document,
                place: place
            )
        }
    }

    private mutating func settle(
        _ session: PresenceSession,
        _ told: PresenceMessage.Place,
        in document: Document
    ) -> Presence {
        let count = document.text.scalarCount
        if let known = placed[session], known.told == told, known.isSettled { return known.place }
        let raw = Presence(cursor: Int(clamping: told.cursor), anchor: Int(clamping: told.anchor))
        var place = placed[session].flatMap { $0.told.document == told.document ? $0.place : nil }
        var isSettled = true
        if document.frontier == told.frontier {
            place = raw
        } else if told.frontier.allSatisfy({ document.contains($0) }) {
            place = PeerPlaces.carry(raw, from: told.frontier, in: document) ?? raw
        } else {
            isSettled = false
        }
        var result = place ?? raw
        result.cursor = min(max(result.cursor, 0), count)
        result.anchor = min(max(result.anchor, 0), count)
        placed[session] = Placed(told: told, place: result, isSettled: isSettled)
        return result
    }

    /// A place in the text at `version`, in the text as it is now.
    private static func carry(
        _ place: Presence,
        from version: [EventID],
        in document: Document
    ) -> Presence? {
        guard document.eventCount <= EngineLimits.maximumPlacedEventCount else { return nil }
        guard let cursor = carry(place.cursor, from: version, in: document) else { return nil }
        if place.anchor == place.cursor { return Presence(cursor: cursor) }
        guard let anchor = carry(place.anchor, from: version, in: document) else { return nil }
        return Presence(cursor: cursor, anchor: anchor)
    }

    private static func carry(
        _ place: Int,
        from version: [EventID],
        in document: Document
    ) -> Int? {
        var trial = document
        // No log has this name, so the event can't be taken for another's.
        let result = try? trial.edit(
            [Patch(range: place..<place, text: "|")],
            at: version,
            author: LogID(value: .zero),
            firstEvent: 0
        )
        return result?.changes.first?.range.lowerBound
    }
}
