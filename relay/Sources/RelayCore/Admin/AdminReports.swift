public import Foundation
public import RelayStorage

// What an operator is told. The names of the properties are those of `--json`.

/// How a running relay stands.
public struct StatusReport: Hashable, Sendable, Codable {
    public let url: String
    /// Seconds since it began to serve.
    public let uptime: Int
    public let accessMode: String
    /// Connections, with those that nobody knows yet.
    public let connections: Int
    public let strangers: Int
    /// Spaces in which a device is now.
    public let activeSpaces: Int
    public let spaces: Int
    /// Groups of appends that were stored.
    public let commits: Int
}

/// A space, without anything of what is in it.
public struct SpaceReport: Hashable, Sendable, Codable {
    public let space: String
    public let logs: Int
    public let entries: UInt64
    public let bytes: UInt64
    /// Devices that are connected now.
    public let connections: Int
    public let isFrozen: Bool
    /// The token that it was founded with.
    public let token: String?
    /// Its own quota, where it has one.
    public let quota: SpaceQuota
    /// The last time that a device was there, as far as somebody looked.
    public let lastSeen: Date?
    /// When it is going to be deleted because no device comes any more.
    public let deletionDue: Date?
}

/// A token; the token itself only where it was just made.
public struct TokenReport: Hashable, Sendable, Codable {
    public let token: String?
    public let name: String
    public let created: Date
    public let expires: Date?
    public let revoked: Date?
    public let isServingStopped: Bool
    /// Bytes that its spaces may take up, and how many they may be.
    public let maximumBytes: UInt64?
    public let maximumSpaces: Int?
    /// What they take up, and how many they are; not known on a closed directory.
    public let bytes: UInt64?
    public let spaces: Int
}

/// What the allow-list names.
public struct AllowReport: Hashable, Sendable, Codable {
    public let spaces: [String]
    public let founders: [String]
}

/// Who is connected.
public struct ConnectionsReport: Hashable, Sendable, Codable {
    /// One space with its connections.
    public struct Space: Hashable, Sendable, Codable {
        public let space: String
        public let connections: Int
    }

    /// One connection.
    public struct Connection: Hashable, Sendable, Codable {
        /// Names it as long as the relay runs.
        public let number: UInt64
        /// As the limits count it; `nil` for the relay's own machine.
        public let address: String?
        /// Since it connected.
        public let seconds: Int
    }

    /// Welcomed to a space.
    public let members: Int
    /// Not yet, or not any more.
    public let strangers: Int
    /// The spaces with the most, at most a hundred; or the one that was asked for.
    public let spaces: [Space]
    /// Those of the space that was asked for, longest first, at most a thousand.
    public let connections: [Connection]
}

/// What was done to how many.
public struct CountReport: Hashable, Sendable, Codable {
    public let count: Int
}

/// What compaction did.
public struct CompactionReport: Hashable, Sendable, Codable {
    public let segments: Int
    public let rewritten: Int
    public let freedBytes: Int
}

/// What was copied.
public struct BackupReport: Hashable, Sendable, Codable {
    public let directory: String
    public let bytes: Int
}

/// What was proven, and what is wrong.
public struct VerifyReport: Hashable, Sendable, Codable {
    public let segments: Int
    public let spaces: Int
    public let logs: Int
    public let entries: UInt64
    public let bytes: UInt64
    /// A sentence each.
    public let damages: [String]
}

extension TokenReport {
    init(_ record: TokenRecord, token: String? = nil, bytes: UInt64?, spaces: Int) {
        self.token = token
        name = record.name
        created = record.created
        expires = record.expires
        revoked = record.revoked
        isServingStopped = record.isServingStopped
        maximumBytes = record.quota.maximumByteCount
        maximumSpaces = record.quota.maximumSpaceCount
        self.bytes = bytes
        self.spaces = spaces
    }
}
