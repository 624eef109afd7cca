import Sennit
import SennitDocument
import SennitWire
import Testing

@Suite(.timeLimit(.minutes(2)))
struct SyncTests {
    @Test func `what one types the other sees, both ways`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await adas.edit([.insert("Hello", at: 0)])
        try await eventually(world.bens) { try await bens.text() == "Hello" }
        try await bens.edit([.insert(", world", at: 5)])
        try await eventually(world.adas) { try await adas.text() == "Hello, world" }
        try await world.close()
    }

    @Test func `people who type at the same time converge`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        await withThrowingTaskGroup(of: Void.self) { group in
            for (handle, letter) in [(adas, "a"), (bens, "b")] {
                group.addTask {
                    for _ in 0..<200 { try await handle.append(letter) }
                }
            }
        }
        try await world.settle()
        let text = try await adas.text()
        #expect(text.count { $0 == "a" } == 200)
        #expect(text.count { $0 == "b" } == 200)
        #expect(try await bens.text() == text)
        try await world.close()
    }

    @Test func `a relay that dies and comes back loses nothing`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await adas.append("before ")
        try await world.settle()
        try world.relay.stop()
        try await eventually(world.adas) { [space = world.adas] in
            try await space.status().connection != .online
        }
        try await adas.append("ada ")
        try await bens.append("ben ")
        try await adas.saved()
        #expect(try await world.adas.status().pendingCount > 0)
        try world.relay.start()
        try await world.settle()
        let text = try await adas.text()
        #expect(text.hasPrefix("before ") && text.contains("ada ") && text.contains("ben "))
        #expect(try await bens.text() == text)
        try await world.close()
    }

    @Test func `a relay that lost everything is filled again by those who wrote`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await adas.append("from Ada ")
        try await bens.append("from Ben ")
        try await world.settle()
        try world.relay.stop()
        world.relay.wipe()
        try world.relay.start()
        try await eventually(world.adas) { [space = world.adas] in
            try await space.status().isSynced
        }
        try await eventually(world.bens) { [space = world.bens] in
            try await space.status().isSynced
        }
        try await adas.append("again")
        try await world.settle()
        let cleo = try await Person("Cleo")
        let link = try await world.adas.invite()
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        let cleos = try await cleo.engine.join(link, name: "third", person: "Cleo")
        let notes = try await cleos.document(at: "notes")
        #expect(try await notes.text() == adas.text())
        await cleo.engine.close()
        try await world.close()
    }

    @Test func `edits made offline by both arrive when they connect`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await adas.write("one\ntwo\nthree\n")
        try await world.settle()
        await world.adas.disconnect()
        await world.bens.disconnect()
        try await adas.write("ONE\ntwo\nthree\n")
        try await bens.write("one\ntwo\nTHREE\n")
        try await world.adas.connect()
        try await world.bens.connect()
        try await world.settle()
        #expect(try await adas.text() == "ONE\ntwo\nTHREE\n")
        #expect(try await bens.text() == "ONE\ntwo\nTHREE\n")
        try await world.close()
    }

    @Test func `an edit at an older version merges with what came since`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await adas.edit([.insert("ac", at: 0)])
        let version = try await adas.frontier()
        try await adas.edit([.insert("0", at: 0)])
        try await adas.edit([.insert("b", at: 1)], at: version)
        #expect(try await adas.text() == "0abc")
        #expect(try await adas.text(at: version) == "ac")
        try await world.settle()
        #expect(try await bens.text() == "0abc")
        try await world.close()
    }

    @Test func `an edit that doesn't fit is refused and changes nothing`() async throws {
        let world = try await World()
        let (adas, _) = try await world.document("notes")
        try await adas.append("abc")
        let stranger = EventID(log: LogID(value: .zero), number: 7)
        await #expect(throws: SennitError.self) {
            try await adas.edit([.insert("x", at: 9)])
        }
        await #expect(throws: SennitError.self) {
            try await adas.edit([.insert("x", at: 0)], at: [stranger])
        }
        #expect(try await adas.text() == "abc")
        try await world.close()
    }

    @Test func `a profile that is opened again has the same text and goes on`() async throws {
        var world = try await World()
        let (adas, bens) = try await world.document("notes")
        try await adas.append("kept ")
        await world.adas.disconnect()
        try await adas.append("offline ")
        let text = try await adas.text()
        world.adas = try await world.ada.restart()
        let again = try await world.adas.document(at: "notes")
        #expect(try await again.text() == text)
        #expect(try await world.adas.status().connection == .offline)
        try await again.append("after")
        try await world.adas.connect()
        try await world.settle()
        #expect(try await bens.text() == "kept offline after")
        #expect(try await world.adas.search("offline").map(\.path) == ["notes"])
        try await world.close()
    }

    @Test func `another process can't open the profile`() async throws {
        let ada = try await Person("Ada")
        let location = ProfileLocation(directory: ada.directory.path + "/profile")
        let error = await #expect(throws: SennitError.self) {
            _ = try await Engine.open(location, command: "second")
        }
        #expect(error?.code == .profileInUse)
        await ada.engine.close()
    }

    @Test func `after closing every call says so`() async throws {
        let ada = try await Person("Ada")
        let space = try await ada.engine.found(name: "home", person: "Ada", relays: [])
        let notes = try await space.document(at: "notes", create: true)
        await ada.engine.close()
        await ada.engine.close()
        let error = await #expect(throws: SennitError.self) { try await notes.append("x") }
        #expect(error?.code == .closed)
        #expect(await !space.waitUntilSynced(timeout: .seconds(1)))
        for await _ in await space.updates() { Issue.record("nothing happens any more") }
    }

    @Test func `a long history written offline goes up in batches`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        await world.adas.disconnect()
        let line = String(repeating: "0123456789abcdef", count: 64)
        for number in 0..<600 { try await adas.append("\(number) \(line)\n") }
        try await world.adas.connect()
        try await world.settle()
        #expect(try await bens.text() == adas.text())
        try await world.close()
    }
}
