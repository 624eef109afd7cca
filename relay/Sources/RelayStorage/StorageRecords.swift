public import SennitWire

// The values that go in and out of storage.

/// Entries that were appended together, and their head.
public struct Batch: Hashable, Sendable {
    /// The offset of the first entry.
    public let first: Offset
    /// The entries as they are on the wire; at least one.
    public let packed: PackedEntries
    /// The head after the last entry.
    public let head: Head

    /// The offset after the last entry.
    public var end: Offset { head.end }

    /// The canonical bytes of each entry, each copied into an array of its own.
    /// - Complexity: O(bytes).
    public var entries: [[UInt8]] { packed.unpacked }

    /// Puts a batch together.
    public init(first: Offset, packed: PackedEntries, head: Head) {
        self.first = first
        self.packed = packed
        self.head = head
    }

    /// Packs a batch.
    public init(first: Offset, entries: [[UInt8]], head: Head) {
        self.init(first: first, packed: PackedEntries(entries), head: head)
    }
}

/// What is kept of a space beside its logs.
public struct SpaceRecord: Hashable, Sendable {
    /// What names the space and its founder.
    public let genesis: Genesis
    /// The access list in force, if there is one.
    public var access: AccessList?
    /// Devices that an invite has let in, with that invite.
    public var admissions: [DeviceKey: DeviceKey]

    /// Puts a record together.
    public init(
        genesis: Genesis,
        access: AccessList? = nil,
        admissions: [DeviceKey: DeviceKey] = [:]
    ) {
        self.genesis = genesis
        self.access = access
        self.admissions = admissions
    }
}

/// A log and where it starts and ends.
public struct LogRecord: Hashable, Sendable {
    /// The space it belongs to.
    public let space: SpaceID
    /// Author and life of the log.
    public let descriptor: LogDescriptor
    /// The head before the first entry that is kept; `nil` for a log that is kept from offset 0.
    public let start: Head?
    /// The log's last head; `nil` for a log without entries, and where the head is damaged.
    public let head: Head?
    /// Where the log ends, be its last head readable or not.
    public let end: Offset

    /// Puts a record together.
    public init(
        space: SpaceID,
        descriptor: LogDescriptor,
        head: Head?,
        start: Head? = nil,
        end: Offset? = nil
    ) {
        self.space = space
        self.descriptor = descriptor
        self.head = head
        self.start = start
        self.end = end ?? head?.end ?? .zero
    }
}

/// What is stored of a space, in the terms that quotas are given in.
public struct StorageUsage: Hashable, Sendable {
    /// Logs, with those that are empty.
    public var logCount: Int
    /// Entries that are kept.
    public var entryCount: UInt64
    /// Bytes of these entries.
    public var byteCount: UInt64

    /// Puts figures together.
    public init(logCount: Int = 0, entryCount: UInt64 = 0, byteCount: UInt64 = 0) {
        self.logCount = logCount
        self.entryCount = entryCount
        self.byteCount = byteCount
    }
}

/// One thing to be stored.
public enum StorageChange: Hashable, Sendable {
    /// A space that isn't stored yet.
    case createSpace(Genesis)
    /// Replaces the list of the space it names.
    case setAccess(AccessList)
    /// Remembers that `invite` let `device` in.
    case admit(device: DeviceKey, invite: DeviceKey, space: SpaceID)
    /// Forgets admissions.
    case forget(devices: [DeviceKey], space: SpaceID)
    /// A log that isn't stored yet, of a space that is.
    case createLog(LogDescriptor, space: SpaceID)
    /// A batch that starts where its log ends.
    case append(Batch, log: LogID)
    /// Forgets the entries before a stored head's end. A log without entries then begins there.
    case truncate(Head, log: LogID)
    /// Forgets a space with its logs.
    case removeSpace(SpaceID)
}
