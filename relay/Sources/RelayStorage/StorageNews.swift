public import SennitWire

// What relays on one storage learn of each other.
//
// News is a hint: it may be lost, come twice or late. Nothing rests on it but how soon a device
// hears of something; storage compares what it told with what is there every few seconds.

/// What another relay stored, or said.
public enum StorageNews: Hashable, Sendable {
    /// A log has entries that this relay didn't store.
    case grew(LogGrowth)
    /// A space's access list or admissions changed, or it came or went.
    case changed(SpaceID)
    /// A message for everybody in a space, which isn't stored.
    case said([UInt8], SpaceID)
}

/// What a log gained.
public struct LogGrowth: Hashable, Sendable {
    /// The space it belongs to.
    public let space: SpaceID
    /// Its id.
    public let log: LogID
    /// Author and life of the log.
    public let descriptor: LogDescriptor
    /// What is new, as far as it was fetched: consecutive, and perhaps not all.
    public let batches: [Batch]
    /// Where the log ends.
    public let end: Offset

    /// Puts it together.
    public init(
        space: SpaceID,
        log: LogID,
        descriptor: LogDescriptor,
        batches: [Batch],
        end: Offset
    ) {
        self.space = space
        self.log = log
        self.descriptor = descriptor
        self.batches = batches
        self.end = end
    }
}

/// Who is to be told, and about which spaces.
public struct StorageAudience: Sendable {
    /// The spaces that somebody is in; nothing else is news.
    public let spaces: @Sendable () -> [SpaceID]
    /// Whether somebody is in a space.
    public let isInside: @Sendable (SpaceID) -> Bool
    /// Takes news in. Called from one thread of each database.
    public let hear: @Sendable ([StorageNews]) -> Void

    /// Puts it together.
    public init(
        spaces: @escaping @Sendable () -> [SpaceID],
        isInside: @escaping @Sendable (SpaceID) -> Bool,
        hear: @escaping @Sendable ([StorageNews]) -> Void
    ) {
        self.spaces = spaces
        self.isInside = isInside
        self.hear = hear
    }
}
