import Foundation
import NIOCore
import NIOPosix
import NIOSSL

@testable import RelayCore

/// A proxy in a process of its own that does TLS with the tests' certificate.
final class Proxy {
    let port: Int
    private let process = Process()
    private let directory = TestDirectory()

    struct NotStarted: Error { let output: String }

    /// - Parameter arguments: for a port and the files of the certificate.
    init(
        _ program: String,
        arguments: (Int, (chainPath: String, keyPath: String)) throws -> [String]
    ) async throws {
        try FileManager.default.createDirectory(
            atPath: directory.path,
            withIntermediateDirectories: true
        )
        let files = (directory.path + "/chain.pem", directory.path + "/key.pem")
        try Data(TLSTests.certificate.utf8).write(to: URL(fileURLWithPath: files.0))
        try Data(TLSTests.key.utf8).write(to: URL(fileURLWithPath: files.1))
        port = try await Proxy.freePort()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = try arguments(port, files)
        process.environment = ["HOME": directory.path, "PATH": "/usr/bin:/bin"]
        let logPath = directory.path + "/output"
        _ = FileManager.default.createFile(atPath: logPath, contents: nil)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: logPath)
        try process.run()
        while await !Proxy.isOpen(port) {
            guard process.isRunning else {
                throw NotStarted(output: try String(contentsOfFile: logPath, encoding: .utf8))
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    deinit {
        // Threads of a pool block most signals, and what they start inherits that; not this one.
        if process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    /// A device that trusts the certificate and connects to the proxy.
    func connect() async throws -> RelayClient {
        try await RelayClient.connect(port: port, tls: context())
    }

    /// The same, for any bytes.
    func socket() async throws -> RawSocket {
        try await RawSocket(port: port, tls: context())
    }

    private func context() throws -> NIOSSLContext {
        var client = TLSConfiguration.makeClientConfiguration()
        client.trustRoots = .certificates(
            try NIOSSLCertificate.fromPEMBytes(Array(TLSTests.certificate.utf8))
        )
        // Devices offer nothing else, and no proxy is to choose HTTP/2 for a WebSocket.
        client.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: client)
    }

    /// Neither program can be told to take any port that is free.
    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        return port
    }

    private static func isOpen(_ port: Int) async -> Bool {
        guard let socket = try? await RawSocket(port: port) else { return false }
        try? await socket.close()
        return true
    }
}
