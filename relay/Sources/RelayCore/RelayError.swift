public import SennitWire

/// What keeps a relay from running or a request from being carried out.
public enum RelayError: Error, Hashable, Sendable {
    /// Another process has the data directory open.
    case inUse(path: String)
    /// The file is something else than a relay's storage; it was not touched.
    case notRelayStorage(path: String)
    /// The file was written by a newer version of the relay.
    case newerFormat(path: String, version: Int)
    /// SQLite's own check of the file found damage.
    case damagedFile(path: String, reason: String)
    /// What is stored of a log breaks the format from `offset` on.
    case damagedLog(log: LogID, offset: Offset, reason: String)
    /// What is stored of a space breaks the format.
    case damagedSpace(space: SpaceID, reason: String)
    /// The disk is full or failing, or the file can't be opened; nothing was stored.
    case storage(path: String, reason: String)
    /// The directory for the data can't be made or used.
    case directory(path: String, reason: String)
    /// The address can't be listened on.
    case listen(address: String, reason: String)
    /// The certificate or its key can't be used.
    case certificate(path: String, reason: String)
}

extension RelayError: CustomStringConvertible {
    /// One sentence for a person, in the style of the command's errors.
    public var description: String {
        switch self {
        case .inUse(let path):
            "\(path) is in use by another process"
        case .notRelayStorage(let path):
            "\(path) is not the storage of a relay"
        case .newerFormat(let path, let version):
            "\(path) has format \(version), which a newer relay wrote"
        case .damagedFile(let path, let reason):
            "\(path) is damaged: \(reason)"
        case .damagedLog(let log, let offset, let reason):
            "log \(log) is damaged at offset \(offset): \(reason)"
        case .damagedSpace(let space, let reason):
            "space \(space) is damaged: \(reason)"
        case .storage(let path, let reason):
            "\(path) can't be used: \(reason)"
        case .directory(let path, let reason):
            "\(path) can't be used as data directory: \(reason)"
        case .listen(let address, let reason):
            "can't listen on \(address): \(reason)"
        case .certificate(let path, let reason):
            "can't use the certificate \(path): \(reason)"
        }
    }
}
