// The messages between a device and a relay, one per binary WebSocket message. SPEC.md section 10.
//
// A conversation:
//
//     relay  → challenge(nonce)
//     device → hello(space, device, signature, admission?)
//     relay  → refused(unknownSpace)          the relay never heard of it, or lost it
//     device → found(genesis)                 then hello counts as accepted
//     relay  → welcome(logs and where each ends)
//     device → subscribe(what it has)
//     relay  → entries…, caughtUp, entries…   all after that, for as long as the connection lasts
//     device → append(log, from, entries, head)
//     relay  → ack(log, end, chain)           the entries are on the relay's disk
//
// An append is conditional on its offset and idempotent: entries the relay has already are compared
// and acked again; other bytes at their place are a `conflict`.

/// One message of either direction.
public enum RelayFrame: Hashable, Sendable {
    // From the relay.
    case challenge(Challenge)
    case welcome(Welcome)
    case entries(EntryRange)
    case caughtUp
    case ack(Ack)
    case refused(Refusal)
    case access(AccessList)
    // From the device.
    case hello(Hello)
    case found(Genesis, token: RelayToken? = nil)
    case subscribe([Position])
    case append(EntryRange)
    case putAccess(AccessList)
    // Both ways.
    case presence([UInt8])
    case ping(UInt64)
    case pong(UInt64)

    /// The protocol's version, in `challenge` and `hello`.
    public static let protocolVersion: UInt64 = 1
}

/// The relay's first word: what the device must sign to prove its key.
public struct Challenge: Hashable, Sendable {
    /// The relay's own random name, so that a proof can't be passed on to another relay.
    public let relay: Bytes32
    /// Fresh for each connection.
    public let nonce: Bytes32

    /// Puts a challenge together.
    public init(relay: Bytes32, nonce: Bytes32) {
        self.relay = relay
        self.nonce = nonce
    }

    /// What the device signs in answer.
    public func signedBytes(space: SpaceID, device: DeviceKey) -> [UInt8] {
        Domain.authentication.bytes + relay.bytes + nonce.bytes + space.bytes + device.bytes
    }
}

/// A device asks for a space and proves its key.
public struct Hello: Hashable, Sendable {
    /// The space of this connection.
    public let space: SpaceID
    /// The key whose logs this connection may append to.
    public let device: DeviceKey
    /// Ed25519 by `device` over the challenge's `signedBytes`.
    public let signature: [UInt8]
    /// How a device that isn't on the access list yet gets in.
    public let admission: Admission?

    /// Puts a hello together.
    public init(space: SpaceID, device: DeviceKey, signature: [UInt8], admission: Admission?) {
        self.space = space
        self.device = device
        self.signature = signature
        self.admission = admission
    }
}

/// An invite's word for a device.
public struct Admission: Hashable, Sendable {
    /// The invite's signing key, on the access list.
    public let invite: DeviceKey
    /// Ed25519 by the invite over `signedBytes`.
    public let signature: [UInt8]

    /// Puts an admission together.
    public init(invite: DeviceKey, signature: [UInt8]) {
        self.invite = invite
        self.signature = signature
    }

    /// What the invite's key signs.
    public static func signedBytes(space: SpaceID, device: DeviceKey) -> [UInt8] {
        Domain.admission.bytes + space.bytes + device.bytes
    }
}

/// A place in a log.
public struct Position: Hashable, Sendable {
    /// The log.
    public let log: LogID
    /// The next offset to be read, or the count of what is there.
    public let offset: Offset

    /// Puts a position together.
    public init(log: LogID, offset: Offset) {
        self.log = log
        self.offset = offset
    }
}

/// What the relay holds when a device comes in.
public struct Welcome: Hashable, Sendable {
    /// One log on the relay.
    public struct Log: Hashable, Sendable {
        /// Author and life, from which the id follows.
        public let descriptor: LogDescriptor
        /// The first offset that is still there; more than 0 after a truncation.
        public let start: Offset
        /// The chain at `start`.
        public let startChain: ChainHash
        /// The next offset.
        public let end: Offset

        /// Puts a log's state together.
        public init(
            descriptor: LogDescriptor,
            start: Offset,
            startChain: ChainHash,
            end: Offset
        ) {
            self.descriptor = descriptor
            self.start = start
            self.startChain = startChain
            self.end = end
        }
    }

    /// The current access list; `nil` while only the founder is let in.
    public let access: AccessList?
    /// Every log of the space.
    public let logs: [Log]

    /// Puts a welcome together.
    public init(access: AccessList?, logs: [Log]) {
        self.access = access
        self.logs = logs
    }
}

/// Consecutive entries of one log, ending on a head. Used both ways.
public struct EntryRange: Hashable, Sendable {
    /// Author and life of the log.
    public let descriptor: LogDescriptor
    /// The offset of the first entry.
    public let from: Offset
    /// The canonical bytes of each entry; at least one.
    public let entries: [[UInt8]]
    /// The head after the last entry: its end is `from` plus the count.
    public let head: Head

    /// Puts a range together.
    public init(descriptor: LogDescriptor, from: Offset, entries: [[UInt8]], head: Head) {
        self.descriptor = descriptor
        self.from = from
        self.entries = entries
        self.head = head
    }
}

/// What an append came to. The entries before `end` are fsynced on the relay.
public struct Ack: Hashable, Sendable {
    /// The log appended to.
    public let log: LogID
    /// Its next offset on the relay.
    public let end: Offset
    /// Its chain there, so that a device can tell its own entries from another's.
    public let chain: ChainHash

    /// Puts an ack together.
    public init(log: LogID, end: Offset, chain: ChainHash) {
        self.log = log
        self.end = end
        self.chain = chain
    }
}

/// The relay says no. Nothing was changed by what it refuses.
public struct Refusal: Hashable, Sendable {
    /// Why. Values that this version doesn't know are carried.
    public struct Code: Hashable, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        /// The frame breaks SPEC.md; the connection is closed.
        public static let malformed = Code(rawValue: 1)
        /// The relay doesn't speak this protocol version; the connection is closed.
        public static let unsupportedVersion = Code(rawValue: 2)
        /// The relay has no such space; the device may answer with `found`.
        public static let unknownSpace = Code(rawValue: 3)
        /// The key isn't let in, or not for this; same answer for wrong signatures.
        public static let notMember = Code(rawValue: 4)
        /// The append starts past the log's end; `position` says where that is.
        public static let gap = Code(rawValue: 5)
        /// Other bytes are at these offsets; `position` is the end of what agrees, as far as known.
        public static let conflict = Code(rawValue: 6)
        /// An entry, batch or frame over a limit of this relay.
        public static let tooLarge = Code(rawValue: 7)
        /// The space's quota is used up.
        public static let quotaExceeded = Code(rawValue: 8)
        /// Too much at once; try again later.
        public static let rateLimited = Code(rawValue: 9)
        /// The relay's disk is full or failing; reads still work.
        public static let storageFull = Code(rawValue: 10)
        /// The relay stops; connect again.
        public static let shuttingDown = Code(rawValue: 11)
        /// The access list isn't the successor of the relay's; an `access` frame follows.
        public static let accessConflict = Code(rawValue: 12)
        /// The head doesn't fit the entries or its signature is wrong.
        public static let badHead = Code(rawValue: 13)
        /// The relay doesn't keep this space, or not any more: it wants a token, has a list of
        /// spaces, or its operator froze this one.
        public static let notHosted = Code(rawValue: 14)
    }

    /// Why.
    public let code: Code
    /// Which log and where, if it is about one.
    public let position: Position?
    /// How long to wait before trying again, if the relay can tell; whole seconds on the wire.
    public let retryAfter: Duration?
    /// A sentence for a person.
    public let reason: String

    /// Puts a refusal together.
    public init(
        code: Code,
        position: Position? = nil,
        retryAfter: Duration? = nil,
        reason: String
    ) {
        self.code = code
        self.position = position
        self.retryAfter = retryAfter
        self.reason = reason
    }
}
