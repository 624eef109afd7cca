public import SennitSeal
public import SennitWire

// One conversation with one relay, as a state machine: an event in, actions out. It owns no socket,
// no clock and no storage; a driver performs the actions and reports back.
//
//     connecting ─challenge→ greeting ─welcome→ open ─close→ ended
//                               │ unknownSpace: found(genesis), access list
//                               └ notMember, unsupportedVersion: ended
//
// Sending is self-clocking: the first operation goes out at once, and what is typed while an append
// is in flight gathers into the next entry. At most one append is in flight, `wantsEntries` is true
// when the next may be made, and the ack of one is the clock of the next.
//
// Resuming needs no state of the connection before: the welcome says what the relay has of our log,
// the subscription says what we have of all others. What the relay lost is sent again, what it has
// already is acked again.

/// One conversation with one relay.
public struct Session: Sendable {
    /// What a session knows before it begins.
    public struct Configuration: Sendable {
        public var space: SpaceID
        public var identity: DeviceIdentity
        public var ownLog: LogID
        /// Founds the space on a relay that doesn't know it; `nil` while we don't know it either.
        public var genesis: Genesis?
        /// The newest access list we know, to heal a relay that lost it.
        public var access: AccessList?
        /// What lets us have the space kept by this relay, if it asks for that.
        public var token: RelayToken?
        /// An invite's word, for as long as the access list may not name us.
        public var admission: Admission?
        /// What we have stored of every log, own included.
        public var version: Version
        /// From where the relay is to give own entries, to be compared with ours; `nil` if it is
        /// known to have ours.
        public var comparesOwnFrom: Offset?

        public init(
            space: SpaceID,
            identity: DeviceIdentity,
            ownLog: LogID,
            genesis: Genesis?,
            access: AccessList?,
            token: RelayToken? = nil,
            admission: Admission?,
            version: Version,
            comparesOwnFrom: Offset? = nil
        ) {
            self.space = space
            self.identity = identity
            self.ownLog = ownLog
            self.genesis = genesis
            self.access = access
            self.token = token
            self.admission = admission
            self.version = version
            self.comparesOwnFrom = comparesOwnFrom
        }
    }

    /// What happened.
    public enum Event: Sendable {
        /// A whole binary message arrived.
        case received([UInt8])
        /// The own log has this many entries now.
        case ownLogGrew(to: Offset)
        /// The entries asked for by `load`.
        case loaded(EntryRange)
        /// The own access list to publish.
        case publish(AccessList)
        /// A sealed presence message to pass on.
        case present([UInt8])
        /// Time went by; at least once a second while connected.
        case tick
    }

    /// What the driver must do.
    public enum Action: Sendable {
        case send(RelayFrame)
        /// Verify, store and apply these; then go on.
        case deliver(EntryRange)
        /// A range of this log from this offset on is over a limit: it is corrupt, others go on.
        case overLimit(LogDescriptor, from: Offset)
        /// What the relay holds; compare it with what we have.
        case welcomed(Welcome)
        /// The relay's access list changed.
        case access(AccessList)
        /// Everything the relay had at subscription was sent.
        case caughtUp
        /// Read own entries from this offset on and answer with `loaded`: at most
        /// `Limits.maximumBatchCount` entries and `Limits.maximumBatchByteCount` bytes, ending on
        /// a head.
        case load(from: Offset)
        /// Entries of the own log before this offset are fsynced on the relay.
        case acked(Offset, ChainHash)
        /// A sealed presence message of somebody.
        case presence([UInt8])
        /// The relay refused an append; the entries stay here and are sent later or never.
        case refused(Refusal)
        /// Hang up.
        case close(End)
    }

    /// Why a session ended.
    public enum End: Hashable, Sendable {
        /// The relay broke the protocol.
        case protocolError(WireError)
        case unexpectedFrame
        /// Nothing was heard for `SyncLimits.silence`, or no ack for `SyncLimits.ackTimeout`.
        case silent
        /// The relay doesn't let this device in.
        case notMember
        /// The relay doesn't know the space, and neither do we know its genesis.
        case unknownSpace
        /// The relay doesn't keep the space: it wants a token, or not this one.
        case notHosted(Refusal)
        /// The relay speaks another version.
        case unsupportedVersion
        /// The relay is stopping, or failing for now.
        case unavailable(Refusal)
    }

    private enum State: Hashable {
        case connecting
        case greeting
        case open
        case ended
    }

    private var configuration: Configuration
    private var state = State.connecting
    private var isCaughtUp = false
    private var hasFounded = false

    // Uploading. Invariant: `inFlight` is nil or greater than `relayEnd`.
    private var ownEnd: Offset
    private var relayEnd = Offset.zero
    private var inFlight: Offset?
    private var sentAt = Duration.zero
    private var isLoading = false
    private var pausedUntil: Duration?
    // Refusals since the last ack.
    private var refusalCount = 0

    // Liveness: when we last heard, and when the relay last heard from us.
    private var lastHeard: Duration
    private var lastSent: Duration
    private var pingCount: UInt64 = 0

    /// Begins a session at `now`, counted from any fixed moment.
    public init(_ configuration: Configuration, now: Duration) {
        self.configuration = configuration
        ownEnd = configuration.version[configuration.ownLog]
        lastHeard = now
        lastSent = now
    }

    /// Whether the relay let us in.
    public var isOpen: Bool { state == .open }

    /// Whether everything the relay had when we subscribed has arrived.
    public var isUpToDate: Bool { state == .open && isCaughtUp }

    /// Whether an entry made now would go out at once: nothing is in flight.
    public var wantsEntries: Bool {
        state == .open && inFlight == nil && !isLoading && relayEnd == ownEnd && pausedUntil == nil
    }

    /// Own entries that the relay hasn't acked.
    public var unackedCount: UInt64 {
        ownEnd.value > relayEnd.value ? ownEnd.value - relayEnd.value : 0
    }

    /// Takes one event and says what to do, in order.
    public mutating func handle(_ event: Event, now: Duration) -> [Action] {
        guard state != .ended else { return [] }
        let actions = actions(after: event, now: now)
        let sends = actions.contains { if case .send = $0 { true } else { false } }
        if sends { lastSent = now }
        return actions
    }

    private mutating func actions(after event: Event, now: Duration) -> [Action] {
        switch event {
        case .received(let bytes):
            lastHeard = now
            let frame: RelayFrame
            do {
                frame = try RelayFrame(decoding: bytes)
            } catch {
                if case .overLimit = error, state == .open,
                    let start = RelayFrame.rangeStart(in: bytes)
                {
                    return [.overLimit(start.descriptor, from: start.from)]
                }
                return end(.protocolError(error))
            }
            return receive(frame, now: now)
        case .ownLogGrew(let end):
            ownEnd = max(ownEnd, end)
            return upload()
        case .loaded(let range):
            isLoading = false
            guard state == .open else { return [] }
            inFlight = range.head.end
            sentAt = now
            return [.send(.append(range))]
        case .publish(let list):
            configuration.access = list
            return state == .open ? [.send(.putAccess(list))] : []
        case .present(let message):
            return state == .open ? [.send(.presence(message))] : []
        case .tick:
            return tick(now: now)
        }
    }

    private mutating func tick(now: Duration) -> [Action] {
        if now - lastHeard > SyncLimits.silence { return end(.silent) }
        if inFlight != nil, now - sentAt > SyncLimits.ackTimeout { return end(.silent) }
        var actions: [Action] = []
        if now - lastSent > SyncLimits.pingInterval, state == .open {
            pingCount += 1
            actions.append(.send(.ping(pingCount)))
        }
        if let until = pausedUntil, now >= until {
            pausedUntil = nil
            actions += upload()
        }
        return actions
    }

    private mutating func receive(_ frame: RelayFrame, now: Duration) -> [Action] {
        switch (state, frame) {
        case (.connecting, .challenge(let challenge)):
            state = .greeting
            return [.send(.hello(hello(answering: challenge)))]
        case (.greeting, .welcome(let welcome)):
            state = .open
            return begin(with: welcome)
        case (.greeting, .refused(let refusal)):
            return refusedAtDoor(refusal)
        case (.open, .entries(let range)):
            return [.deliver(range)]
        case (.open, .caughtUp):
            isCaughtUp = true
            return [.caughtUp]
        case (.open, .ack(let ack)):
            guard ack.log == configuration.ownLog else { return [] }
            // An ack of what was never sent is a mistake on the way, or a lie.
            guard ack.end <= max(inFlight ?? .zero, relayEnd) else { return end(.unexpectedFrame) }
            return acknowledged(ack)
        case (.open, .refused(let refusal)):
            return refusedWhileOpen(refusal, now: now)
        case (_, .access(let list)):
            guard list.space == configuration.space else { return end(.unexpectedFrame) }
            return [.access(list)]
        case (.open, .presence(let message)):
            return [.presence(message)]
        case (_, .ping(let value)):
            return [.send(.pong(value))]
        case (_, .pong):
            return []
        default:
            return end(.unexpectedFrame)
        }
    }

    private func hello(answering challenge: Challenge) -> Hello {
        let device = configuration.identity.device
        let message = challenge.signedBytes(space: configuration.space, device: device)
        return Hello(
            space: configuration.space,
            device: device,
            signature: configuration.identity.sign(message),
            admission: configuration.admission
        )
    }

    private mutating func begin(with welcome: Welcome) -> [Action] {
        let held = welcome.logs.first {
            $0.descriptor.logID(in: configuration.space) == configuration.ownLog
        }
        relayEnd = held?.end ?? .zero
        // A relay that holds more of our log than we do is no place to upload to before that is
        // understood; what it has arrives by the subscription like any other log. That it holds as
        // much doesn't mean that it holds the same.
        var actions: [Action] = [.welcomed(welcome)]
        var wanted = configuration.version
        if let from = configuration.comparesOwnFrom {
            wanted[configuration.ownLog] = min(from, wanted[configuration.ownLog])
        }
        let positions = wanted.sorted.map { Position(log: $0.log, offset: $0.end) }
        actions.append(.send(.subscribe(positions)))
        if let mine = configuration.access, mine.version > (welcome.access?.version ?? 0) {
            actions.append(.send(.putAccess(mine)))
        }
        return actions + upload()
    }

    private mutating func refusedAtDoor(_ refusal: Refusal) -> [Action] {
        switch refusal.code {
        case .unknownSpace:
            guard let genesis = configuration.genesis, !hasFounded else {
                return end(.unknownSpace)
            }
            hasFounded = true
            var actions: [Action] = [.send(.found(genesis, token: configuration.token))]
            if let list = configuration.access { actions.append(.send(.putAccess(list))) }
            return actions
        case .notMember:
            return end(.notMember)
        case .notHosted:
            return end(.notHosted(refusal))
        case .unsupportedVersion:
            return end(.unsupportedVersion)
        default:
            return end(.unavailable(refusal))
        }
    }

    private mutating func acknowledged(_ ack: Ack) -> [Action] {
        if let sent = inFlight, ack.end >= sent { inFlight = nil }
        refusalCount = 0
        relayEnd = max(relayEnd, ack.end)
        return [.acked(ack.end, ack.chain)] + upload()
    }

    private mutating func refusedWhileOpen(_ refusal: Refusal, now: Duration) -> [Action] {
        switch refusal.code {
        case .shuttingDown, .malformed, .unsupportedVersion:
            return end(.unavailable(refusal))
        case .notMember where refusal.position == nil:
            return end(.notMember)
        default:
            break
        }
        // Only what names our log is about an append of ours.
        guard let sent = inFlight, let position = refusal.position,
            position.log == configuration.ownLog
        else { return [.refused(refusal)] }
        inFlight = nil
        if refusal.code == .gap, position.offset < relayEnd {
            // The relay lost entries since it welcomed us: send again from where it stands.
            relayEnd = position.offset
            return [.refused(refusal)] + upload()
        }
        // A gap where there is none is a lie. All else, full, over quota, too fast, in conflict,
        // leaves what is here here: ask again later; only a person can mend the rest.
        guard refusal.code != .gap || position.offset < sent else { return end(.unexpectedFrame) }
        pausedUntil = now + pause(after: refusal)
        return [.refused(refusal)]
    }

    /// What the relay asks for, within bounds; else twice as long as the last time, for a quota
    /// isn't raised by asking.
    private mutating func pause(after refusal: Refusal) -> Duration {
        defer { refusalCount += 1 }
        if let asked = refusal.retryAfter {
            return min(max(asked, .seconds(1)), SyncLimits.maximumRetryPause)
        }
        let doublings = min(refusalCount, 10)
        return min(SyncLimits.retryPause * (1 << doublings), SyncLimits.maximumRetryPause)
    }

    private mutating func upload() -> [Action] {
        guard state == .open, inFlight == nil, !isLoading, pausedUntil == nil, relayEnd < ownEnd
        else { return [] }
        isLoading = true
        return [.load(from: relayEnd)]
    }

    private mutating func end(_ reason: End) -> [Action] {
        state = .ended
        return [.close(reason)]
    }
}
