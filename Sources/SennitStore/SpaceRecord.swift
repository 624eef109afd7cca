public import SennitWire

/// What this device keeps of a space beside its logs.
public struct SpaceRecord: Hashable, Sendable {
    /// The space's id.
    public var id: SpaceID
    /// What its people call it here; no two devices need agree.
    public var name: String
    /// From which the device's keys in the space derive.
    public var nonce: Bytes32
    /// The log that this device writes.
    public var own: LogDescriptor
    /// Addresses of relays, the preferred one first.
    public var relays: [String]
    /// The seed of the invite that was used to join, until joining is done; `nil` for a founder.
    public var inviteSeed: [UInt8]?
    /// The newest access list, as bytes.
    public var access: [UInt8]?
    /// When the record was made: milliseconds since 1970.
    public var created: UInt64

    /// Puts a record together.
    public init(
        id: SpaceID,
        name: String,
        nonce: Bytes32,
        own: LogDescriptor,
        relays: [String] = [],
        inviteSeed: [UInt8]? = nil,
        access: [UInt8]? = nil,
        created: UInt64
    ) {
        self.id = id
        self.name = name
        self.nonce = nonce
        self.own = own
        self.relays = relays
        self.inviteSeed = inviteSeed
        self.access = access
        self.created = created
    }
}

/// Whom a profile belongs to.
public struct PersonRecord: Hashable, Sendable {
    /// The same on every device of this person: 32 random bytes.
    public var id: Bytes32
    /// What others see.
    public var name: String

    /// Puts a record together.
    public init(id: Bytes32, name: String) {
        self.id = id
        self.name = name
    }
}

/// What a profile is made from when there is none yet. A profile that exists ignores it.
public struct NewProfile: Sendable {
    /// 32 random bytes, from which all keys of the device derive.
    public var deviceSeed: [UInt8]
    /// Whom it belongs to.
    public var person: PersonRecord

    /// Takes 32 random bytes and a person.
    public init(deviceSeed: [UInt8], person: PersonRecord) {
        precondition(deviceSeed.count == 32, "A device seed has 32 bytes.")
        self.deviceSeed = deviceSeed
        self.person = person
    }
}
