/// Bounds of the engine, each with its unit and its reason.
enum EngineLimits {
    /// From the first packet to the relay's answer to the WebSocket request, in seconds. Slower
    /// networks exist, but a person waits.
    static let connectSeconds: Int64 = 10

    /// Fragments that one message may come in. Relays of ours send one; proxies may cut.
    static let maximumFragmentCount = 1024

    /// Bytes of received entries that may wait for the disk before reading from the socket rests.
    static let maximumUncommittedByteCount = 16 << 20

    /// Bytes of own entries kept in memory until the relay has them; older ones are read from the
    /// journal.
    static let maximumOwnTailByteCount = 4 << 20

    /// Steps of one document that a slow reader can catch up with; beyond, it is told the whole
    /// text.
    static let maximumFeedStepCount = 4096

    /// Bytes of text in these steps.
    static let maximumFeedByteCount = 4 << 20

    /// Own presence is sent at most this often; what changes meanwhile goes with the next.
    static let presenceInterval = Duration.milliseconds(50)

    /// Without a move, presence is sent again after this long, so that nobody takes us for gone.
    static let presenceHeartbeat = Duration.seconds(10)

    /// Events of a document up to which another person's cursor is placed exactly while both type;
    /// it takes a copy of the history.
    static let maximumPlacedEventCount = 1 << 20

    /// A connection that lasts this long after its welcome counts as held.
    static let holdsAfter = Duration.seconds(20)

    /// Bytes of the own log, from its start, up to which another copy's entries are kept in memory
    /// until a new log is begun. What comes behind is read again after that.
    static let maximumRefusedByteCount: UInt64 = 1 << 26

    /// A log of which the relay gave corrupt bytes is asked for again after this long, by another
    /// connection.
    static let leftLogPause = Duration.seconds(30)

    /// A commit that failed is tried again this often.
    static let commitRetryPause = Duration.seconds(1)

    /// The index follows after this long without a change, so that typing isn't disturbed.
    static let indexQuiet = Duration.milliseconds(300)

    /// But never lags behind further than this.
    static let indexLag = Duration.seconds(1)

    /// Applied entries after which the states of changed documents are stored, so that the next
    /// start replays at most so many.
    static let entriesBetweenStates: UInt64 = 4096

    /// A document that nobody has changed for this long is stored and comes to rest: its history is
    /// on the disk only. Long compared with the pauses of people who write together, because
    /// whoever comes back reads the history once.
    static let restQuiet = Duration.seconds(60)

    /// Documents are looked at for rest at most this often.
    static let restInterval = Duration.seconds(5)

    /// Without a word from the relay for this long the space counts as stale.
    static let staleAfter = Duration.seconds(60)

    /// Others' entries since the relay has ours, after which it is odd that none of them has seen
    /// ours.
    static let unseenEntryCount: UInt64 = 32

    /// Joining waits this long for the record of its invite, which a relay gets after the key.
    static let joinPatience = Duration.seconds(10)

    /// Edits that a line diff may need before the rest is replaced as a whole. Memory is its
    /// square.
    static let maximumLineEditCount = 1024

    /// Edits that a diff within a hunk of lines may need before the hunk is replaced as a whole.
    static let maximumScalarEditCount = 256

    /// Scalars of a hunk that are compared one by one.
    static let maximumComparedScalarCount = 1 << 14
}
