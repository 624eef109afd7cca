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

/// A connection's wish that takes the storage thread.
enum Request: Hashable, Sendable {
    indirect case enter(EnterRequest)
    case append(AppendRun)
    indirect case putAccess(AccessList)
    case read(log: LogID, descriptor: LogDescriptor, from: Offset)
}

/// What comes to a connection from the committer and from other connections.
enum Delivery: Sendable {
    /// The device is in.
    indirect case entered(SpaceAccess, logs: [Welcome.Log])
    /// The relay doesn't know the space.
    case spaceUnknown
    /// The device isn't let in, or can't be now.
    indirect case entryRefused(Refusal)
    /// What the appends came to, in their order.
    case answered(AppendRun, [AppendAnswer])
    /// The access list was not replaced; the one in force may follow.
    indirect case accessRefused(Refusal, current: AccessList?)
    /// The list that was put is the one in force.
    indirect case accessKnown(AccessList)
    /// Entries from storage; `nil` at the end of the log.
    case read(log: LogID, from: Offset, ReadRange?)
    /// A log can't be read.
    indirect case unreadable(log: LogID, Refusal)
    /// A log of the space grew.
    case committed(CommittedTail)
    /// The access list was replaced; the frame says so.
    indirect case accessChanged(SpaceAccess, frame: ByteBuffer)
    /// Another device's presence, as a frame.
    case presence(ByteBuffer)
    /// The relay stops.
    case shutDown
}

/// Entries that were read, as the `entries` frame that carries them.
struct ReadRange: Sendable {
    let end: Offset
    let frame: ByteBuffer
}

/// Entries that were just committed, encoded once for all who wait for them.
struct CommittedTail: Sendable {
    let log: LogID
    let descriptor: LogDescriptor
    let from: Offset
    let end: Offset
    /// The `entries` frame that carries them; `nil` where nobody but the author is there.
    let frame: ByteBuffer?

    /// The same news without the entries.
    var withoutFrame: CommittedTail {
        CommittedTail(log: log, descriptor: descriptor, from: from, end: end, frame: nil)
    }
}
