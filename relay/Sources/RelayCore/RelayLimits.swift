/// Bounds that are this relay's own choice. Those of the format are in SennitWire's `Limits`.
public struct RelayLimits: Hashable, Sendable {
    /// Connections at once.
    public var maximumConnectionCount = 10_000

    /// Bytes that a stranger may send until it has proven a key: the request for the upgrade and
    /// `hello`, with room for what proxies add.
    public var maximumStrangerByteCount = 16 << 10

    /// Bytes that it may send from there until it is welcomed, in which the longest access list
    /// fits.
    public var maximumNewcomerByteCount = 512 << 10

    /// From the first byte to `welcome`, so that half-open handshakes don't pile up.
    public var handshakeTimeout: Duration = .seconds(10)

    /// How long after its question a device hears that the space is unknown or not its own. Longer
    /// than looking it up takes, and short beside a round trip over the internet.
    public var unknownSpaceDelay: Duration = .milliseconds(20)

    /// Without a frame from the device, pings included, the connection is taken for dead.
    public var idleTimeout: Duration = .seconds(60)

    /// How long a device may leave what was written to it unread before it is cut off.
    public var writeTimeout: Duration = .seconds(30)

    /// How long a refused connection stays open, so that the device can read why.
    public var lingerTimeout: Duration = .seconds(1)

    /// Appends of one connection that wait for the disk.
    public var maximumPendingAppendCount = 64

    /// Bytes of one connection's frames that wait for the disk or for the handshake.
    public var maximumPendingByteCount = 4 << 20

    /// Bytes of all appends that wait for the disk, of all connections together.
    public var maximumTotalPendingByteCount = 256 << 20

    /// Bytes that may wait in a socket's buffer before nothing more is read from storage for it.
    public var writeBufferHighByteCount = 256 << 10

    /// Where reading from storage begins again.
    public var writeBufferLowByteCount = 64 << 10

    /// Appends and bytes a second of one connection.
    public var appendRate = RelayPolicy.Rate()

    /// Presence messages a second that a connection may send over long times.
    public var presencePerSecond: Double = 40

    /// Presence messages that may come at once.
    public var presenceBurst: Double = 80

    /// Access lists a second that a connection may put over long times; each costs a signature
    /// check.
    public var accessListsPerSecond: Double = 1

    /// Access lists that may come at once.
    public var accessListBurst: Double = 16

    /// Heads of its own log that are checked for one connection a second, over long times: about
    /// what a person who types sends.
    public var headChecksPerSecond: Double = 4

    /// Heads that may be checked for one connection at once.
    public var headCheckBurst: Double = 8

    /// Appends that share one commit.
    public var maximumGroupCount = 1024

    /// Bytes that share one commit.
    public var maximumGroupByteCount = 8 << 20

    /// Spaces on this relay.
    public var maximumSpaceCount = 1 << 20

    /// Devices that invites have let in and no access list names yet, in one space.
    public var maximumAdmissionCount = 1024

    /// Frames that make up one WebSocket message.
    public var maximumFragmentCount = 1024

    /// Access rules and log ends kept in memory; beyond it they are read from storage again.
    public var maximumCachedCount = 1 << 16

    /// The limits that a relay runs with unless told otherwise.
    public init() {}
}
