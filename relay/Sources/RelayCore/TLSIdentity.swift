import NIOSSL
import Synchronization

/// The certificate that connections are given, which may be replaced while the relay runs.
final class TLSIdentity: Sendable {
    /// The files that it comes from, in PEM.
    struct Files: Hashable, Sendable {
        let chainPath: String
        let keyPath: String
    }

    private struct State {
        var context: NIOSSLContext
        var figures: Telemetry.CertificateFigures
    }

    private let state: Mutex<State>

    /// Reads the files.
    /// - Throws: `certificate`.
    init(_ files: Files) throws(RelayError) {
        let (context, expiry) = try TLSIdentity.read(files)
        state = Mutex(State(context: context, figures: .init(expiry: expiry)))
    }

    /// For the next connection.
    var context: NIOSSLContext { state.withLock { $0.context } }

    var figures: Telemetry.CertificateFigures { state.withLock { $0.figures } }

    /// Reads the files again. Connections that come from now on are given what is in them; if they
    /// can't be used, what was there before stays.
    /// - Returns: until when the certificate is valid, in seconds since 1970.
    /// - Throws: `certificate`.
    func reload(_ files: Files) throws(RelayError) -> Int64 {
        do throws(RelayError) {
            let (context, expiry) = try TLSIdentity.read(files)
            state.withLock { state in
                state.context = context
                state.figures.expiry = expiry
                state.figures.reloadCount += 1
            }
            return expiry
        } catch {
            state.withLock { $0.figures.failedReloadCount += 1 }
            throw error
        }
    }

    private static func read(
        _ files: Files
    ) throws(RelayError) -> (context: NIOSSLContext, expiry: Int64) {
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(files.chainPath) } catch {
            throw .certificate(
                path: files.chainPath,
                reason: reason(error, "no certificate in PEM")
            )
        }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(file: files.keyPath, format: .pem) } catch {
            throw .certificate(path: files.keyPath, reason: reason(error, "no private key in PEM"))
        }
        guard let first = chain.first else {
            throw .certificate(path: files.chainPath, reason: "there is no certificate in it")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        // WebSocket is spoken over HTTP/1.1; a client that offers more must not take it up.
        configuration.applicationProtocols = ["http/1.1"]
        do {
            let context = try NIOSSLContext(configuration: configuration)
            return (context, Int64(first.notValidAfter))
        } catch {
            throw .certificate(
                path: files.chainPath,
                reason: "it doesn't go with the key \(files.keyPath)"
            )
        }
    }

    private static func reason(_ error: any Error, _ what: String) -> String {
        if let error = error as? NIOSSLError, case .failedToLoadCertificate = error { return what }
        if let error = error as? NIOSSLError, case .failedToLoadPrivateKey = error { return what }
        return "\(error)"
    }
}
