import Foundation
import Sennit
import SennitDocument
import SennitWire
import Testing

/// Profiles that are copied or restored, through a real relay. The numbers are those of
/// docs/SECURITY.md.
@Suite(.timeLimit(.minutes(2)))
struct CopyTests {
    /// Ada's profile as it lies on the disk, under another name.
    private func copy(_ person: Person, to name: String) throws {
        let manager = FileManager.default
        let target = person.directory.path + "/" + name
        try? manager.removeItem(atPath: target)
        try manager.copyItem(atPath: person.directory.path + "/profile", toPath: target)
    }

    private func open(_ person: Person, _ name: String) async throws -> Engine {
        try await Engine.open(
            ProfileLocation(directory: person.directory.path + "/" + name),
            command: "test"
        )
    }

    @Test func `attack 18: a restored backup keeps what was sent and what is typed`() async throws {
        var world = try await World()
        let (first, _) = try await world.document("notes")
        try await first.write("one\n")
        try await world.settle()
        await world.ada.engine.close()
        try copy(world.ada, to: "backup")
        world.ada.engine = try await open(world.ada, "profile")
        world.adas = try await world.ada.engine.space()
        try await world.adas.document(at: "notes").append("two\n")
        try await world.adas.connect()
        try await world.settle()
        await world.ada.engine.close()

        let restored = try await open(world.ada, "backup")
        let space = try await restored.space()
        let notes = try await space.document(at: "notes")
        try await notes.append("three\n")
        try await space.connect()
        #expect(await space.waitUntilSynced(timeout: patience))
        let text = try await notes.text()
        for line in ["one", "two", "three"] {
            #expect(text.split(separator: "\n").count { $0 == line } == 1, "\(text)")
        }
        let status = try await space.status()
        #expect(status.findings.map(\.kind) == [.copied])
        let bens = try await world.bens.document(at: "notes")
        try await eventually(world.bens) { try await bens.text() == text }
        #expect(try await world.bens.status().findings.isEmpty)
        await restored.close()
        // It stays so, and the journal holds what it should.
        let again = try await open(world.ada, "backup")
        let handle = try await again.space().document(at: "notes")
        #expect(try await handle.text() == text)
        let report = try await again.check()
        #expect(report.isSound, "\(report)")
        await again.close()
        await world.ben.engine.close()
        try world.relay.stop()
    }

    @Test func `attack 18: a backup that wrote as much as the original is noticed`() async throws {
        var world = try await World()
        let (first, _) = try await world.document("notes")
        try await first.write("one\n")
        try await world.settle()
        await world.ada.engine.close()
        try copy(world.ada, to: "backup")
        for (name, line) in [("profile", "original\n"), ("backup", "restored\n")] {
            world.ada.engine = try await open(world.ada, name)
            world.adas = try await world.ada.engine.space()
            // Sealed before the relay is there: one entry each, at the same place.
            try await world.adas.document(at: "notes").append(line)
            await world.ada.engine.close()
        }
        for name in ["profile", "backup"] {
            world.ada.engine = try await open(world.ada, name)
            world.adas = try await world.ada.engine.space()
            try await world.adas.connect()
            #expect(await world.adas.waitUntilSynced(timeout: patience))
            await world.ada.engine.close()
        }
        let bens = try await world.bens.document(at: "notes")
        try await eventually(world.bens) {
            let text = try await bens.text()
            return text.contains("original\n") && text.contains("restored\n")
        }
        await world.ben.engine.close()
        try world.relay.stop()
    }

    @Test func `attack 19: two live copies that both type lose nothing`() async throws {
        let world = try await World()
        let (adas, _) = try await world.document("notes")
        try await adas.write("begun\n")
        try await world.settle()
        // While the engine runs, with all that may be on its way to the disk.
        try copy(world.ada, to: "copy")
        let other = try await open(world.ada, "copy")
        let others = try await other.space()
        try await others.connect()
        let copied = try await others.document(at: "notes")
        let bens = try await world.bens.document(at: "notes")
        await withThrowingTaskGroup(of: Void.self) { group in
            for (handle, letter) in [(adas, "a"), (copied, "c"), (bens, "b")] {
                group.addTask {
                    for index in 0..<60 {
                        try await handle.append(letter)
                        if index.isMultiple(of: 7) { try await handle.saved() }
                    }
                }
            }
        }
        try await eventually(world.bens) {
            let text = try await bens.text()
            return "abc".allSatisfy { letter in text.count { $0 == letter } >= 60 }
        }
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        #expect(await others.waitUntilSynced(timeout: patience))
        try await world.settle()
        let text = try await adas.text()
        for letter in "abc" {
            let expected = 60 + "begun\n".count { $0 == letter }
            #expect(text.count { $0 == letter } == expected)
        }
        try await eventually(others) { try await copied.text() == text }
        #expect(try await bens.text() == text)
        #expect(try await world.bens.status().findings.isEmpty)
        await other.close()
        try await world.close()
    }
}
