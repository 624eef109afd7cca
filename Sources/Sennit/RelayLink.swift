import NIOCore
import SennitSync
import SennitWire

/// The wire to a relay, and what is known of how it went.
struct RelayLink {
    /// Whether there should be a connection.
    var isWanted = false
    var connection: RelayConnection?
    /// Tells the events of this connection from those of one before.
    var number = 0
    var backoff = Backoff()
    /// Which of the space's relays is dialled next.
    var relayIndex = 0
    /// Why the last connection failed, until one holds.
    var trouble: ConnectionTrouble?
    /// What the relay refused last, until it takes it.
    var refusal: String?
    /// Logs of which no more is taken from this connection, because something of them was refused.
    var leftLogs: Set<LogID> = []
    /// Whether the relay is asked for the own log from the start, because it said that it has other
    /// bytes.
    var rereadsOwnLog = false
    /// What shows that a copy wrote the own log from an offset on, until all that it builds on has
    /// come in.
    var refusedOwn: (end: Offset, ranges: [EntryRange])?
    /// The relay that has acked own entries in this run, and how far.
    var provenRelay: RelayAddress?
    var provenEnd = Offset.zero
    /// When the relay was last heard.
    var lastHeard: Duration?
    var reconnect: Scheduled<Void>?
    var ticker: RepeatedTask?
    var retry: Scheduled<Void>?
}

/// Why there is no connection, or why a session ended, for a person.
struct ConnectionTrouble {
    let error: SennitError
    /// Whether trying again soon can't help.
    var isLasting: Bool {
        [.notMember, .unknownSpace, .notHosted, .needsUpdate].contains(error.code)
    }

    init(_ error: ConnectionError) { self.error = SennitError(error) }

    init(_ error: SennitError) { self.error = error }

    init(_ end: Session.End, relay: RelayAddress) {
        switch end {
        case .protocolError(let cause):
            error = SennitError(
                .relayFailed,
                "\(relay) sent something that breaks the protocol",
                hint: "is it a relay of this version?",
                cause: cause
            )
        case .unexpectedFrame:
            error = SennitError(
                .relayFailed,
                "\(relay) sent something that has no place there",
                hint: "is it a relay of this version?"
            )
        case .silent:
            error = SennitError(.unreachable, "\(relay) has fallen silent")
        case .notMember:
            error = SennitError(
                .notMember,
                "\(relay) does not let this device into the space",
                hint: "its access list doesn't name the device: an owner must connect once"
            )
        case .unknownSpace:
            error = SennitError(
                .unknownSpace,
                "\(relay) does not know the space, or does not let this device in",
                hint: "an owner must connect to it once; check the address besides"
            )
        case .notHosted(let refusal):
            error = SennitError(
                .notHosted,
                "\(relay) does not keep this space: \(refusal.reason)",
                hint: "ask who runs it; `sennit token` takes a token; all is kept here meanwhile"
            )
        case .unsupportedVersion:
            error = SennitError(
                .needsUpdate,
                "\(relay) speaks another version of the protocol",
                hint: "update Sennit or the relay"
            )
        case .unavailable(let refusal):
            error = SennitError(.relayFailed, "\(relay) refuses for now: \(refusal.reason)")
        }
    }
}
