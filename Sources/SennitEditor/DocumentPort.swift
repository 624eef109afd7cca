public import SennitDocument

/// What the editor did in one turn.
public struct EditorTurn: Hashable, Sendable {
    /// Own changes, each on the text that the one before left, the first on the document's text.
    public var patches: [Patch]
    /// Scalars before the cursor, in the text behind the patches.
    public var cursor: Int
    /// The selected scalars; `nil` for none.
    public var selection: Range<Int>?
}

/// How the editor reaches its document. The editor knows nothing else of it.
///
/// One editor uses one port, and never calls `transact` before the last call has returned.
public struct DocumentPort: Sendable {
    /// One exchange between document and editor.
    ///
    /// The port calls the closure exactly once, with everything that happened to the document
    /// since the last exchange that succeeded, in order, and makes the patches that come back part
    /// of the document *before anything else changes it*. With an actor: call the closure within
    /// one actor-isolated function that doesn't suspend between reading the changes and applying
    /// the patches.
    ///
    /// - The very first exchange begins with `.text`: the document as it is.
    /// - The patches that an exchange returned are not told again by the next.
    /// - Changes that a script makes in the person's name, even at an older version of the
    ///   document, are told as `.own`, as they came out on the current text.
    /// - Peers' positions are scalars of the text behind the changes before them. Tell all peers
    ///   whenever one moved; between two tellings the editor moves them with the text.
    /// - The turn's cursor and selection are this person's presence, in the text behind the
    ///   patches. Publish them when they differ from the last; they are never stored.
    /// - The person's work is saved when the call returns: that is what the screen promises.
    /// - When the call throws, nothing of it happened: the editor falls back to its state before,
    ///   shows the error, and the next exchange must tell the same changes again.
    public typealias Exchange = @Sendable ([DocumentChange]) -> EditorTurn

    /// Runs one exchange.
    public var transact: @Sendable (_ exchange: Exchange) async throws -> Void

    /// Rings whenever the next exchange would have something to tell: changes, people, status.
    /// Several rings may be one; `bufferingNewest(1)` is right. The end of the stream ends nothing.
    public var wakeUps: AsyncStream<Void>

    /// A port of its two parts.
    public init(
        transact: @escaping @Sendable (_ exchange: Exchange) async throws -> Void,
        wakeUps: AsyncStream<Void>
    ) {
        self.transact = transact
        self.wakeUps = wakeUps
    }
}
