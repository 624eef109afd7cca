import Foundation
import Logging
import NIOSSL
import SennitWire
import Testing

@testable import RelayCore

@Suite(.timeLimit(.minutes(2)))
struct TLSTests {
    // For `localhost`, signed by itself, valid for a hundred years, used for nothing but this test.
    static let certificate = """
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
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJh0WoBtQn4vvWaEw
        qqVuqFOIIE7UOrebWgH5gG7E2luhRANCAARBbp88DFL07sEJ+nfRwizJZ7lnfMzN
        ZCq70dY7Ehe+1kT72o/eEWcLkz9sue6N2nzSYmUVWYeyJzPO01ovqMpo
        -----END PRIVATE KEY-----
        """

    // Another one of the same kind, for what comes after a reload.
    private static let otherCertificate = """
        -----BEGIN CERTIFICATE-----
        MIIBlDCCATugAwIBAgIUeCwnc1JP+q7hkSwnOX9uAHuvjnIwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTE4Mjk1OVoYDzIxMjYxMTAx
        MTgyOTU5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAATI+mOd1Cs/mESeJxV2BWmRWrRWnUfG6oTl30Gx5zNqoRWkOfcIr1MH
        6m7X5Br0BGlOBfAGiqgB8Xo03ookmTi0o2kwZzAdBgNVHQ4EFgQUe6YL/FKILcEq
        11ozD2v944MfqGYwHwYDVR0jBBgwFoAUe6YL/FKILcEq11ozD2v944MfqGYwDwYD
        VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
        RwAwRAIgA/sD04JBN6akjvfQkZ6CeTKNPSAXRMmMYLScNPBZXPwCIDsrHLhbUsxQ
        0iBiNGyHLO1DU31q05ODiDw+dqhJUCjd
        -----END CERTIFICATE-----
        """
    private static let otherKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUV8idKz81d6+Gu5O
        q3ip4uDPKGDcjXYvGrKt/CENJCChRANCAATI+mOd1Cs/mESeJxV2BWmRWrRWnUfG
        6oTl30Gx5zNqoRWkOfcIr1MH6m7X5Br0BGlOBfAGiqgB8Xo03ookmTi0
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

    @Test func `who is turned away over TLS is told so, as long as that is cheap`() async throws {
        var configuration = RelayServer.Configuration(directory: directory.path + "/data")
        configuration.certificate = try files()
        configuration.limits.maximumConnectionCount = 1
        let server = try RelayServer(configuration, logger: logger)
        var client = TLSConfiguration.makeClientConfiguration()
        client.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(TLSTests.certificate.utf8))
        )
        let tls = try NIOSSLContext(configuration: client)
        let member = try await RelayClient.connect(port: server.port, tls: tls)
        let genesis = TestDevice(1).genesis()
        try await member.greet(genesis.spaceID, as: TestDevice(1))
        _ = try await member.next()
        member.send(.found(genesis))
        #expect(try await member.next() == .welcome(Welcome(access: nil, logs: [])))
        let next = try await RawSocket(port: server.port, tls: tls)
        let answer = String(decoding: try await next.untilClosed(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        // Whoever begins no handshake has no hold on the relay for it.
        let silent = try await RawSocket(port: server.port)
        _ = try await silent.untilClosed()
        #expect(server.relay.doorman.figures.fullCount == 2)
        try server.stop()
    }

    /// Connects and trusts one certificate only.
    private func connect(_ server: RelayServer, trusting certificate: String) async throws {
        var client = TLSConfiguration.makeClientConfiguration()
        client.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
        )
        client.applicationProtocols = ["h2", "http/1.1"]
        let tls = try NIOSSLContext(configuration: client)
        let relay = try await RelayClient.connect(port: server.port, tls: tls)
        try await relay.greet(TestDevice(1).genesis().spaceID, as: TestDevice(1))
        _ = try await relay.next()
    }

    @Test
    func `a reload gives new connections the new certificate, and a broken one changes nothing`()
        async throws
    {
        let paths = try files()
        var settings = RelaySettings(directory: directory.path + "/data")
        settings.listen = ListenAddress(host: "127.0.0.1", port: 0)
        (settings.certificatePath, settings.keyPath) = (paths.chainPath, paths.keyPath)
        let telemetry = Telemetry()
        let server = try RelayServer(
            RelayServer.Configuration(settings),
            logger: logger,
            telemetry: telemetry
        )
        try await connect(server, trusting: TLSTests.certificate)
        #expect(telemetry.metricsText().contains("certificate_reloads_total 0\n"))
        // Only the certificate is written yet: it and the key don't go together.
        try Data(TLSTests.otherCertificate.utf8).write(to: URL(fileURLWithPath: paths.chainPath))
        #expect(throws: RelayError.self) { try server.reload(settings, instead: settings) }
        try await connect(server, trusting: TLSTests.certificate)
        #expect(telemetry.metricsText().contains("certificate_reload_failures_total 1\n"))
        try Data(TLSTests.otherKey.utf8).write(to: URL(fileURLWithPath: paths.keyPath))
        #expect(try server.reload(settings, instead: settings) == [])
        try await connect(server, trusting: TLSTests.otherCertificate)
        await #expect(throws: (any Error).self) {
            try await connect(server, trusting: TLSTests.certificate)
        }
        let text = telemetry.metricsText()
        #expect(text.contains("certificate_reloads_total 1\n"))
        let certificate = try NIOSSLCertificate.fromPEMBytes(Array(TLSTests.otherCertificate.utf8))
        let expiry = try #require(certificate.first?.notValidAfter)
        #expect(text.contains("certificate_expiry_timestamp_seconds \(expiry)\n"))
        var without = settings
        (without.certificatePath, without.keyPath) = (nil, nil)
        #expect(try server.reload(without, instead: settings) == ["tls.certificate", "tls.key"])
        try server.stop()
    }

    @Test func `versions of TLS before 1.2 are refused`() async throws {
        var configuration = RelayServer.Configuration(directory: directory.path + "/data")
        configuration.certificate = try files()
        let server = try RelayServer(configuration, logger: logger)
        var client = TLSConfiguration.makeClientConfiguration()
        client.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(TLSTests.certificate.utf8))
        )
        client.minimumTLSVersion = .tlsv1
        client.maximumTLSVersion = .tlsv11
        let tls = try NIOSSLContext(configuration: client)
        await #expect(throws: (any Error).self) {
            _ = try await RelayClient.connect(port: server.port, tls: tls)
        }
        try server.stop()
    }

    @Test func `a key that isn't the certificate's is named`() throws {
        let paths = try files()
        try Data(TLSTests.otherKey.utf8).write(to: URL(fileURLWithPath: paths.keyPath))
        var configuration = RelayServer.Configuration(directory: directory.path + "/data")
        configuration.certificate = paths
        #expect(
            throws: RelayError.certificate(
                path: paths.chainPath,
                reason: "it doesn't go with the key \(paths.keyPath)"
            )
        ) {
            try configuration.checkFiles()
        }
    }

    @Test func `a certificate that can't be used is named`() throws {
        let paths = try files()
        try Data("no key".utf8).write(to: URL(fileURLWithPath: paths.keyPath))
        var configuration = RelayServer.Configuration(directory: directory.path + "/data")
        configuration.certificate = paths
        let error = #expect(throws: RelayError.self) {
            _ = try RelayServer(configuration, logger: logger)
        }
        guard case .certificate(paths.keyPath, "no private key in PEM") = error else {
            Issue.record("it is \(String(describing: error))")
            return
        }
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/data"))
    }
}
