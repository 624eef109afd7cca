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
            sennit-relay serve
            sennit-relay serve --data DIR --listen 0.0.0.0:7433 --certificate PEM --key PEM
            sennit-relay serve --config FILE --log-level debug
            """,
        discussion: SettingsText.help(SettingsOptions.defaults)
    )

    @Option(help: "A file that is given the relay's URL once it is ready.")
    var readyFile: String?

    @OptionGroup var options: SettingsOptions

    func run() throws {
        let effective = try options.readOrFail()
        let settings = effective.settings
        // Watched before anything is opened, so that no signal ends the process half-way.
        let stopped = StopSignal()
        do {
            let server = try RelayServer(
                RelayServer.Configuration(settings),
                storage: try SharedStorage.open(settings),
                logger: RelayLog.standardError(settings.logLevel)
            )
            server.onRequest(reload: nil) { stopped.stop() }
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

/// Waits for SIGTERM or SIGINT.
final class StopSignal: @unchecked Sendable {
    // Sendable: `sources` is written before anybody else has it.
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

    /// Stops as a signal would.
    func stop() { semaphore.signal() }
}
