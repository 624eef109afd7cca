import Foundation
import Logging
import RelayCore
import Sennit
import SennitDocument
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ConnectionTests {
    // For `localhost`, signed by itself, used for nothing but this test.
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBlDCCATugAwIBAgIUM1/6PWgY4JPZWINutlsd9C89NZMwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjIxMzkzMloYDzIxMjYxMDI5
        MjEzOTMyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAARBbp88DFL07sEJ+nfRwizJZ7lnfMzNZCq70dY7Ehe+1kT72o/eEWcL
        kz9sue6N2nzSYmUVWYeyJzPO01ovqMpoo2kwZzAdBgNVHQ4EFgQU9EoDaWDvhl6J
        Y5QAtcMk37j/eAQwHwYDVR0jBBgwFoAU9EoDaWDvhl6JY5QAtcMk37j/eAQwDwYD
        VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
        RwAwRAIgRqEkHyBtKD8BOkVnTncRKGOxShxaY34y2JHpPOdWodcCIE7qEaAoXb27
        LfhB/8dbk3UYSx54pnA9WE1horpCSiqV
        -----END CERTIFICATE-----
        """
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJh0WoBtQn4vvWaEw
        qqVuqFOIIE7UOrebWgH5gG7E2luhRANCAARBbp88DFL07sEJ+nfRwizJZ7lnfMzN
        ZCq70dY7Ehe+1kT72o/eEWcLkz9sue6N2nzSYmUVWYeyJzPO01ovqMpo
        -----END PRIVATE KEY-----
        """

    let directory = TestDirectory()

    private func engine(_ certificateFile: String? = nil) async throws -> Engine {
        try await Engine.open(
            ProfileLocation(directory: directory.path + "/" + UUID().uuidString),
            command: "test",
            options: Engine.Options(certificateFile: certificateFile)
        )
    }

    private func secureRelay() throws -> (server: RelayServer, certificateFile: String) {
        let paths = (directory.path + "/chain.pem", directory.path + "/key.pem")
        try Data(ConnectionTests.certificate.utf8).write(to: URL(fileURLWithPath: paths.0))
        try Data(ConnectionTests.key.utf8).write(to: URL(fileURLWithPath: paths.1))
        var configuration = RelayServer.Configuration(directory: directory.path + "/relay")
        configuration.certificate = (chainPath: paths.0, keyPath: paths.1)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return (try RelayServer(configuration, logger: logger), paths.0)
    }

    /// What is wrong with connecting to an address.
    private func trouble(_ url: String, _ engine: Engine) async throws -> SennitError {
        let space = try await engine.found(name: "x", person: "Ada", relays: [url])
        try await space.connect()
        try await eventually(space) { await space.trouble() != nil }
        let status = try await space.status()
        #expect(status.connection != .online)
        #expect(status.connectionNote?.isEmpty == false)
        let trouble = try #require(await space.trouble())
        await engine.close()
        return trouble
    }

    @Test func `a relay with a certificate that is trusted is used`() async throws {
        let (server, certificateFile) = try secureRelay()
        let engine = try await engine(certificateFile)
        let url = "wss://localhost:\(server.port)"
        let space = try await engine.found(name: "x", person: "Ada", relays: [url])
        try await space.connect()
        let document = try await space.document(at: "big", create: true)
        // More than one TLS record and one batch.
        try await document.write(String(repeating: "0123456789abcdef", count: 1 << 15))
        #expect(await space.waitUntilSynced(timeout: patience))
        await engine.close()
        try server.stop()
    }

    @Test func `a certificate that nobody vouches for is refused by name`() async throws {
        let (server, _) = try secureRelay()
        let error = try await trouble("wss://localhost:\(server.port)", engine())
        #expect(error.code == .insecure)
        #expect(error.hint != nil)
        try server.stop()
    }

    @Test func `a certificate for another name is refused`() async throws {
        let (server, certificateFile) = try secureRelay()
        let error = try await trouble("wss://127.0.0.1:\(server.port)", engine(certificateFile))
        #expect(error.code == .insecure)
        try server.stop()
    }

    @Test func `a relay without TLS at a wss address is told apart`() async throws {
        let relay = try TestRelay()
        let error = try await trouble("wss://localhost:\(relay.server.port)", engine())
        #expect(error.code == .insecure)
        #expect(error.hint?.contains("ws://") == true)
        try relay.stop()
    }

    @Test func `where nothing listens the address is named`() async throws {
        let relay = try TestRelay()
        try relay.stop()
        let error = try await trouble(relay.url, engine())
        #expect(error.code == .unreachable)
        #expect(error.message.contains("127.0.0.1"))
    }

    @Test func `a web server that isn't a relay is told apart`() async throws {
        let relay = try TestRelay()
        let error = try await trouble(relay.url + "/elsewhere", engine())
        #expect(error.code == .notARelay)
        try relay.stop()
    }

    @Test func `a name that nobody knows is named`() async throws {
        let error = try await trouble("ws://nowhere.invalid:7070", engine())
        #expect(error.code == .unreachable)
        #expect(error.message.contains("nowhere.invalid"))
    }

    @Test func `when the first relay fails the second is used`() async throws {
        let gone = try TestRelay()
        try gone.stop()
        let relay = try TestRelay()
        let engine = try await engine()
        let space = try await engine.found(
            name: "x",
            person: "Ada",
            relays: [gone.url, relay.url]
        )
        try await space.connect()
        #expect(await space.waitUntilSynced(timeout: patience))
        #expect(try await space.status().relay == relay.url)
        await engine.close()
        try relay.stop()
    }

    @Test func `a status survives JSON`() async throws {
        let world = try await World()
        try await world.settle()
        let status = try await world.adas.status()
        let decoded = try JSONDecoder().decode(
            SpaceStatus.self,
            from: try JSONEncoder().encode(status)
        )
        #expect(decoded == status)
        // What came last may still be on its way to the disk.
        let adas = world.adas
        try await eventually(adas) { try await adas.status().isSynced }
        #expect(status.logs.count == 2)
        #expect(status.logs.count(where: \.isOwn) == 1)
        try await world.close()
    }
}
