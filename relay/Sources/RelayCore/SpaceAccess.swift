// Who may do what in a space, as far as the relay is concerned. SPEC.md section 9.
//
// - Without a list, only the founder's device is let in, with all rights.
// - With a list, a listed device has its listed rights, be they none.
// - A device that isn't listed but was let in by an invite reads and appends for as long as that
//   invite stays listed. So whoever takes an invite off the list ends what hangs on it.

public import RelayStorage
public import SennitWire

/// The rules of one space at one moment.
public struct SpaceAccess: Hashable, Sendable {
    /// The space.
    public let space: SpaceID
    /// The founder's key.
    public let founder: DeviceKey
    /// The list in force; `nil` while only the founder is let in.
    public private(set) var list: AccessList?
    /// Devices let in by an invite, with that invite.
    public private(set) var admissions: [DeviceKey: DeviceKey]

    private var devices: [DeviceKey: AccessList.Rights] = [:]
    private var invites: Set<DeviceKey> = []

    /// What a relay does with a list that it is given.
    public enum Verdict: Hashable, Sendable {
        /// The list follows the one in force.
        case accepted
        /// It is the one in force.
        case known
        /// It follows another one; the one in force is to be looked at first.
        case conflict
        /// Its signature is wrong or its signer may not change the list.
        case notMember
    }

    /// The rules that follow from what is stored.
    public init(_ record: SpaceRecord) {
        space = record.genesis.spaceID
        founder = record.genesis.founder
        admissions = record.admissions
        setList(record.access)
    }

    /// What a device may do now.
    public func rights(of device: DeviceKey) -> AccessList.Rights {
        guard list != nil else { return device == founder ? .all : [] }
        if let rights = devices[device] { return rights }
        guard let invite = admissions[device], invites.contains(invite) else { return [] }
        return [.read, .append]
    }

    /// Whether entries by `author` are taken from a connection of `device`.
    ///
    /// Anybody who is let in may offer an author's entries again, for a head proves who wrote them.
    /// Entries of an author who isn't let in any more are taken only from who administers the
    /// space.
    public func allowsAppend(by author: DeviceKey, from device: DeviceKey) -> Bool {
        let rights = rights(of: device)
        guard !rights.isEmpty else { return false }
        return rights.contains(.administer) || self.rights(of: author).contains(.append)
    }

    /// Whether a device is in by an invite alone: no list names it yet.
    public func isGuest(_ device: DeviceKey) -> Bool {
        list != nil && devices[device] == nil && admissions[device] != nil
    }

    /// Whether an invite may let a device in.
    public func allowsAdmission(by invite: DeviceKey, of device: DeviceKey) -> Bool {
        invites.contains(invite) && devices[device] == nil
    }

    /// Judges a list for this space.
    /// - Complexity: one signature check unless the version or hash already decides.
    public func judge(_ new: AccessList) -> Verdict {
        guard let list else {
            return new.signer == founder && new.isSigned ? .accepted : .notMember
        }
        if new == list { return .known }
        guard list.rights(of: new.signer, as: .device).contains(.administer), new.isSigned else {
            return .notMember
        }
        let (successor, overflow) = list.version.addingReportingOverflow(1)
        guard !overflow, new.version == successor, new.previous == list.hash else {
            return .conflict
        }
        return .accepted
    }

    /// Puts an accepted list in force.
    /// - Returns: the admissions that mean nothing any more, which are dropped.
    public mutating func replaceList(_ new: AccessList) -> [DeviceKey] {
        setList(new)
        let dropped = admissions.filter { !allowsAdmission(by: $0.value, of: $0.key) }.map(\.key)
        for device in dropped { admissions[device] = nil }
        return dropped.sorted()
    }

    /// Remembers that an invite let a device in.
    public mutating func admit(_ device: DeviceKey, by invite: DeviceKey) {
        admissions[device] = invite
    }

    private mutating func setList(_ new: AccessList?) {
        list = new
        devices = [:]
        invites = []
        for member in new?.members ?? [] {
            switch member.kind {
            case .device: devices[member.key] = member.rights
            case .invite: invites.insert(member.key)
            }
        }
    }
}
