import Sennit
import SennitDocument
import SennitWire
import Testing

@Suite(.timeLimit(.minutes(2)))
struct PresenceTests {
    @Test func `people see each other's cursors, and they move with the text`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await adas.append("one two")
        try await world.settle()
        try await bens.show(Presence(cursor: 4, anchor: 7))
        let space = world.adas
        try await eventually(space) {
            try await space.peers().first?.place == Presence(cursor: 4, anchor: 7)
        }
        let peer = try #require(try await space.peers().first)
        #expect(peer.name == "Ben")
        #expect(peer.document == bens.id)
        try await adas.edit([.insert("zero ", at: 0)])
        #expect(try await space.peers().first?.place == Presence(cursor: 9, anchor: 12))
        try await world.close()
    }

    @Test func `a cursor that is told with an edit is right behind it`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await adas.append("ab")
        try await world.settle()
        _ = try await bens.transact(since: nil) { _ in
            DocumentReply(patches: [.insert("X", at: 1)], presence: Presence(cursor: 2))
        }
        let space = world.adas
        try await eventually(space) {
            let text = try await adas.text()
            let cursor = try await space.peers().first?.place?.cursor
            return text == "aXb" && cursor == 2
        }
        try await world.close()
    }

    @Test func `who hangs up is gone, and who leaves a document is seen in none`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await bens.show(Presence(cursor: 0))
        let space = world.adas
        try await eventually(space) { try await space.peers().first?.document == adas.id }
        await world.bens.leaveDocument()
        try await eventually(space) {
            let peers = try await space.peers()
            return peers.count == 1 && peers[0].document == nil
        }
        try await world.close()
    }

    @Test func `an exchange tells what was missed and never one's own`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        let first = try await adas.transact(since: nil) { turn in
            DocumentReply(patches: [.insert("abc", at: 0)], result: turn.missed.count)
        }
        #expect(first.result == 0)
        try await eventually(world.bens) { try await bens.text() == "abc" }
        try await bens.edit([.insert("1", at: 0)])
        try await eventually(world.adas) { try await adas.text() == "1abc" }
        try await adas.edit([.insert("2", at: 4)])
        let second = try await adas.transact(since: first.cursor) { turn in
            DocumentReply(patches: [.insert("3", at: 5)], result: (turn.missed, turn.text.string))
        }
        #expect(second.result.1 == "1abc2")
        #expect(
            second.result.0 == [
                TextChange(patches: [.insert("1", at: 0)], isOwn: false),
                TextChange(patches: [.insert("2", at: 4)], isOwn: true),
            ]
        )
        let third = try await adas.changes(since: second.cursor)
        #expect(third.changes.isEmpty)
        await #expect(throws: SennitError.self) {
            _ = try await adas.transact(since: third.cursor) { _ in
                DocumentReply(patches: [.insert("x", at: 99)])
            }
        }
        #expect(try await adas.text() == "1abc23")
        try await world.close()
    }
}
