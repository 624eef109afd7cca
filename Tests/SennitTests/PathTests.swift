import Sennit
import SennitDocument
import SennitWire
import Testing

@Suite(.timeLimit(.minutes(2)))
struct PathTests {
    /// A world in which both made "plan" while they were apart.
    private func conflict() async throws -> World {
        let world = try await World()
        await world.adas.disconnect()
        await world.bens.disconnect()
        try await world.adas.document(at: "plan", create: true).append("Ada's")
        try await world.bens.document(at: "plan", create: true).append("Ben's")
        try await world.adas.connect()
        try await world.bens.connect()
        try await world.settle()
        return world
    }

    @Test func `two who make one path keep both documents under the same names`() async throws {
        let world = try await conflict()
        let listing = try await world.adas.documents()
        #expect(listing.map(\.path) == ["plan", "plan~2"])
        #expect(try await world.bens.documents() == listing)
        let texts = [
            try await world.adas.document(at: "plan").text(),
            try await world.adas.document(at: "plan~2").text(),
        ]
        #expect(Set(texts) == ["Ada's", "Ben's"])
        try await world.close()
    }

    @Test func `a stand-in can be written to, and moving it settles the conflict`() async throws {
        let world = try await conflict()
        let second = try await world.adas.document(at: "plan~2")
        try await second.append("!")
        let text = try await second.text()
        try await world.adas.move("plan~2", to: "other")
        try await world.settle()
        #expect(try await world.bens.documents().map(\.path) == ["other", "plan"])
        #expect(try await world.bens.documents().allSatisfy { !$0.isConflictName })
        #expect(try await world.bens.document(at: "other").text() == text)
        try await world.close()
    }

    @Test func `removing one of two leaves the other with the plain path`() async throws {
        let world = try await conflict()
        let kept = try await world.adas.document(at: "plan~2").text()
        try await world.adas.remove("plan")
        try await world.settle()
        #expect(try await world.bens.documents().map(\.path) == ["plan"])
        #expect(try await world.bens.document(at: "plan").text() == kept)
        try await world.close()
    }

    @Test func `a document keeps its text when it moves`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("draft")
        try await adas.append("text")
        try await world.adas.move("draft", to: "done/final")
        try await world.settle()
        #expect(try await world.bens.documents().map(\.path) == ["done/final"])
        #expect(try await bens.text() == "text")
        try await world.close()
    }

    @Test func `a path that is taken, missing or none is refused by name`() async throws {
        let world = try await World()
        let space = world.adas
        _ = try await space.document(at: "a", create: true)
        _ = try await space.document(at: "b", create: true)
        let taken = await #expect(throws: SennitError.self) { try await space.move("a", to: "b") }
        #expect(taken?.code == .pathTaken)
        let missing = await #expect(throws: SennitError.self) { try await space.remove("c") }
        #expect(missing?.code == .noSuchDocument)
        let none = await #expect(throws: SennitError.self) { try await space.move("a", to: "../a") }
        #expect(none?.code == .invalidPath)
        #expect(try await space.documents().map(\.path) == ["a", "b"])
        try await world.close()
    }
}
