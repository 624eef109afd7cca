import Foundation
import GRDB
import SennitDocument
import SennitSync
import SennitWire
import Testing

@testable import Sennit
@testable import SennitStore

/// History stays on the disk until something needs it, and goes back there.
@Suite(.timeLimit(.minutes(2)))
struct HistoryTests {
    private func hasHistory(_ space: Space, _ document: DocumentHandle) async throws -> Bool {
        let id = document.id
        return try await space.engine.with(space.id) { driver in
            driver.replica.documents[id]?.hasHistory ?? false
        }
    }

    /// Ben writes offline from a version that lies far back when Ada opens her profile again.
    private func part(
        _ world: inout World
    ) async throws -> (adas: DocumentHandle, bens: DocumentHandle) {
        let (adas, bens) = try await world.document("notes")
        try await adas.write("one\ntwo\nthree\n")
        try await world.settle()
        await world.bens.disconnect()
        try await bens.write("one\ntwo\nTHREE\n")
        try await bens.write("one\ntwo\nTHREE!\n")
        try await adas.write("ONE\ntwo\nthree\n")
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        world.adas = try await world.ada.restart()
        return (try await world.adas.document(at: "notes"), bens)
    }

    @Test func `a merge that needs the history reads it`() async throws {
        var world = try await World()
        let (adas, bens) = try await part(&world)
        #expect(try await !hasHistory(world.adas, adas))
        #expect(try await adas.text() == "ONE\ntwo\nthree\n")
        try await world.adas.connect()
        try await world.bens.connect()
        try await world.settle()
        #expect(try await adas.text() == "ONE\ntwo\nTHREE!\n")
        #expect(try await bens.text() == "ONE\ntwo\nTHREE!\n")
        #expect(try await hasHistory(world.adas, adas))
        try await world.close()
    }

    @Test func `typing on doesn't read it`() async throws {
        var world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await adas.append("one ")
        try await world.settle()
        world.adas = try await world.ada.restart()
        let again = try await world.adas.document(at: "notes")
        try await world.adas.connect()
        try await again.append("two ")
        try await world.settle()
        try await bens.append("three")
        try await world.settle()
        #expect(try await again.text() == "one two three")
        #expect(try await !hasHistory(world.adas, again))
        #expect(try await world.ada.engine.check().findings == [])
        try await world.close()
    }

    @Test func `old versions can be read and edited`() async throws {
        let ada = try await Person("Ada")
        var space = try await ada.engine.found(name: "home", person: "Ada", relays: [])
        let notes = try await space.document(at: "notes", create: true)
        try await notes.append("ac")
        let version = try await notes.frontier()
        try await notes.edit([.insert("0", at: 0)])
        var person = ada
        space = try await person.restart()
        let again = try await space.document(at: "notes")
        #expect(try await !hasHistory(space, again))
        // Both ask at once; one reading serves both.
        async let old = again.text(at: version)
        async let edit: Void = again.edit([.insert("b", at: 1)], at: version)
        #expect(try await old == "ac")
        try await edit
        #expect(try await again.text() == "0abc")
        space = try await person.restart()
        let third = try await space.document(at: "notes")
        #expect(try await third.text() == "0abc")
        let stranger = EventID(log: LogID(value: .zero), number: 7)
        await #expect(throws: SennitError.self) { try await third.text(at: [stranger]) }
        await person.engine.close()
    }

    @Test func `damaged history is made again from the operations`() async throws {
        for damage in ["UPDATE chunks SET bytes = x'00'", "DELETE FROM chunks"] {
            var world = try await World()
            let (_, bens) = try await part(&world)
            let queue = await world.ada.engine.profile.journal.queue
            try await queue.writeWithoutTransaction { db in try db.execute(sql: damage) }
            #expect(try await !world.ada.engine.check().isSound)
            try await world.adas.connect()
            try await world.bens.connect()
            try await world.settle()
            let adas = try await world.adas.document(at: "notes")
            #expect(try await adas.text() == "ONE\ntwo\nTHREE!\n")
            #expect(try await bens.text() == "ONE\ntwo\nTHREE!\n")
            // What was made again is stored anew, all of it.
            world.adas = try await world.ada.restart()
            let id = adas.id
            let (journal, space) = (await world.ada.engine.profile.journal, world.adas.id)
            let head = try #require(try journal.restore(space).documents[id])
            var whole = head
            try whole.attach(history: journal.history(of: id, in: space))
            #expect(whole.text.string == "ONE\ntwo\nTHREE!\n")
            try await world.close()
        }
    }

    @Test func `what nobody uses comes to rest, what somebody uses doesn't`() async throws {
        var world = try await World()
        let (adas, bens) = try await world.document("notes")
        let (used, _) = try await world.document("used")
        try await adas.append("one ")
        try await used.append("x")
        try await world.settle()
        #expect(try await hasHistory(world.adas, adas))
        let (id, usedID) = (adas.id, used.id)
        let waiting = world.adas
        let rest: @Sendable () async throws -> Bool = {
            try await waiting.engine.with(waiting.id) { driver in
                driver.history.use(usedID, now: driver.ports.now + .seconds(3600))
                driver.history.quiet = .zero
                driver.storeAndRest()
                return driver.replica.documents[id]?.hasHistory == false
            }
        }
        for _ in 0..<600 where try await !rest() { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try await !hasHistory(world.adas, adas))
        #expect(try await hasHistory(world.adas, used))
        #expect(try await adas.text() == "one ")
        // It goes on from there, on both sides, and after a start.
        try await bens.append("two ")
        try await world.settle()
        try await adas.append("three")
        try await world.settle()
        #expect(try await bens.text() == "one two three")
        world.adas = try await world.ada.restart()
        let again = try await world.adas.document(at: "notes")
        #expect(try await again.text() == "one two three")
        #expect(try await world.ada.engine.check().findings == [])
        try await world.close()
    }
}
