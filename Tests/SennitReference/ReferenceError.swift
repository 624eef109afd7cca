/// Why a trace could not be read.
public enum ReferenceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file cannot be opened or read.
    case unreadable(path: String, reason: String)
    /// The file is damaged: it says it is gzip and `gzip -dc` refuses it.
    case notGzip(path: String)
    /// The file, or what is compressed in it, is longer than a trace may be.
    case tooLarge(path: String, limitBytes: Int)
    /// The file is no JSON, or lacks a field of a trace.
    case notTrace(path: String, reason: String)
    /// A transaction, counted from 0, says something impossible.
    case badTransaction(path: String, index: Int, reason: String)

    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
        case .notGzip(let path): "\(path): is not a whole gzip file"
        case .tooLarge(let path, let limit): "\(path): is larger than \(limit) bytes"
        case .notTrace(let path, let reason): "\(path): is not a trace: \(reason)"
        case .badTransaction(let path, let index, let reason):
            "\(path): transaction \(index): \(reason)"
        }
    }
}
