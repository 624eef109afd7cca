public import SennitDocument
public import SennitWire

// History that is on the disk until a merge needs it.
//
// A document at rest is its text and its version. Most of what happens to it takes no more: typing,
// and whatever was written by somebody who had seen at least the version at which it came to rest.
// What was written further back takes the history, which only the driver can read. So the entry is
// held back before anything of it is applied, as one is that waits for another log:
//
//     applyNext ──► documentLackingHistory     the entry waits, `wantedHistory` names the document
//     driver    ──► reads the chunks           whenever it can; a crash loses nothing: the entry is
//                                              stored, and is tried again after the next start
//     attach    ──► applyNext                  the entry, and all that came after it, in order
//
// The retry is total: a document that has its history lacks nothing, and it keeps it until the
// driver calls `rest`, which is refused while anything waits or isn't stored.

extension Replica {
    /// Documents whose history something waits for. The driver loads it, in any order, and hands it
    /// to `attach`; asked again after a failure, this says the same.
    public var wantedHistory: Set<DocumentID> { Set(historyWaiters.keys) }

    /// Gives a document its history back and goes on with the entries that waited for it.
    /// - Parameter chunks: All that are stored, from the first event on.
    /// - Returns: what to make durable.
    /// - Throws: `document` if they are not this document's; then nothing has changed.
    /// - Complexity: O(size of the history), then what applying costs.
    public mutating func attach(
        history chunks: [[UInt8]],
        to document: DocumentID
    ) throws(SyncError) -> ReplicaChange {
        do {
            try documents[document]?.attach(history: chunks)
        } catch {
            throw .document(error)
        }
        return goOn(with: document)
    }

    /// Gives a document its history back where the stored chunks are damaged: from its operations,
    /// which are what the chunks were made of. None of it counts as stored.
    /// - Parameter operations: Those of all applied entries on the document, by position.
    /// - Returns: what to make durable.
    /// - Throws: `document` if they don't give the text that is here; then nothing has changed.
    /// - Complexity: that of merging all of them.
    public mutating func attach(
        replaying operations: [StoredOperations],
        to document: DocumentID
    ) throws(SyncError) -> ReplicaChange {
        var replayed = Document()
        do throws(DocumentError) {
            var runs: [OperationRun] = []
            for stored in operations { runs += try stored.batch().runs }
            for pending in pending where pending.batch.document == document {
                runs += pending.batch.runs
            }
            _ = try replayed.merge(runs)
            guard replayed.hasSameState(as: documents[document] ?? Document()) else {
                throw DocumentError.textDiffersFromHistory
            }
        } catch {
            throw .document(error)
        }
        documents[document] = replayed
        return goOn(with: document)
    }

    private mutating func goOn(with document: DocumentID) -> ReplicaChange {
        var change = ReplicaChange()
        let ready = historyWaiters.removeValue(forKey: document) ?? []
        applyReady(ready.sorted(), into: &change)
        finish(&change)
        return change
    }

    /// The text of a document at another version.
    /// - Throws: `document` for a version that isn't known; `historyNeeded`: load it and try again.
    public mutating func text(
        of document: DocumentID,
        at version: [EventID]
    ) throws(SyncError) -> String {
        if documents[document]?.needsHistory(toShow: version) == true {
            throw wantHistory(of: document)
        }
        do {
            return try (documents[document] ?? Document()).text(at: version)
        } catch {
            throw .document(error)
        }
    }

    /// Who wrote what is in a document now, from left to right.
    /// - Throws: `historyNeeded`: load it and try again.
    public mutating func authorship(
        of document: DocumentID
    ) throws(SyncError) -> [Document.Authorship] {
        try ask(document) { (document) throws(DocumentError) in
            try document.authorship(of: 0..<document.text.scalarCount)
        }
    }

    /// What turns the text at one version of a document into that at another.
    /// - Throws: `document` for a version that isn't known; `historyNeeded`: load it and try again.
    public mutating func changes(
        of document: DocumentID,
        from older: [EventID],
        to newer: [EventID]
    ) throws(SyncError) -> [Patch] {
        try ask(document) { (document) throws(DocumentError) in
            try document.changes(from: older, to: newer)
        }
    }

    /// Asks a document about its past, for which it needs all of its history.
    private mutating func ask<Answer>(
        _ document: DocumentID,
        _ body: (inout Document) throws(DocumentError) -> Answer
    ) throws(SyncError) -> Answer {
        do throws(DocumentError) {
            return try body(&documents[document, default: Document()])
        } catch .historyNeeded {
            throw wantHistory(of: document)
        } catch {
            throw .document(error)
        }
    }

    /// Asks for the history of a document, for a call that fails without it.
    mutating func wantHistory(of document: DocumentID) -> SyncError {
        if historyWaiters[document] == nil { historyWaiters[document] = [] }
        return .historyNeeded([document])
    }

    /// A document whose history it takes to merge batches, if there is one.
    func documentLackingHistory(_ batches: [OperationBatch]) -> DocumentID? {
        batches.first { batch in
            documents[batch.document]?.needsHistory(toMerge: batch.runs) == true
        }?.document
    }
}

// MARK: Rest

extension Replica {
    /// Documents whose events aren't all stored.
    public var unstoredDocuments: Set<DocumentID> {
        Set(documents.filter { !$0.value.isStored }.keys)
    }

    /// What the store lacks of some documents, for it to write at this replica's position. Those of
    /// which something is pending are left out, because a state holds the entries before its
    /// position and nothing else.
    /// - Complexity: O(size of their texts + of the events that are not stored).
    public func unstoredStates(
        of some: some Sequence<DocumentID>
    ) -> [DocumentID: DocumentState] {
        var states: [DocumentID: DocumentState] = [:]
        for id in some where !isPending(id) {
            if let document = documents[id], !document.isStored {
                states[id] = document.unstoredState
            }
        }
        return states
    }

    /// A state of a document is on the disk.
    public mutating func noteStored(_ state: DocumentState, of document: DocumentID) {
        documents[document]?.noteStored(state)
    }

    /// Lets a document rest: from here on its history is on the disk only.
    /// - Returns: whether it rests. It doesn't while something waits for its history, is pending or
    ///   isn't stored.
    /// - Complexity: O(size of the text).
    public mutating func rest(_ document: DocumentID) -> Bool {
        guard documents[document]?.isStored == true, !isPending(document),
            historyWaiters[document] == nil
        else { return false }
        documents[document]?.rest()
        return true
    }

    private func isPending(_ document: DocumentID) -> Bool {
        pending.contains { $0.batch.document == document }
    }
}
