public import SennitWire

// What a membership record changes. SPEC.md section 7.5; payload kind 4.
//
//     changes = version:u8(1)  count:varint  change*          1 to 256
//     change  = kind:u8  key[32]  role:u8 if kind is 2
//
// Kinds: 1 removes a device, 2 gives a device a role, 3 revokes an invite. Strictly ascending by
// (kind, key), so each record has one form; no device is named twice.

/// One change of a space's membership.
public enum MembershipChange: Hashable, Sendable {
    /// The device is no member any more.
    case remove(DeviceKey)
    /// The device may do this from now on.
    case role(DeviceKey, Role)
    /// Nobody joins by the invite any more.
    case revoke(DeviceKey)

    /// The device whose right changes; `nil` for an invite.
    public var device: DeviceKey? {
        switch self {
        case .remove(let device), .role(let device, _): device
        case .revoke: nil
        }
    }

    private var kind: UInt8 {
        switch self {
        case .remove: 1
        case .role: 2
        case .revoke: 3
        }
    }

    private var key: DeviceKey {
        switch self {
        case .remove(let key), .role(let key, _), .revoke(let key): key
        }
    }

    fileprivate func precedes(_ other: MembershipChange) -> Bool {
        (kind, key) < (other.kind, other.key)
    }

    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(kind)
        writer.write(key)
        if case .role(_, let role) = self { writer.write(role.rawValue) }
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        let start = reader.byteOffset
        let kind = try reader.readByte()
        guard (1...3).contains(kind) else {
            throw .unknown(field: "membership change", value: UInt64(kind), byteOffset: start)
        }
        let key: DeviceKey = try reader.readIdentifier()
        switch kind {
        case 1: self = .remove(key)
        case 2:
            let roleStart = reader.byteOffset
            let rawRole = try reader.readByte()
            guard let role = Role(rawValue: rawRole) else {
                throw .unknown(field: "role", value: UInt64(rawRole), byteOffset: roleStart)
            }
            self = .role(key, role)
        default: self = .revoke(key)
        }
    }
}

/// The sealed part of a membership record.
public struct MembershipChanges: Hashable, Sendable {
    /// Strictly ascending by kind and key; at least one.
    public let changes: [MembershipChange]

    private static let version: UInt8 = 1

    /// Puts changes together, in any order.
    /// - Throws: `tooLarge` for more than `Limits.maximumMembershipChangeCount`.
    public init(_ changes: [MembershipChange]) throws(SealError) {
        let limit = Limits.maximumMembershipChangeCount
        guard changes.count <= limit else {
            throw .tooLarge(byteCount: changes.count, limit: limit)
        }
        let ascending = Set(changes).sorted { $0.precedes($1) }
        precondition(!ascending.isEmpty, "A membership record changes something.")
        precondition(
            MembershipChanges.namesDevicesOnce(ascending),
            "A membership record names a device once."
        )
        self.changes = ascending
    }

    /// Parses exactly one payload.
    /// - Throws: `poison`, `needsUpdate`.
    public init(decoding bytes: [UInt8]) throws(SealError) {
        self = try SealError.reading(bytes) { (reader) throws(WireError) in
            try MembershipChanges(from: &reader)
        }
    }

    private init(from reader: inout ByteReader) throws(WireError) {
        try reader.readVersion(MembershipChanges.version, of: "membership version")
        let countStart = reader.byteOffset
        let count = try reader.readCount(limit: Limits.maximumMembershipChangeCount)
        guard count > 0 else {
            throw .invalid(
                reason: "a membership record changes something",
                byteOffset: countStart
            )
        }
        var changes: [MembershipChange] = []
        for _ in 0..<count {
            let start = reader.byteOffset
            let change = try MembershipChange(from: &reader)
            if let last = changes.last, !last.precedes(change) {
                throw .invalid(reason: "changes ascend", byteOffset: start)
            }
            changes.append(change)
        }
        guard MembershipChanges.namesDevicesOnce(changes) else {
            throw .invalid(reason: "a device is named once", byteOffset: countStart)
        }
        self.changes = changes
    }

    private static func namesDevicesOnce(_ changes: [MembershipChange]) -> Bool {
        let devices = changes.compactMap(\.device)
        return Set(devices).count == devices.count
    }

    /// The canonical bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 8 + 34 * changes.count)
        writer.write(MembershipChanges.version)
        writer.writeVarint(changes.count)
        for change in changes { change.write(to: &writer) }
        return writer.bytes
    }
}
