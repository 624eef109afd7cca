import RelayCore
import RelayStorage
import Sennit
import Testing

@Suite(.timeLimit(.minutes(2)))
struct QuotaTests {
    @Test func `over a quota, what is typed stays here and the status says why`() async throws {
        let world = try await World()
        let (mine, theirs) = try await world.document("list.md")
        try await world.settle()
        var policy = RelayPolicy()
        policy.spaceQuota.maximumByteCount = 1
        world.relay.server.setPolicy(policy)
        try await mine.write("milk\n")
        let adas = world.adas
        try await eventually(adas) { try await adas.status().connectionNote != nil }
        let status = try await adas.status()
        #expect(status.connection == .online)
        #expect(status.connectionNote == "the space's 1 bytes on this relay are used up")
        #expect(status.unackedCount > 0)
        #expect(status.findings.isEmpty)
        #expect(try await mine.text() == "milk\n")
        world.relay.server.setPolicy(RelayPolicy())
        await adas.disconnect()
        try await adas.connect()
        #expect(await adas.waitUntilSynced(timeout: patience))
        #expect(try await adas.status().connectionNote == nil)
        try await eventually(world.bens) { try await theirs.text() == "milk\n" }
        try await world.close()
    }
}
