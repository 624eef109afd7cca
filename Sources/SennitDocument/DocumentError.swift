public import SennitWire

/// Why a document refused something. Whatever was refused changed nothing.
public enum DocumentError: Error, Hashable, Sendable {
    /// Bytes that don't decode.
    case malformed(WireError)
    /// Events that are named as parents or as a version, and are not in this document.
    case unknownEvents([EventID])
    /// A name that is already taken by an event with other parents or other content.
    case conflictingEvent(EventID)
    /// A place that does not exist in a text of `scalarCount` scalars.
    case positionOutOfBounds(position: Int, scalarCount: Int)
    /// A run without events, or with a position or a number that no document can have.
    case invalidRun(EventID)
    /// More of `what` than a document or a run may have.
    case overLimit(what: String, value: Int, limit: Int)
    /// It takes the history, which is not in memory: attach it and try again.
    case historyNeeded
    /// The encoded text or a verdict of a document is not what its own history gives.
    case textDiffersFromHistory
}
