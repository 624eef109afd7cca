import SennitStore
import SennitSync
public import SennitWire

/// A document that a search found.
public struct SearchResult: Hashable, Sendable {
    /// A piece of the text around the words that were found.
    public struct Part: Hashable, Sendable {
        /// The piece.
        public let text: String
        /// Whether it is what was searched for.
        public let isMatch: Bool
    }

    /// Where the document is.
    public let path: String
    /// The document.
    public let document: DocumentID
    /// Around the best match.
    public let snippet: [Part]

    init(_ hit: SearchHit) {
        path = hit.path
        document = hit.document
        snippet = hit.snippet.map { Part(text: $0.text, isMatch: $0.isMatch) }
    }
}

/// An applied entry, as `sennit log` shows it.
public struct LogLine: Hashable, Sendable {
    /// Its number in the order in which this device applied.
    public let position: UInt64
    /// Its log.
    public let log: LogID
    /// Its offset there.
    public let offset: Offset
    /// The name of its author, if known.
    public let author: String?
    /// What it is for.
    public let type: EntryType
    /// Whether it took effect; false for what is invalid, or too new for this version.
    public let isEffective: Bool
    /// When its author says it was written: milliseconds since 1970.
    public let authorTime: UInt64
    /// Its bytes on the wire.
    public let byteCount: Int
    /// The documents it changed.
    public let documents: [DocumentID]

    init(_ entry: AppliedSummary, names: [LogID: String]) {
        position = entry.position.value
        log = entry.log
        offset = entry.offset
        author = names[entry.log]
        type = entry.type
        isEffective = entry.outcome == .applied
        authorTime = entry.authorTime
        byteCount = entry.byteCount
        documents = entry.documents
    }
}
