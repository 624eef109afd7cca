public import Foundation
public import SennitWire

// What an operator decided, as `control.sqlite` keeps it.

/// How much a space may take up; `nil` leaves it to the relay's setting.
public struct SpaceQuota: Hashable, Sendable, Codable {
    /// Bytes of all entries.
    public var maximumByteCount: UInt64?
    /// Logs.
    public var maximumLogCount: Int?
    /// Bytes of one entry.
    public var maximumEntryByteCount: Int?
    /// The part of the bytes that the logs of one device may have, in 0...1.
    public var maximumDeviceShare: Double?

    /// A quota that leaves all to the relay's setting.
    public init() {}

    /// This, and what it leaves open from `other`.
    public func completed(by other: SpaceQuota) -> SpaceQuota {
        var quota = self
        quota.maximumByteCount = maximumByteCount ?? other.maximumByteCount
        quota.maximumLogCount = maximumLogCount ?? other.maximumLogCount
        quota.maximumEntryByteCount = maximumEntryByteCount ?? other.maximumEntryByteCount
        quota.maximumDeviceShare = maximumDeviceShare ?? other.maximumDeviceShare
        return quota
    }
}

/// How much all spaces of a token may take up together.
public struct TokenQuota: Hashable, Sendable, Codable {
    /// Bytes of all entries.
    public var maximumByteCount: UInt64?
    /// Spaces.
    public var maximumSpaceCount: Int?

    /// A quota without limits.
    public init(maximumByteCount: UInt64? = nil, maximumSpaceCount: Int? = nil) {
        self.maximumByteCount = maximumByteCount
        self.maximumSpaceCount = maximumSpaceCount
    }
}

/// A token, without the token.
public struct TokenRecord: Hashable, Sendable, Codable {
    /// Its number in the control file.
    public let id: Int64
    /// What the operator calls it.
    public let name: String
    /// When it was made.
    public let created: Date
    /// From when on no space is founded with it.
    public var expires: Date?
    /// When it was revoked.
    public var revoked: Date?
    /// Whether its spaces aren't served any more, since it was revoked.
    public var isServingStopped: Bool
    /// How much its spaces may take up.
    public var quota: TokenQuota

    /// Puts a record together.
    public init(
        id: Int64,
        name: String,
        created: Date,
        expires: Date? = nil,
        revoked: Date? = nil,
        isServingStopped: Bool = false,
        quota: TokenQuota = TokenQuota()
    ) {
        self.id = id
        self.name = name
        self.created = created
        self.expires = expires
        self.revoked = revoked
        self.isServingStopped = isServingStopped
        self.quota = quota
    }

    /// Whether a space may be founded with it.
    public func isGood(at now: Date) -> Bool {
        revoked == nil && expires.map { now < $0 } ?? true
    }
}

/// What is said about one space.
public struct SpaceTerms: Hashable, Sendable, Codable {
    /// The token it was founded with.
    public var token: Int64?
    /// Whether nothing may be added to it, and it may not be brought back once it is deleted.
    public var isFrozen = false
    /// Its own quota.
    public var quota = SpaceQuota()
    /// The day on which a device was there last.
    public var touched: Date?
    /// When retention is going to delete it, unless a device comes back.
    public var doomed: Date?

    /// Nothing said.
    public init() {}
}

/// Something that an allow-list names.
public enum Allowed: Hashable, Sendable {
    case space(SpaceID)
    case founder(DeviceKey)
}
