// Every bound of SPEC.md section 12, with its unit and its reason.

/// Bounds that are part of the format: all implementations must agree on them.
public enum Limits {
    /// Entries in one log. Leaves room to add without overflow; no device writes so many.
    public static let maximumOffset: UInt64 = 1 << 53

    /// Bytes of the clear part of one entry. An epoch record holds about 160 bytes a recipient.
    public static let maximumClearByteCount = 1 << 18

    /// Bytes of the sealed part of one entry, padding and tag included.
    public static let maximumSealedByteCount = 1 << 20

    /// Bytes of one entry: both parts and the fixed fields.
    public static let maximumEntryByteCount =
        maximumClearByteCount + maximumSealedByteCount + 64

    /// Bytes of a sealed part before sealing are padded to at least this, so that one keystroke
    /// and five look alike.
    public static let minimumPaddedByteCount = 64

    /// Entries that one head may cover beyond the head before it, so that a reader's buffer of
    /// unverified entries is bounded.
    public static let maximumBatchCount = 256

    /// Bytes of entries that one head may cover beyond the head before it. A batch of one entry
    /// may be larger, up to `maximumEntryByteCount`.
    public static let maximumBatchByteCount = 1 << 18

    /// Bytes of one relay frame: the largest batch with its head and framing.
    public static let maximumFrameByteCount = maximumEntryByteCount + (1 << 12)

    /// Logs in one space. A log costs the relay and each reader some hundred bytes.
    public static let maximumLogCount = 4096

    /// Keys in one access list.
    public static let maximumAccessCount = 8192

    /// Bytes of one sealed presence message.
    public static let maximumPresenceByteCount = 4096

    /// Bytes of a text that explains a refusal.
    public static let maximumReasonByteCount = 256

    /// Seconds after which a refusal asks a device to come back: a day.
    public static let maximumRetrySeconds = 86_400

    /// Recipients of one epoch key.
    public static let maximumRecipientCount = 1024

    /// Epochs that one epoch record names as its parents.
    public static let maximumEpochParentCount = 64

    /// Changes in one membership record.
    public static let maximumMembershipChangeCount = 256

    /// Membership records of one log that count, so that nobody can make working out the membership
    /// dear. A device that needs more begins another log.
    public static let maximumMembershipRecordCount = 1024

    /// Grants between the founder and an owner that are told apart, and so how deep putting records
    /// in order calls itself.
    public static let maximumSeniority = 64

    /// Payloads of one body. One is enough for all that is done to one document.
    public static let maximumPayloadCount = 1024

    /// Bytes of a person's name.
    public static let maximumNameByteCount = 256

    /// Bytes of a member's certificate, reserved.
    public static let maximumCertificateByteCount = 1024

    /// Relays that one invite link names.
    public static let maximumRelayCount = 16

    /// Bytes of a relay's address in an invite link.
    public static let maximumRelayByteCount = 1024

    /// Sessions that one presence message echoes.
    public static let maximumEchoCount = 128

    /// Events in the frontier of one presence message; as many as a run has parents.
    public static let maximumFrontierCount = 64
}
