// What a device knows about the health of a space, for people and, encoded as JSON, for scripts.
// Keys of the JSON are the names of the properties; identifiers are hexadecimal.

/// How a space stands.
public struct SpaceStatus: Hashable, Sendable, Codable {
    /// Whether there is a relay at the other end.
    public enum Connection: String, Hashable, Sendable, Codable {
        /// Nothing was dialled, or it failed; `connectionNote` says why.
        case offline
        /// A relay is being dialled.
        case connecting
        /// The relay let us in.
        case online
    }

    /// Whether what was typed here is on the disk.
    public enum Saving: String, Hashable, Sendable, Codable {
        /// All of it.
        case saved
        /// It is being written.
        case saving
        /// It can't be written; `savingNote` says why. It stays in memory and is tried again.
        case notSaved
    }

    /// The space.
    public var space: String
    /// What it is called here.
    public var name: String
    /// Whether there is a relay at the other end.
    public var connection: Connection
    /// Why there is none, or what the relay refuses.
    public var connectionNote: String?
    /// What to do about it.
    public var connectionHint: String?
    /// The relay that is dialled, or was last.
    public var relay: String?
    /// Whether everything that the relay had has come in.
    public var isUpToDate: Bool
    /// Whether what was typed here is on the disk.
    public var saving: Saving
    /// Why it isn't.
    public var savingNote: String?
    /// Changes made here that aren't in an entry yet.
    public var pendingCount: Int
    /// Entries made here that the relay hasn't confirmed.
    public var unackedCount: UInt64
    /// Whether this device is a member yet.
    public var isMember: Bool
    /// What is known against a log or the relay. Empty while all is well.
    public var findings: [StatusFinding]
    /// Every log of the space.
    public var logs: [LogStatusLine]
    /// Who else is here now.
    public var peers: [PeerStatus]

    /// Whether everything is where it should be: saved, sent, received, and nothing amiss.
    public var isSynced: Bool {
        connection == .online && isUpToDate && saving == .saved && pendingCount == 0
            && unackedCount == 0
    }
}

/// Something that is known against a log or the relay. Nothing was destroyed by it.
public struct StatusFinding: Hashable, Sendable, Codable {
    /// The statuses of SPEC.md section 13.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case behind, stale, unseenByPeers, withheld, rolledBack, corrupt, forked, relayForked
        case unprovenContext, unauthorised, setAside, leftOut, keyMissing, needsUpdate, poison
        case copied
    }

    /// Which status.
    public var kind: Kind
    /// The log it is about, in hexadecimal digits; `nil` if it is about the relay.
    public var log: String?
    /// Whose log it is, if known.
    public var author: String?
    /// Where in the log.
    public var offset: UInt64?
    /// One sentence for a person.
    public var message: String
    /// What to do about it.
    public var hint: String?
}

/// One log in a status.
public struct LogStatusLine: Hashable, Sendable, Codable {
    /// The log, in hexadecimal digits.
    public var log: String
    /// The device that writes it, in hexadecimal digits.
    public var device: String
    /// The name its person goes by.
    public var author: String?
    /// Whether this device writes it.
    public var isOwn: Bool
    /// Entries that are stored here.
    public var end: UInt64
    /// Entries of these that are applied.
    public var applied: UInt64
    /// Bytes of the stored entries.
    public var byteCount: UInt64
}

/// Somebody else in a status.
public struct PeerStatus: Hashable, Sendable, Codable {
    /// The name the person goes by.
    public var name: String
    /// The path of the document they are in, if in one.
    public var path: String?
}
