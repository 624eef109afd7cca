/// Bounds of the protocol's state machines, each with its unit and its reason. The bounds of the
/// formats are in `SennitWire.Limits`.
public enum SyncLimits {
    /// Without a frame for this long the device asks for one.
    public static let pingInterval = Duration.seconds(15)

    /// Without a frame for this long the connection counts as dead.
    public static let silence = Duration.seconds(30)

    /// An append without an ack for this long is given up with its connection: the next one asks
    /// the relay what it has.
    public static let ackTimeout = Duration.seconds(20)

    /// After a refusal that time may mend, uploading rests for this long.
    public static let retryPause = Duration.seconds(5)

    /// The longest such rest, whatever the relay asks for: a quota that was raised is found out
    /// soon, and a relay can't silence a device for long.
    public static let maximumRetryPause = Duration.seconds(300)

    /// Incarnations that are tried for a log that stands right behind another: about as many as a
    /// space may have logs with events are needed on average. Each costs two hashes.
    public static let incarnationAttempts: UInt64 = 1 << 16

    /// Every so many entries of a log the whole causal context is named (SPEC.md section 6).
    public static let fullContextInterval: UInt64 = 256

    /// Encoded operations that one entry takes before the next is begun, in bytes. Far below the
    /// limit of a sealed part, so that an entry always fits.
    public static let entryTarget = 1 << 17

    /// Older epochs' keys that a new epoch hands on, of 32 bytes each: with the boxes of as many
    /// recipients as there may be they fit the clear part of an entry.
    public static let wrappedKeyCount = 3000

    /// Scalars that one local insert has at most; a longer paste becomes several.
    public static let insertScalarCount = 1 << 14

    /// Others' sessions that are remembered for presence; the rest is not shown.
    public static let maximumPresenceCount = 256

    /// A peer that hasn't been heard for this long is shown no more.
    public static let presenceLifetime = Duration.seconds(30)

    /// The shortest and the longest pause before connecting again.
    public static let reconnectPause = Duration.milliseconds(250)...Duration.seconds(20)
}

/// How long to wait before connecting again: doubling from the shortest to the longest pause.
public struct Backoff: Sendable {
    private var pause = SyncLimits.reconnectPause.lowerBound

    /// Starts with the shortest pause.
    public init() {}

    /// The next pause. `jitter`, in 0..<1, spreads devices that lost the same relay: the pause is
    /// between half and all of the doubled time.
    public mutating func next(jitter: Double) -> Duration {
        defer { pause = min(pause * 2, SyncLimits.reconnectPause.upperBound) }
        return pause * (0.5 + jitter / 2)
    }

    /// A connection held: start again with the shortest pause.
    public mutating func reset() { pause = SyncLimits.reconnectPause.lowerBound }
}
