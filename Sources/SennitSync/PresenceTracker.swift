public import SennitSeal
public import SennitWire

// Who is where now, from messages that are sealed, signed and never stored. SPEC.md section 11.
//
// A replayed message must not bring anybody back. So each connection has a random session, every
// message names the sessions its author has heard, and a session is shown only once it has named
// ours: no old message can. Counters rise within a session; a message is checked before they move.

/// Somebody else who is in the space now.
public struct Peer: Hashable, Sendable {
    /// The peer's connection.
    public let session: PresenceSession
    /// The log the peer writes.
    public let log: LogID
    /// The peer's device, from which a stable colour follows.
    public let device: DeviceKey
    /// The name its person goes by.
    public let name: String
    /// Where the peer is, if in a document.
    public let place: PresenceMessage.Place?
}

/// The presence of one space over one connection.
public struct PresenceTracker: Sendable {
    private struct Heard: Sendable {
        var peer: Peer
        var counter: UInt64
        var lastHeard: Duration
        var isProven: Bool
    }

    private let own: PresenceSession
    private var counter: UInt64 = 0
    private var heard: [PresenceSession: Heard] = [:]

    /// Begins with nobody. `session` is 16 random bytes, fresh for each connection.
    public init(session: PresenceSession) { own = session }

    /// What a message changed.
    public enum Effect: Hashable, Sendable {
        /// Nothing to show.
        case nothing
        /// Somebody came, moved or proved to be there.
        case changed
        /// Somebody new: answer with a message of our own, so that each can prove to be there.
        case answer
    }

    /// Takes a sealed message from the relay. Whatever doesn't hold is dropped without a trace.
    public mutating func receive(
        _ bytes: [UInt8],
        in replica: Replica,
        now: Duration
    ) -> Effect {
        guard let message = replica.openPresence(bytes), message.session != own,
            message.log != replica.ownLog,
            let device = replica.descriptor(of: message.log)?.device
        else { return .nothing }
        let isNew = heard[message.session] == nil
        if isNew {
            guard heard.count < SyncLimits.maximumPresenceCount else { return .nothing }
        } else if let last = heard[message.session]?.counter, message.counter <= last {
            return .nothing
        }
        let wasProven = heard[message.session]?.isProven ?? false
        let isProven = wasProven || message.echoes.contains(own)
        heard[message.session] = Heard(
            peer: Peer(
                session: message.session,
                log: message.log,
                device: device,
                name: replica.name(of: device) ?? message.name,
                place: message.place
            ),
            counter: message.counter,
            lastHeard: now,
            isProven: isProven
        )
        if !isProven { return .answer }
        if !wasProven {
            // One device has one live session: this one is proven, the earlier ones are gone.
            heard = heard.filter { $0.key == message.session || $0.value.peer.log != message.log }
        }
        return isNew ? .answer : .changed
    }

    /// The next message of our own, sealed.
    public mutating func message(
        at place: PresenceMessage.Place?,
        name: String,
        in replica: Replica,
        random: Bytes32
    ) -> [UInt8]? {
        counter += 1
        let sessions = heard.sorted { $0.value.lastHeard > $1.value.lastHeard }.map(\.key)
        let message = PresenceMessage(
            log: replica.ownLog,
            session: own,
            counter: counter,
            echoes: Array(sessions.prefix(Limits.maximumEchoCount)),
            name: name,
            place: place
        )
        return replica.sealPresence(message, random: random)
    }

    /// Forgets who hasn't been heard for `SyncLimits.presenceLifetime`.
    /// - Returns: whether anybody went.
    public mutating func expire(now: Duration) -> Bool {
        let count = heard.count
        heard = heard.filter { now - $0.value.lastHeard < SyncLimits.presenceLifetime }
        return heard.count != count
    }

    /// Who is there, by name and then by device.
    public var peers: [Peer] {
        heard.values.filter(\.isProven).map(\.peer).sorted {
            $0.name != $1.name ? $0.name < $1.name : $0.device < $1.device
        }
    }
}

extension Replica {
    func openPresence(_ bytes: [UInt8]) -> PresenceMessage? {
        guard let hint = try? PresenceMessage.keyHint(of: bytes) else { return nil }
        for key in epochs.values where key.hint == hint {
            let message = try? PresenceMessage(opening: bytes, space: space, under: key) { log in
                guard let device = descriptor(of: log)?.device, isMember(device) else {
                    return nil
                }
                return device
            }
            if let message { return message }
        }
        return nil
    }

    func sealPresence(_ message: PresenceMessage, random: Bytes32) -> [UInt8]? {
        guard isMember, let epoch = writeEpoch else { return nil }
        return try? message.sealed(by: identity, space: space, under: epoch, random: random)
    }
}
