import ArgumentParser
import Dispatch
import Foundation
import RelayCore

/// `sennit-relay serve`
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves until it is told to stop by SIGTERM or SIGINT.",
        usage: """
            sennit-relay serve --data /var/lib/sennit-relay
            sennit-relay serve --data DIR --listen 0.0.0.0:7433 --certificate PEM --key PEM
            """
    )

    @Option(help: "The directory for the relay's data; it is made if it doesn't exist.")
    var data: String

    @Option(help: "Where to listen; port 0 takes any that is free.")
    var listen = "127.0.0.1:7433"

    @Option(help: "The certificate with its chain, for TLS by the relay itself.")
    var certificate: String?

    @Option(help: "The certificate's private key.")
    var key: String?

    @Option(help: "A file that is given the relay's URL once it is ready.")
    var readyFile: String?

    @Option(help: "How much to log: debug, info, notice, warning or error.")
    var logLevel = "info"

    func validate() throws {
        guard ListenAddress(listen) != nil else {
            throw ValidationError("--listen takes HOST:PORT, for example 127.0.0.1:7433")
        }
        guard (certificate == nil) == (key == nil) else {
            throw ValidationError("--certificate and --key come together")
        }
        guard RelayLog.isLevel(logLevel) else {
            throw ValidationError("--log-level takes debug, info, notice, warning or error")
        }
    }

    func run() throws {
        guard let address = ListenAddress(listen) else { throw ExitCode.validationFailure }
        // Watched before anything is opened, so that no signal ends the process half-way.
        let stopped = StopSignal()
        var configuration = RelayServer.Configuration(
            directory: data,
            host: address.host,
            port: address.port
        )
        if let certificate, let key {
            configuration.certificate = (chainPath: certificate, keyPath: key)
        }
        do {
            let server = try RelayServer(configuration, logger: RelayLog.standardError(logLevel))
            try announce(server.url)
            stopped.wait()
            try server.stop()
        } catch let error as RelayError {
            fail(error)
        }
    }

    private func announce(_ url: String) throws {
        if let readyFile {
            try Data("\(url)\n".utf8).write(to: URL(fileURLWithPath: readyFile), options: .atomic)
        }
        FileHandle.standardOutput.write(Data("sennit-relay: listening on \(url)\n".utf8))
    }
}

/// HOST:PORT, with an IPv6 address in brackets.
struct ListenAddress: Hashable {
    let host: String
    let port: Int

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]), (0...65535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.host = String(host)
        self.port = port
    }
}

/// Waits for SIGTERM or SIGINT.
final class StopSignal {
    private let semaphore = DispatchSemaphore(value: 0)
    private var sources: [any DispatchSourceSignal] = []

    init() {
        for number in [SIGTERM, SIGINT] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [semaphore] in semaphore.signal() }
            source.resume()
            sources.append(source)
        }
    }

    func wait() { semaphore.wait() }
}

/// Ends the process with the error's sentence.
func fail(_ error: RelayError) -> Never {
    FileHandle.standardError.write(Data("sennit-relay: error: \(error)\n".utf8))
    exit(1)
}
