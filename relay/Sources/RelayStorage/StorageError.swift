public import SennitWire

/// What keeps storage from opening or a request from being carried out.
public enum StorageError: Error, Hashable, Sendable {
    /// Another process has the data directory open.
    case inUse(path: String)
    /// The file is something else than a relay's storage; it was not touched.
    case notRelayStorage(path: String)
    /// The file was written by a newer version of the relay.
    case newerFormat(path: String, version: Int)
    /// A file is damaged outside the entries of any known log.
    case damagedFile(path: String, reason: String)
    /// What is stored of a log breaks the format from `offset` on.
    case damagedLog(log: LogID, offset: Offset, reason: String)
    /// What is stored of a space breaks the format.
    case damagedSpace(space: SpaceID, reason: String)
    /// The disk is full or failing, or a file can't be opened; nothing was stored.
    case failed(path: String, reason: String)
    /// The directory for the data can't be made or used.
    case directory(path: String, reason: String)
    /// The database can't be reached or doesn't answer. What was to be stored may be stored, as if
    /// only the ack had been lost.
    case unavailable(path: String, reason: String)
    /// An append doesn't start where its log ends.
    case conflict(log: LogID, end: Offset)
    /// The entries asked for were deleted; the log starts later.
    case deleted(log: LogID, start: Offset)
    /// Something that doesn't fit what is stored: a space that is there already, or isn't.
    case unfit(reason: String)
    /// The storage was closed.
    case closed
}

extension StorageError: CustomStringConvertible {
    /// One sentence for a person, in the style of the command's errors.
    public var description: String {
        switch self {
        case .inUse(let path):
            "\(path) is in use by another process"
        case .notRelayStorage(let path):
            "\(path) is not the storage of a relay"
        case .newerFormat(let path, let version):
            """
            \(path) has format \(version), which a newer relay wrote; it was left untouched: \
            start that relay again, or restore a backup
            """
        case .damagedFile(let path, let reason):
            "\(path) is damaged: \(reason)"
        case .damagedLog(let log, let offset, let reason):
            "log \(log) is damaged at offset \(offset): \(reason)"
        case .damagedSpace(let space, let reason):
            "space \(space) is damaged: \(reason)"
        case .failed(let path, let reason):
            "\(path) can't be used: \(reason)"
        case .directory(let path, let reason):
            "\(path) can't be used as data directory: \(reason)"
        case .unavailable(let path, let reason):
            "\(path) is away: \(reason)"
        case .conflict(let log, let end):
            "log \(log) ends at \(end)"
        case .deleted(let log, let start):
            "log \(log) starts at \(start)"
        case .unfit(let reason):
            "what was to be stored doesn't fit: \(reason)"
        case .closed:
            "the storage is closed"
        }
    }

    init(_ failure: FileFailure) {
        self = .failed(path: failure.name, reason: failure.reason)
    }
}
