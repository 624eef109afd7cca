import SennitSeal
import SennitWire

/// A space with its founder, from one seed.
struct Fixture {
    let genesis: Genesis
    let space: SpaceID
    let founder: DeviceIdentity
    let log: LogDescriptor
    let epoch: EpochKey
    var random: Seeded

    init(seed: UInt64 = 1) {
        var random = Seeded(seed: seed)
        let nonce = random.bytes32()
        founder = DeviceIdentity(deviceSeed: SecretBytes(random.bytes(32)), spaceNonce: nonce)
        genesis = founder.genesis(nonce: nonce)
        space = genesis.spaceID
        log = LogDescriptor(device: founder.device, incarnation: random.incarnation())
        epoch = EpochKey(secret: SecretBytes(random.bytes(32)), space: space)
        self.random = random
    }

    /// A place in the middle of the founder's log.
    var place: EntryPlace {
        EntryPlace(
            space: space,
            log: log.logID(in: space),
            offset: Offset(5),
            chain: ChainHash(value: Hash.digest(.chain, [[1, 2, 3]]))
        )
    }

    /// Another device of the space.
    mutating func device() -> DeviceIdentity {
        DeviceIdentity(deviceSeed: SecretBytes(random.bytes(32)), spaceNonce: genesis.nonce)
    }

    mutating func inviteIdentity() -> InviteIdentity {
        InviteIdentity(
            seed: SecretBytes(random.bytes(InviteIdentity.seedByteCount)),
            space: space
        )
    }

    mutating func session() -> PresenceSession {
        guard let session = PresenceSession(random.bytes(PresenceSession.byteCount)) else {
            preconditionFailure("There are 16 bytes.")
        }
        return session
    }

    /// A body with a context of two logs, an origin and a payload of `count` bytes.
    mutating func body(payload count: Int = 3) -> EntryBody {
        let named = (1...2).map { end in
            (
                position: Position(log: random.name(), offset: Offset(UInt64(end))),
                chain: random.name(ChainHash.self)
            )
        }
        return EntryBody(
            authorTime: 1_700_000_000_000,
            context: CausalContext(isFull: false, naming: named),
            origin: Origin(log: random.name(), offset: Offset(9), hash: random.name()),
            payloads: [Payload(kind: .operations, bytes: random.bytes(count))]
        )
    }

    mutating func memberRecord(_ name: String) throws -> MemberRecord {
        try MemberRecord(person: random.name(), name: name, certificate: [1, 2])
    }
}

/// The bytes of a body whose author has named no log before.
func freshBytes(_ body: EntryBody) -> [UInt8] {
    var logs = LogTable()
    return body.bytes(logs: &logs)
}

/// A body of exactly `count` bytes, at least 10: one payload of an unknown kind fills it.
func body(ofByteCount count: Int) -> [UInt8] {
    for payloadCount in stride(from: max(0, count - 16), through: count, by: 1) {
        let payload = Payload(kind: .operations, bytes: [UInt8](repeating: 7, count: payloadCount))
        let empty = CausalContext(isFull: true)
        for time: UInt64 in [0, 128, 1 << 14, 1 << 21] {
            let body = EntryBody(authorTime: time, context: empty, payloads: [payload])
            let bytes = freshBytes(body)
            if bytes.count == count { return bytes }
        }
    }
    preconditionFailure("Some payload fills a body of \(count) bytes.")
}
