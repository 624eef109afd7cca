public import SennitDocument

/// What an editor is told in one exchange.
public struct DocumentTurn: Sendable {
    /// What happened since the last exchange, in order, without what this editor did itself.
    public let missed: [TextChange]
    /// The text behind all that.
    public let text: Rope
    /// Who else is in the document, at places in `text`.
    public let peers: [PeerPresence]
}

/// What an editor answers in one exchange.
public struct DocumentReply<Result: Sendable>: Sendable {
    /// Its changes, each on the text that the one before left, the first on the turn's text.
    public var patches: [Patch]
    /// Where its person is, in the text behind the patches; `nil` leaves what others see as it is.
    public var presence: Presence?
    /// Whatever the caller wants back.
    public var result: Result

    /// Puts an answer together.
    public init(patches: [Patch], presence: Presence? = nil, result: Result) {
        self.patches = patches
        self.presence = presence
        self.result = result
    }
}

extension DocumentReply where Result == Void {
    /// An answer without a result.
    public init(patches: [Patch], presence: Presence? = nil) {
        self.init(patches: patches, presence: presence, result: ())
    }
}
