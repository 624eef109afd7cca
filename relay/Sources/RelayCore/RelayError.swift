public import RelayStorage

/// What keeps a relay from running or a request from being carried out.
public enum RelayError: Error, Hashable, Sendable {
    /// The data directory can't be opened or used.
    case storage(StorageError)
    /// The address can't be listened on.
    case listen(address: String, reason: String)
    /// The certificate or its key can't be used.
    case certificate(path: String, reason: String)
    /// What was running when the relay was stopped didn't end in time.
    case unfinished(after: Duration)
}

extension RelayError: CustomStringConvertible {
    /// One sentence for a person, in the style of the command's errors.
    public var description: String {
        switch self {
        case .storage(let error):
            error.description
        case .listen(let address, let reason):
            "can't listen on \(address): \(reason)"
        case .certificate(let path, let reason):
            "can't use the certificate \(path): \(reason)"
        case .unfinished(let time):
            "the running commit wasn't finished after \(DurationText.write(time))"
        }
    }
}

extension RelayError {
    /// Wraps an error of storage.
    public init(_ error: StorageError) { self = .storage(error) }
}
