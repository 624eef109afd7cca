// What connections ask of the committer, and what comes back to them.

import NIOCore
import SennitWire

/// A device whose key is proven asks to be let into a space.
struct EnterRequest: Hashable, Sendable {
    let space: SpaceID
    let device: DeviceKey
    /// The invite that vouches for the device; its signature was checked.
    var invite: DeviceKey?
    /// The space's genesis, from a device that was told that the space is unknown.
    var genesis: Genesis?
    /// What the device offers for the space's being kept here.
    var token: RelayToken?
    /// The access list, from a member of a space that the relay lost.
    var list: AccessList?
}

/// An append whose size is within limits.
struct AppendRequest: Hashable, Sendable {
    let space: SpaceID
    /// The device of the connection, which may not be the author.
    let device: DeviceKey
    let log: LogID
    let range: EntryRange
    /// Of each entry of the range.
    let hashes: [EntryHash]
    let byteCount: Int
    /// What is still to be done about the head's signature before anything is stored.
    var headCheck = HeadCheck.done
}

/// A connection's wish that takes the storage thread.
enum Request: Hashable, Sendable {
    case enter(EnterRequest)
    case append(AppendRequest)
    case putAccess(AccessList)
    case read(log: LogID, descriptor: LogDescriptor, from: Offset)
}

/// What comes to a connection from the committer and from other connections.
enum Delivery: Sendable {
    /// The device is in.
    case entered(SpaceAccess, logs: [Welcome.Log])
    /// The relay doesn't know the space.
    case spaceUnknown
    /// The device isn't let in, or can't be now.
    case entryRefused(Refusal)
    /// An append is on disk.
    case appended(AppendRequest, Ack)
    /// An append was refused.
    case appendRefused(AppendRequest, Refusal)
    /// The access list was not replaced; the one in force may follow.
    case accessRefused(Refusal, current: AccessList?)
    /// The list that was put is the one in force.
    case accessKnown(AccessList)
    /// Entries from storage; `nil` at the end of the log.
    case read(log: LogID, from: Offset, EntryRange?)
    /// A log can't be read.
    case unreadable(log: LogID, Refusal)
    /// A log of the space grew.
    case committed(CommittedTail)
    /// The access list was replaced; the frame says so.
    case accessChanged(SpaceAccess, frame: ByteBuffer)
    /// Another device's presence, as a frame.
    case presence(ByteBuffer)
    /// The relay stops.
    case shutDown
}

/// Entries that were just committed, encoded once for all who wait for them.
struct CommittedTail: Sendable {
    let log: LogID
    let descriptor: LogDescriptor
    let from: Offset
    let end: Offset
    /// The `entries` frame that carries them; `nil` where nobody but the author is there.
    let frame: ByteBuffer?
}
