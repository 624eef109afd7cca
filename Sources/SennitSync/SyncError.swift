public import SennitDocument
public import SennitSeal
public import SennitWire

/// Why something from outside, or a call of ours, was refused. Nothing was changed by it.
public enum SyncError: Error {
    /// Bytes that don't parse.
    case wire(WireError)
    /// A seal, record or signature that doesn't hold.
    case seal(SealError)
    /// An edit that the document refuses.
    case document(DocumentError)
    /// It takes the history of these documents, which is on the disk: load it and try again.
    case historyNeeded(Set<DocumentID>)
    /// Entries that start past what we have of the log.
    case gap(log: LogID, have: Offset, offered: Offset)
    /// Other bytes than ours at an offset of a log, under a valid head: the log has two histories.
    case forked(log: LogID, offset: Offset)
    /// Bytes from this offset on whose chain, count or signature fails.
    case corrupt(log: LogID, offset: Offset)
    /// More logs than `Limits.maximumLogCount`.
    case tooManyLogs
    /// Entries past the size that one head may cover.
    case batchTooLarge(log: LogID, byteCount: Int)
    /// The device isn't a member of the space yet: it waits for the relay.
    case notJoined
    /// Only an owner may, and only what is there can be changed; nobody removes itself.
    case notPermitted
    /// Entries that don't count any more are to be taken back first.
    case rebuilding
    /// Another copy of this device wrote the own log from this offset on: `Replica.renewed`.
    case ownLogTaken(from: Offset)
    /// Entries of this device came back from the relay and wait for what they build on.
    case ownEntriesWait
    /// A document that the space doesn't have.
    case noSuchDocument(DocumentID)
    /// A path that is empty, too long or has a line break or NUL in it.
    case invalidPath(String)
}
