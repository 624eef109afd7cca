import SennitDocument
import SennitSeal
import SennitSync
import SennitWire
import Testing

/// What is held back until its history has been read, and what isn't.
@Suite struct ReplicaHistoryTests {
    private let document = TestSpace.document

    /// Stores a document and lets it rest.
    /// - Returns: its chunks, all in one.
    private func rest(_ replica: inout Replica) throws -> [[UInt8]] {
        let states = replica.unstoredStates(of: [document])
        let state = try #require(states[document])
        replica.noteStored(state, of: document)
        let rests = replica.rest(document)
        #expect(rests)
        #expect(replica.documents[document]?.hasHistory == false)
        return [state.chunk]
    }

    /// Ada's document rests at a version that Bob had not seen when he wrote "b" and "c".
    private func parted() throws -> (TestSpace, chunks: [[UInt8]], seen: [StoredOperations]) {
        var space = try TestSpace.joined()
        try space.adaTypes("one ", at: 0)
        let seen = try space.bob.receive(space.adas(3...)).applied.flatMap(\.operations)
        try space.bobTypes("b", at: 4)
        try space.bobTypes("c", at: 5)
        try space.adaTypes("a", at: 0)
        let chunks = try rest(&space.ada)
        return (space, chunks, seen)
    }

    @Test func `an entry that goes back behind the rest waits, whole and with its log`() throws {
        var (space, chunks, _) = try parted()
        let before = space.ada.position
        let change = try space.ada.receive(space.bobs(1...))
        #expect(change.entries.count == 2, "they are stored")
        #expect(change.applied.isEmpty && change.texts.isEmpty)
        #expect(space.ada.wantedHistory == [document])
        #expect(space.ada.position == before)
        #expect(space.text(of: space.ada) == "aone ")
        #expect(space.ada.logSummaries.contains { $0.hold == .historyNeeded })
        let rests = space.ada.rest(document)
        #expect(!rests, "nothing rests that something waits for")
        try space.ada.checkInvariants()

        let resumed = try space.ada.attach(history: chunks, to: document)
        #expect(resumed.applied.map(\.offset) == [Offset(1), Offset(2)])
        #expect(resumed.applied.allSatisfy { $0.outcome == .applied })
        #expect(resumed.logs[space.bob.ownLog]?.applied == Offset(3))
        #expect(space.text(of: space.ada) == "aone bc")
        #expect(space.ada.wantedHistory.isEmpty)
        #expect(space.ada.version == space.ada.appliedVersion)
        _ = try space.bob.receive(space.adas(4...))
        #expect(space.text(of: space.bob) == "aone bc")
        try space.ada.checkInvariants()
    }

    @Test func `everything else goes on meanwhile`() throws {
        var (space, chunks, _) = try parted()
        _ = try space.ada.receive(space.bobs(1...))
        try space.adaTypes("!", at: 5)
        let other = bytes32(78).document
        _ = try space.ada.edit(other, [Patch(range: 0..<0, text: "elsewhere")])
        space.adasEntries += try space.ada.sealPending(surroundings(900)).entries
        #expect(space.text(of: space.ada) == "aone !")
        #expect(space.ada.pendingCount == 0)
        _ = try space.ada.attach(history: chunks, to: document)
        #expect(space.ada.version == space.ada.appliedVersion)
        _ = try space.bob.receive(space.adas(4...))
        #expect(space.text(of: space.ada) == space.text(of: space.bob))
        #expect(space.bob.documents[other]?.text.string == "elsewhere")
    }

    @Test func `what was written by somebody who had seen the rest needs nothing`() throws {
        var space = try TestSpace.joined()
        try space.adaTypes("one ", at: 0)
        _ = try space.bob.receive(space.adas(3...))
        _ = try rest(&space.ada)
        try space.bobTypes("two", at: 4)
        try space.adaTypes("! ", at: 3)
        try space.bobTypes(" three", at: 7)
        _ = try space.ada.receive(space.bobs(1...))
        #expect(space.ada.wantedHistory.isEmpty)
        #expect(space.text(of: space.ada) == "one!  two three")
        #expect(space.ada.documents[document]?.hasHistory == false)
    }

    @Test func `an edit and a text further back ask for the history and are total then`() throws {
        var space = try TestSpace.joined()
        try space.adaTypes("ac", at: 0)
        let version = try #require(space.ada.documents[document]?.frontier)
        try space.adaTypes("0", at: 0)
        let chunks = try rest(&space.ada)
        // At the version of the rest itself, too, once the text has moved on.
        let resting = try #require(space.ada.documents[document]?.frontier)
        #expect(try space.ada.text(of: document, at: resting) == "0ac")
        try space.adaTypes("!", at: 3)
        #expect(throws: SyncError.self) { try space.ada.text(of: document, at: resting) }
        _ = try space.ada.edit(document, [Patch(range: 3..<3, text: "?")], at: resting)
        space.adasEntries += try space.ada.sealPending(surroundings(800)).entries
        #expect(["0ac!?", "0ac?!"].contains(space.text(of: space.ada)))
        _ = try space.ada.edit(document, [Patch(range: 3..<5, text: "")])
        space.adasEntries += try space.ada.sealPending(surroundings(801)).entries
        let patch = Patch(range: 1..<1, text: "b")
        #expect(throws: SyncError.self) { try space.ada.text(of: document, at: version) }
        #expect(space.ada.wantedHistory == [document])
        #expect(space.ada.documents[document]?.hasHistory == false)
        let before = space.ada.nextOwnEvent
        #expect(throws: SyncError.self) { try space.ada.edit(document, [patch], at: version) }
        #expect(space.ada.nextOwnEvent == before && space.ada.pendingCount == 0)
        #expect(try space.ada.attach(history: chunks, to: document).isEmpty)
        #expect(try space.ada.text(of: document, at: version) == "ac")
        _ = try space.ada.edit(document, [patch], at: version)
        #expect(space.text(of: space.ada) == "0abc")
        let rests = space.ada.rest(document)
        #expect(!rests, "what is pending isn't stored")
        #expect(space.ada.unstoredStates(of: [document]).isEmpty)
    }

    @Test func `wrong history changes nothing, and the operations give it again`() throws {
        var (space, chunks, seen) = try parted()
        _ = try space.ada.receive(space.bobs(1...))
        let wrong = try #require(space.bob.documents[document]?.encodeChunk())
        for chunks in [[], [wrong], [[1, 2, 3]], chunks + chunks] {
            #expect(throws: SyncError.self) {
                try space.ada.attach(history: chunks, to: document)
            }
            #expect(space.ada.wantedHistory == [document])
            #expect(space.text(of: space.ada) == "aone ")
        }
        // From the operations of Ada's entries, as her journal has them.
        let later = try space.bob.receive(space.adas(4...))
        let all = seen + later.applied.flatMap(\.operations)
        #expect(throws: SyncError.self) {
            try space.ada.attach(replaying: Array(all.dropLast()), to: document)
        }
        let change = try space.ada.attach(replaying: all, to: document)
        #expect(change.applied.count == 2)
        #expect(space.text(of: space.ada) == "aone bc")
        let state = space.ada.unstoredStates(of: [document])[document]
        #expect(state?.firstEvent == 0, "none of it counts as stored")
    }

    @Test func `a start that takes the history says so, and stands up with it`() throws {
        var (space, chunks, _) = try parted()
        let head = try #require(space.ada.documents[document]?.encodeHead())
        _ = try space.ada.receive(space.bobs(1...))
        let change = try space.ada.attach(history: chunks, to: document)
        var record = ReplicaRecord(
            space: space.ada.space,
            spaceNonce: space.ada.spaceNonce,
            own: space.ada.own
        )
        record.documents = [document: try Document(head: head)]
        record.operations = change.applied.flatMap(\.operations)
        let seed = SecretBytes([UInt8](repeating: 1, count: 32))
        let error = #expect(throws: SyncError.self) {
            try Replica(restoring: record, deviceSeed: seed, invite: nil)
        }
        guard case .historyNeeded([document]) = error else {
            Issue.record("it doesn't ask for the history: \(String(describing: error))")
            return
        }
        try record.documents[document]?.attach(history: chunks)
        let again = try Replica(restoring: record, deviceSeed: seed, invite: nil)
        #expect(space.text(of: again) == "aone bc")
    }
}
