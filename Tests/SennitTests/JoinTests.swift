import Foundation
import RelayCore
import Sennit
import SennitDocument
import SennitSeal
import SennitWire
import Testing

@Suite(.timeLimit(.minutes(2)))
struct JoinTests {
    private func join(_ person: Person, _ link: String) async -> SennitError? {
        do {
            _ = try await person.engine.join(link, name: "x", person: person.name)
            Issue.record("the join should have failed")
            return nil
        } catch {
            return error
        }
    }

    @Test func `an invite lets in as many as it says`() async throws {
        let world = try await World()
        let link = try await world.adas.invite(uses: 1)
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        let cleo = try await Person("Cleo")
        _ = try await cleo.engine.join(link, name: "x", person: "Cleo")
        let adas = world.adas
        try await eventually(adas) { try await adas.members().count == 3 }
        #expect(await adas.waitUntilSynced(timeout: patience))
        let dora = try await Person("Dora")
        let error = await join(dora, link)
        #expect(error?.code == .inviteRefused)
        #expect(error?.hint != nil)
        #expect(await dora.engine.spaces.isEmpty)
        #expect(try await adas.members().map(\.name).sorted() == ["Ada", "Ben", "Cleo"])
        await cleo.engine.close()
        await dora.engine.close()
        try await world.close()
    }

    @Test func `what is no link, or is damaged, is refused at once`() async throws {
        let world = try await World()
        let dora = try await Person("Dora")
        let link = try await world.adas.invite()
        for text in ["", "hello", "sennit:1#", String(link.dropLast(3)), link + "AAAA"] {
            #expect(await join(dora, text)?.code == .invalidLink)
        }
        #expect(await join(dora, "sennit:9#abc")?.code == .needsUpdate)
        await dora.engine.close()
        try await world.close()
    }

    @Test func `a forged invite is refused, and nothing is left behind`() async throws {
        let world = try await World()
        let real = try InviteLink(text: try await world.adas.invite())
        let forged = try InviteLink(
            space: real.space,
            spaceNonce: real.spaceNonce,
            seed: SecretBytes([UInt8](repeating: 7, count: 16)),
            relays: real.relays
        )
        let dora = try await Person("Dora")
        #expect(await join(dora, forged.text)?.code == .inviteRefused)
        #expect(await dora.engine.spaces.isEmpty)
        await dora.engine.close()
        try await world.close()
    }

    @Test func `a relay that can't be reached is named`() async throws {
        let world = try await World()
        let link = try await world.adas.invite()
        try world.relay.stop()
        let dora = try await Person("Dora")
        let error = await join(dora, link)
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains(world.relay.url.dropFirst(5)) == true)
        #expect(await dora.engine.spaces.isEmpty)
        await dora.engine.close()
        await world.ada.engine.close()
        await world.ben.engine.close()
    }

    @Test func `a space that is here already is not joined twice`() async throws {
        let world = try await World()
        let link = try await world.adas.invite()
        #expect(await join(world.ben, link)?.code == .spaceExists)
        try await world.close()
    }

    @Test func `only an owner invites`() async throws {
        let world = try await World()
        let error = await #expect(throws: SennitError.self) { try await world.bens.invite() }
        #expect(error?.code == .notOwner)
        try await world.close()
    }

    @Test func `a reader reads and may not write`() async throws {
        let world = try await World()
        let (adas, _) = try await world.document("notes")
        try await adas.append("look")
        let link = try await world.adas.invite(role: .reader)
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        let rhea = try await Person("Rhea")
        let space = try await rhea.engine.join(link, name: "x", person: "Rhea")
        let notes = try await space.document(at: "notes")
        #expect(try await notes.text() == "look")
        let error = await #expect(throws: SennitError.self) { try await notes.append("!") }
        #expect(error?.code == .readOnly)
        await rhea.engine.close()
        try await world.close()
    }

    @Test func `progress is told in order`() async throws {
        let world = try await World()
        let link = try await world.adas.invite()
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        let dora = try await Person("Dora")
        let (steps, continuation) = AsyncStream.makeStream(of: JoinProgress.self)
        _ = try await dora.engine.join(link, name: "x", person: "Dora") {
            continuation.yield($0)
        }
        continuation.finish()
        var seen: [JoinProgress] = []
        for await step in steps { seen.append(step) }
        #expect(seen.first == .connecting(relay: world.relay.url))
        #expect(seen.last == .joining)
        await dora.engine.close()
        try await world.close()
    }

    @Test func `a join that is cut off after its first entry goes on by itself`() async throws {
        let world = try await World()
        let (adas, _) = try await world.document("notes")
        try await adas.append("kept")
        let link = try await world.adas.invite()
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        var dora = try await Person("Dora")
        let server = world.relay.server
        let error = await #expect(throws: SennitError.self) {
            _ = try await dora.engine.join(link, name: "x", person: "Dora") { step in
                guard step == .joining else { return }
                // Stopping waits for the relay's own threads, which no event loop may do.
                let isStopped = DispatchSemaphore(value: 0)
                Thread.detachNewThread {
                    try? server.stop()
                    isStopped.signal()
                }
                isStopped.wait()
            }
        }
        #expect(error?.hint?.contains("the space is kept") == true)
        #expect(await dora.engine.spaces.map(\.isJoining) == [true])
        let space = try await dora.restart()
        #expect(try await space.document(at: "notes").text() == "kept")
        try world.relay.start()
        try await space.connect()
        #expect(await space.waitUntilSynced(timeout: patience))
        try await space.document(at: "notes").append("!")
        #expect(await space.waitUntilSynced(timeout: patience))
        try await eventually(world.adas) { try await adas.text() == "kept!" }
        await dora.engine.close()
        try await world.close()
    }

    @Test func `a newcomer is told everything that was there before`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("notes")
        for number in 0..<50 {
            try await adas.append("a\(number) ")
            try await bens.append("b\(number) ")
        }
        try await world.settle()
        let link = try await world.adas.invite()
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        let dora = try await Person("Dora")
        let space = try await dora.engine.join(link, name: "x", person: "Dora")
        #expect(try await space.document(at: "notes").text() == adas.text())
        await dora.engine.close()
        try await world.close()
    }
}
