import Foundation
import Sennit
import SennitDocument
import SennitSeal
import SennitWire
import Testing

// Over real sockets. Numbers are those of the attacks in docs/SECURITY.md.

@Suite(.timeLimit(.minutes(2)))
struct MembersTests {
    private func device(of name: String, in space: Space) async throws -> DeviceKey {
        try await eventually(space) {
            try await space.members().contains { $0.name == name }
        }
        return try #require(try await space.members().first { $0.name == name }?.device)
    }

    @Test func `who is removed writes no more, and nobody else notices`() async throws {
        let world = try await World()
        let (adas, bens) = try await world.document("plan")
        try await adas.edit([.insert("one ", at: 0)])
        try await world.settle()
        try await bens.edit([.insert("two", at: 4)])
        try await world.settle()
        let ben = try await device(of: "Ben", in: world.adas)
        try await world.adas.remove([ben])
        #expect(try await world.adas.members().map(\.name) == ["Ada"])
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        let left = world.bens
        try await eventually(left) {
            let status = try await left.status()
            return status.findings.contains { $0.kind == .leftOut }
                || status.connection != .online
        }
        #expect(try await adas.text() == "one two")
        try await adas.edit([.insert("zero ", at: 0)])
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        #expect(try await adas.text() == "zero one two")
        #expect(try await bens.text() == "one two", "29: he has no key for it")
        try await world.close()
    }

    @Test func `26: what the removed wrote meanwhile is taken back where it was applied`()
        async throws
    {
        var world = try await World()
        let link = try await world.adas.invite()
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        let cleo = try await Person("Cleo")
        let cleos = try await cleo.engine.join(link, name: "x", person: "Cleo")
        let (adas, bens) = try await world.document("plan")
        try await adas.edit([.insert("ours", at: 0)])
        try await world.settle()
        #expect(await cleos.waitUntilSynced(timeout: patience))
        let theirs = try await cleos.document(at: "plan")
        // Ada hears nothing of what Ben writes, Cleo does and builds nothing on it.
        await world.adas.disconnect()
        try await bens.edit([.insert("BEN ", at: 0)])
        #expect(await world.bens.waitUntilSynced(timeout: patience))
        try await eventually(cleos) { try await theirs.text() == "BEN ours" }
        let ben = try await device(of: "Ben", in: world.adas)
        try await world.adas.remove([ben])
        try await world.adas.connect()
        try await eventually(cleos) { try await theirs.text() == "ours" }
        #expect(try await adas.text() == "ours")
        for space in [world.adas, cleos] {
            #expect(await space.waitUntilSynced(timeout: patience))
            let findings = try await space.status().findings
            #expect(findings.contains { $0.kind == .setAside && $0.author == "Ben" })
            #expect(!findings.contains { $0.kind == .forked || $0.kind == .corrupt })
        }
        try await theirs.edit([.insert(" still", at: 4)])
        #expect(await cleos.waitUntilSynced(timeout: patience))
        let again = try await world.ada.restart()
        try await again.connect()
        let adasAgain = try await again.document(at: "plan")
        try await eventually(again) { try await adasAgain.text() == "ours still" }
        await cleo.engine.close()
        try await world.close()
    }

    @Test func `28: what somebody built on stays`() async throws {
        let world = try await World()
        let link = try await world.adas.invite()
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        let cleo = try await Person("Cleo")
        let cleos = try await cleo.engine.join(link, name: "x", person: "Cleo")
        let (adas, bens) = try await world.document("plan")
        try await world.settle()
        #expect(await cleos.waitUntilSynced(timeout: patience))
        let theirs = try await cleos.document(at: "plan")
        await world.adas.disconnect()
        try await bens.edit([.insert("BEN", at: 0)])
        #expect(await world.bens.waitUntilSynced(timeout: patience))
        try await eventually(cleos) { try await theirs.text() == "BEN" }
        try await theirs.edit([.insert(" and Cleo", at: 3)])
        #expect(await cleos.waitUntilSynced(timeout: patience))
        let ben = try await device(of: "Ben", in: world.adas)
        try await world.adas.remove([ben])
        try await world.adas.connect()
        let mine = world.adas
        try await eventually(mine) { try await adas.text() == "BEN and Cleo" }
        #expect(await cleos.waitUntilSynced(timeout: patience))
        #expect(try await theirs.text() == "BEN and Cleo")
        await cleo.engine.close()
        try await world.close()
    }

    @Test func `42: a revoked invite lets nobody in`() async throws {
        let world = try await World()
        let link = try await world.adas.invite(uses: 3)
        let open = try await world.adas.invites()
        #expect(open.map(\.remainingUses) == [3])
        try await world.adas.revoke(open.map(\.key))
        #expect(try await world.adas.invites().isEmpty)
        #expect(await world.adas.waitUntilSynced(timeout: patience))
        let dora = try await Person("Dora")
        do {
            _ = try await dora.engine.join(link, name: "x", person: "Dora")
            Issue.record("a revoked invite let somebody in")
        } catch {
            #expect(error.code == .inviteRefused)
        }
        await dora.engine.close()
        try await world.close()
    }

    @Test func `a second owner can do what an owner can`() async throws {
        let world = try await World()
        let ben = try await device(of: "Ben", in: world.adas)
        do {
            _ = try await world.bens.invite()
            Issue.record("a writer opened an invite")
        } catch {
            #expect(error.code == .notOwner)
        }
        try await world.adas.setRole(.owner, of: [ben])
        let bens = world.bens
        try await eventually(bens) {
            try await bens.members().contains { $0.isOwn && $0.role == .owner }
        }
        let link = try await world.bens.invite()
        #expect(await world.bens.waitUntilSynced(timeout: patience))
        let cleo = try await Person("Cleo")
        _ = try await cleo.engine.join(link, name: "x", person: "Cleo")
        try await world.bens.rotate()
        let adas = world.adas
        try await eventually(adas) { try await adas.members().count == 3 }
        await cleo.engine.close()
        try await world.close()
    }
}
