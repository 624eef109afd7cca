import Foundation
import GRDB
import SennitDocument
import SennitSync
import SennitWire
import Testing

@testable import Sennit
@testable import SennitStore

@Suite(.timeLimit(.minutes(2)))
struct DiskTests {
    /// Lets the journal have so many pages more than it has; `nil` for no limit.
    private func limit(_ engine: Engine, toMorePages count: Int?) async throws {
        let queue = await engine.profile.journal.queue
        try await queue.writeWithoutTransaction { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            let limit = count.map { pages + $0 } ?? 1 << 30
            _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = \(limit)")
        }
    }

    @Test func `on a full disk nothing is sent or lost, and it goes on by itself`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await adas.append("before ")
        try await world.settle()
        try await limit(world.ada.engine, toMorePages: 2)
        let page = (0..<4000).map { "\($0 &* 2_654_435_761) " }.joined()
        try await adas.append(page)
        let error = await #expect(throws: SennitError.self) { try await adas.saved() }
        #expect(error?.code == .notSaved)
        let status = try await world.adas.status()
        #expect(status.saving == .notSaved)
        #expect(status.savingNote?.isEmpty == false)
        #expect(!status.isSynced)
        try await adas.append("after")
        #expect(try await adas.text() == "before " + page + "after")
        // Everything that was sent before has been heard when Ben's own word has come back.
        try await bens.append("")
        #expect(await world.bens.waitUntilSynced(timeout: patience))
        #expect(try await bens.text() == "before ")
        try await limit(world.ada.engine, toMorePages: nil)
        try await eventually(world.bens) { try await bens.text().hasSuffix("after") }
        try await adas.saved()
        #expect(try await world.adas.status().saving == .saved)
        try await world.close()
    }

    @Test func `what isn't saved is not sent over the next connection either`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await world.settle()
        try await limit(world.ada.engine, toMorePages: 2)
        let page = (0..<4000).map { "\($0 &* 2_654_435_761) " }.joined()
        try await adas.append(page)
        await #expect(throws: SennitError.self) { try await adas.saved() }
        let before = try await world.bens.status().logs.map(\.end)
        try world.relay.stop()
        for space in [world.adas, world.bens] {
            try await eventually(space) { try await space.status().connection != .online }
        }
        try world.relay.start()
        for space in [world.adas, world.bens] {
            try await eventually(space) { try await space.status().isUpToDate }
        }
        #expect(try await world.bens.status().logs.map(\.end) == before)
        try await limit(world.ada.engine, toMorePages: nil)
        try await world.settle()
        #expect(try await bens.text() == page)
        try await world.close()
    }

    @Test func `what a disk refused while the relay was away is sent in the end`() async throws {
        var world = try await World()
        let (adas, bens) = try await world.document("notes")
        await world.adas.disconnect()
        try await limit(world.ada.engine, toMorePages: 0)
        let page = (0..<4000).map { "\($0 &* 2_654_435_761) " }.joined()
        try await adas.append(page)
        await #expect(throws: SennitError.self) { try await adas.saved() }
        try await world.adas.connect()
        try await limit(world.ada.engine, toMorePages: nil)
        try await world.settle()
        #expect(try await bens.text() == page)
        world.adas = try await world.ada.restart()
        #expect(try await world.adas.document(at: "notes").text() == page)
        try await world.close()
    }

    @Test func `a sound profile is found sound, and the index is like a new one`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await adas.append("some words to find")
        try await bens.append(" and more")
        try await world.settle()
        for rebuild in [false, true] {
            let report = try await world.ada.engine.check(rebuild: rebuild)
            #expect(report.findings.isEmpty)
            #expect(report.spaces.count == 1)
            #expect(report.spaces[0].logCount == 2)
            #expect(report.spaces[0].documentCount >= 2)
        }
        #expect(try await world.adas.search("words").map(\.path) == ["notes"])
        try await world.close()
    }

    @Test func `states are stored on closing, so that opening replays nothing`() async throws {
        var world = try await World()
        let (adas, _) = try await world.document("notes")
        for number in 0..<100 { try await adas.append("\(number) ") }
        try await world.settle()
        let id = world.adas.id
        await world.ada.engine.close()
        let profile = try Profile(
            directory: world.ada.directory.path + "/profile",
            command: "test",
            new: NewProfile(
                deviceSeed: Random.bytes(32),
                person: PersonRecord(id: .zero, name: "")
            )
        )
        let record = try profile.journal.restore(id)
        #expect(record.operations.isEmpty)
        #expect(record.documents[adas.id]?.text.scalarCount == 290)
        try profile.close()
        world.ada.engine = try await Engine.open(
            ProfileLocation(directory: world.ada.directory.path + "/profile"),
            command: "test"
        )
        try await world.close()
    }
}
