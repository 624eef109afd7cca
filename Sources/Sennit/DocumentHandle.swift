public import SennitDocument
import SennitSync
public import SennitWire

/// A document of an open engine. A value: copies are the same document. It stays the same document
/// when its path changes.
public struct DocumentHandle: Sendable {
    let space: Space
    /// The document.
    public let id: DocumentID
    /// Its path when this value was made.
    public let path: String

    /// The text as it is now.
    /// - Throws: `closed`.
    public func text() async throws(SennitError) -> String { try await rope().string }

    /// The text as it is now, which costs nothing to pass on.
    /// - Throws: `closed`.
    public func rope() async throws(SennitError) -> Rope {
        try await space.engine.with(space.id) { $0.text(of: id) }
    }

    /// The text at an older version.
    /// - Throws: `invalidEdit` for a version that isn't here; `closed`.
    public func text(at version: [EventID]) async throws(SennitError) -> String {
        try await space.engine.withHistory(of: id, in: space.id) { (driver) throws(SennitError) in
            try driver.text(of: id, at: version)
        }
    }

    /// The version of the text as it is now.
    /// - Throws: `closed`.
    public func frontier() async throws(SennitError) -> [EventID] {
        try await space.engine.with(space.id) { $0.replica.documents[id]?.frontier ?? [] }
    }

    /// Whether an event of this document is here.
    /// - Throws: `closed`.
    public func contains(_ event: EventID) async throws(SennitError) -> Bool {
        try await space.engine.with(space.id) { $0.replica.documents[id]?.contains(event) ?? false }
    }

    /// Changes the text as it is now. Returns once it is so in memory, and on its way; `saved`
    /// waits for the disk.
    /// - Parameter patches: each applies to the text that the one before it left.
    /// - Throws: `invalidEdit`, `readOnly`, `notMember`, `closed`. Then nothing was changed.
    public func edit(_ patches: [Patch]) async throws(SennitError) {
        try await space.engine.withHistory(of: id, in: space.id) { (driver) throws(SennitError) in
            try driver.edit(id, patches)
        }
    }

    /// Changes the text as it was at an older version. The change is merged with all that came
    /// since, as if its author had been offline.
    /// - Throws: as `edit`.
    public func edit(_ patches: [Patch], at version: [EventID]) async throws(SennitError) {
        try await space.engine.withHistory(of: id, in: space.id) { (driver) throws(SennitError) in
            try driver.edit(id, patches, at: version)
        }
    }

    /// Adds to the end of the text, in one turn.
    /// - Throws: as `edit`.
    public func append(_ text: String) async throws(SennitError) {
        try await space.engine.withHistory(of: id, in: space.id) { (driver) throws(SennitError) in
            let end = driver.text(of: id).scalarCount
            try driver.edit(id, [Patch(range: end..<end, text: text)])
        }
    }

    /// Makes the text what `text` is, in few patches, so that what others do to the rest of it
    /// merges.
    /// - Returns: how many patches it took.
    /// - Throws: as `edit`.
    @discardableResult
    public func write(_ text: String) async throws(SennitError) -> Int {
        try await space.engine.withHistory(of: id, in: space.id) { (driver) throws(SennitError) in
            try driver.write(text, to: id)
        }
    }

    /// Waits until everything that was typed here before this call is on the disk.
    /// - Throws: `notSaved`, `closed`.
    public func saved() async throws(SennitError) { try await space.saved() }

    /// One exchange of an editor with the document, as one step: nothing else happens between what
    /// `body` is told and what it answers.
    ///
    /// - Parameters:
    ///   - cursor: what the last exchange returned; `nil` for the first, which misses nothing and
    ///     begins with the turn's text.
    ///   - body: is called once.
    /// - Returns: the cursor for the next exchange, behind the own patches, and the body's result.
    /// - Throws: as `edit`. Then nothing was changed, and `cursor` still stands.
    /// - Complexity: O(changes missed); O(n) for a cursor that is very far behind.
    public func transact<Result: Sendable>(
        since cursor: ChangeCursor?,
        _ body: @Sendable (DocumentTurn) -> DocumentReply<Result>
    ) async throws(SennitError) -> (cursor: ChangeCursor, result: Result) {
        try await space.engine.withHistory(of: id, in: space.id) { (driver) throws(SennitError) in
            let (cursor, result) = try driver.transact(id, since: cursor, body)
            return (cursor: cursor, result: result)
        }
    }

    /// What happened since a cursor, and the cursor for the next time. With `nil` it only begins.
    /// - Throws: `closed`.
    public func changes(
        since cursor: ChangeCursor?
    ) async throws(SennitError) -> (cursor: ChangeCursor, changes: [TextChange]) {
        let (cursor, changes) = try await transact(since: cursor) { turn in
            DocumentReply(patches: [], result: turn.missed)
        }
        return (cursor, changes)
    }

    /// Tells the others where this person is in the document. Cheap; sent at most twenty times a
    /// second, kept alive until another place, `Space.leaveDocument` or the end of the connection.
    /// - Throws: `closed`.
    public func show(_ presence: Presence) async throws(SennitError) {
        try await space.engine.with(space.id) { $0.publish(presence, in: id) }
    }
}
