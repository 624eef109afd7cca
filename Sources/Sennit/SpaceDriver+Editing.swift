import SennitDocument
import SennitSeal
import SennitSync
import SennitWire

extension SpaceDriver {
    /// Changes a text as it is now.
    func edit(_ document: DocumentID, _ patches: [Patch]) throws(SennitError) {
        try requireWriter()
        do {
            absorb(try replica.edit(document, patches), isOwn: true)
        } catch {
            throw SennitError(error)
        }
        proceed()
    }

    /// Changes a text as it was at an older version.
    func edit(
        _ document: DocumentID,
        _ patches: [Patch],
        at parents: [EventID]
    ) throws(SennitError) {
        try requireWriter()
        do {
            absorb(try replica.edit(document, patches, at: parents), isOwn: true)
        } catch {
            throw SennitError(error)
        }
        proceed()
    }

    /// One exchange with an editor: what happened since its cursor goes in, its patches come out
    /// and are made before anything else happens.
    func transact<Result>(
        _ document: DocumentID,
        since cursor: ChangeCursor?,
        _ body: (DocumentTurn) -> DocumentReply<Result>
    ) throws(SennitError) -> (ChangeCursor, Result) {
        try requireEditable(document)
        let feed = feeds[document] ?? ChangeFeed()
        feeds[document] = feed
        let text = text(of: document)
        let turn = DocumentTurn(
            missed: cursor.map { feed.changes(since: $0, text: text) } ?? [],
            text: text,
            peers: peers.filter { $0.document == document }
        )
        let reply = body(turn)
        if !reply.patches.isEmpty { try edit(document, reply.patches) }
        if let presence = reply.presence { publish(presence, in: document) }
        return (self.cursor(of: document), reply.result)
    }

    /// Where a reader of a document's changes stands who has seen everything.
    func cursor(of document: DocumentID) -> ChangeCursor {
        let feed = feeds[document] ?? ChangeFeed()
        feeds[document] = feed
        return ChangeCursor(
            document: document,
            revision: feed.revision,
            scalarCount: text(of: document).scalarCount
        )
    }

    /// The text of a document as it is now; empty if nothing was ever written.
    func text(of document: DocumentID) -> Rope {
        replica.documents[document]?.text ?? Rope()
    }

    /// The text of a document at another version.
    func text(of document: DocumentID, at version: [EventID]) throws(SennitError) -> String {
        do { return try replica.text(of: document, at: version) } catch { throw SennitError(error) }
    }

    /// Replaces a text by another in few patches.
    /// - Returns: how many patches it took.
    func write(_ text: String, to document: DocumentID) throws(SennitError) -> Int {
        let patches = TextDiff.patches(from: self.text(of: document).string, to: text)
        if !patches.isEmpty { try edit(document, patches) }
        return patches.count
    }

    /// Fails if an edit would fail for lack of history, before anybody is asked for one.
    private func requireEditable(_ document: DocumentID) throws(SennitError) {
        do { try replica.requireEditable(document) } catch { throw SennitError(error) }
    }

    /// Fails unless this person may write.
    func requireWriter() throws(SennitError) {
        guard !isClosed else { throw .closed }
        if let rebuildFault { throw rebuildFault }
        guard let membership = replica.membership else { throw .notJoinedYet }
        guard let role = membership.role(of: replica.identity.device) else {
            throw replica.hasBeenMember ? .removed : .notJoinedYet
        }
        guard role >= .writer else {
            throw SennitError(
                .readOnly,
                "you may read this space, not write in it",
                hint: "ask an owner for an invite as a writer"
            )
        }
    }
}

// MARK: The directory

extension SpaceDriver {
    /// The document at a path, made if `create` says so and there is none.
    func document(at path: String, create: Bool) throws(SennitError) -> DocumentEntry {
        if let entry = directory[path] { return entry }
        try DocumentPath.check(path)
        guard create else {
            throw SennitError(
                .noSuchDocument,
                "no such document: \(path)",
                hint: "run `sennit ls`"
            )
        }
        let id = DocumentID(value: Random.bytes32())
        try change([.set(path: path, to: id)])
        return DocumentEntry(path: path, id: id)
    }

    /// Gives a document another path.
    func move(from source: String, to target: String) throws(SennitError) {
        let entry = try document(at: source, create: false)
        try DocumentPath.check(target)
        guard source != target || entry.isConflictName else { return }
        if let other = directory[target] {
            // Giving a stand-in its own name for good is how a conflict is settled in place.
            guard other == entry, entry.isConflictName else {
                throw SennitError(
                    .pathTaken,
                    "there is a document at \"\(target)\" already",
                    hint: "move or remove it first"
                )
            }
        }
        try change(directory.settling(entry) + [.set(path: target, to: entry.id)])
    }

    /// Takes a document out of the directory. Its text and history stay in the logs.
    func remove(_ path: String) throws(SennitError) {
        try change(directory.settling(try document(at: path, create: false)))
    }

    private func change(_ changes: [Directory.Change]) throws(SennitError) {
        try requireWriter()
        do {
            for change in changes {
                switch change {
                case .set(let path, let id):
                    absorb(
                        try replica.setMap(.directory, key: path, value: id.bytes),
                        isOwn: true
                    )
                case .remove(let path):
                    absorb(try replica.removeMap(.directory, key: path), isOwn: true)
                }
            }
        } catch {
            throw SennitError(error)
        }
        proceed()
    }
}

extension SennitError {
    static var closed: SennitError { SennitError(.closed, "the profile was closed") }

    static var removed: SennitError {
        SennitError(
            .notMember,
            "this device was removed from the space",
            hint: "what is here can be read; ask an owner for an invite to come back"
        )
    }

    static var notJoinedYet: SennitError {
        SennitError(
            .notMember,
            "this device is not a member of the space yet",
            hint: "it joins when the relay can be reached: `sennit status` tries"
        )
    }
}
