public import RelayStorage

/// Who may use a relay and how much of it: an operator's settings, as a value.
public struct RelayPolicy: Hashable, Sendable {
    /// Who may have new spaces kept here.
    public enum Access: String, Hashable, Sendable, CaseIterable {
        /// Anybody.
        case open
        /// Who has a token of this relay.
        case token
        /// The spaces and founders on its list.
        case allowList = "allow-list"
    }

    /// Who may have new spaces kept here. What is here already is served either way.
    public var access = Access.open

    /// What a space may take up, unless its own quota says otherwise. The share counts only where
    /// there is a limit of bytes; it keeps one device from using up the space's room.
    public var spaceQuota: SpaceQuota = {
        var quota = SpaceQuota()
        quota.maximumDeviceShare = 0.8
        return quota
    }()

    /// Logs of one device in one space. A device begins a log when it joins and whenever its
    /// profile was restored from an old copy, so a few are honest and thousands are not; they would
    /// use up the 4,096 logs of the space.
    public var maximumDeviceLogCount = 64

    /// Logs of a device that an invite let in and no access list names yet.
    public var maximumGuestLogCount = 4

    /// Bytes of the logs of such a device. It joins with one small entry, and writes before an
    /// owner's device confirms it, which may be away for weeks; but one leaked link must not fill
    /// the disk.
    public var maximumGuestByteCount: UInt64 = 64 << 20

    /// Appends and bytes of all connections of one token's spaces together.
    public var tokenRate = Rate()

    /// What one address may do.
    public var addresses = AddressPolicy()

    /// When untouched spaces are deleted: never, unless it is said.
    public var retention = Retention()

    /// When room that deleted entries take is given back.
    public var compaction = Compaction()

    /// A relay that is open to all.
    public init() {}

    /// How much may be appended a second over long times; bursts are ten seconds' worth.
    public struct Rate: Hashable, Sendable {
        /// Appends a second; `nil` for no limit.
        public var appendsPerSecond: Double?
        /// Bytes a second; `nil` for no limit.
        public var bytesPerSecond: Double?

        /// No limit.
        public init() {}
    }

    /// When spaces in which no device was for long are deleted.
    public struct Retention: Hashable, Sendable {
        /// Days without any device; `nil` for never.
        public var untouchedDays: Int?
        /// Days between the announcement and the deletion.
        public var graceDays = 14

        /// Never.
        public init() {}
    }

    /// When segments are written anew.
    public struct Compaction: Hashable, Sendable {
        /// How often to look; `nil` for never.
        public var interval: Duration? = .seconds(3600)
        /// A segment with no more than this share of live bytes is written anew: frees four times
        /// what it writes.
        public var idleLiveShare = 0.2
        /// The same once the disk, or what it may hold, is nearly full.
        public var pressureLiveShare = 0.5
        /// From which share of the limit of bytes on there is pressure.
        public var pressureFill = 0.9

        /// Once an hour.
        public init() {}
    }
}
