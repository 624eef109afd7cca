import Foundation
import Logging
import NIOSSL
import RelayCore
import SennitWire
import Testing

@Suite(.timeLimit(.minutes(2)))
struct TLSTests {
    // For `localhost`, signed by itself, valid for a hundred years, used for nothing but this test.
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

    /// Writes the two files and gives their paths.
    private func files() throws -> (chainPath: String, keyPath: String) {
        try FileManager.default.createDirectory(
            atPath: directory.path,
            withIntermediateDirectories: true
        )
        let paths = (directory.path + "/chain.pem", directory.path + "/key.pem")
        try Data(TLSTests.certificate.utf8).write(to: URL(fileURLWithPath: paths.0))
        try Data(TLSTests.key.utf8).write(to: URL(fileURLWithPath: paths.1))
        return paths
    }

    private var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    @Test func `a device that trusts the certificate appends over TLS`() async throws {
        var configuration = RelayServer.Configuration(directory: directory.path + "/data")
        configuration.certificate = try files()
        let server = try RelayServer(configuration, logger: logger)
        #expect(server.url == "wss://127.0.0.1:\(server.port)")
        var client = TLSConfiguration.makeClientConfiguration()
        client.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(TLSTests.certificate.utf8))
        )
        let relay = try await RelayClient.connect(
            port: server.port,
            tls: NIOSSLContext(configuration: client)
        )
        let founder = TestDevice(1)
        let genesis = founder.genesis()
        try await relay.greet(genesis.spaceID, as: founder)
        _ = try await relay.next()
        relay.send(.found(genesis))
        #expect(try await relay.next() == .welcome(Welcome(access: nil, logs: [])))
        var log = TestLog(founder, genesis.spaceID)
        let answer = try await relay.append(log.add(count: 2, byteCount: 100_000))
        #expect(answer == .ack(log.ack(2)))
        await #expect(throws: (any Error).self) {
            _ = try await RelayClient.connect(port: server.port)
        }
        try server.stop()
    }

    @Test func `a certificate that can't be used is named`() throws {
        let paths = try files()
        try Data("no key".utf8).write(to: URL(fileURLWithPath: paths.keyPath))
        var configuration = RelayServer.Configuration(directory: directory.path + "/data")
        configuration.certificate = paths
        let error = #expect(throws: RelayError.self) {
            _ = try RelayServer(configuration, logger: logger)
        }
        guard case .certificate(paths.chainPath, _) = error else {
            Issue.record("it is \(String(describing: error))")
            return
        }
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/data"))
    }
}
