import ArgumentParser
import Foundation
import Logging
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
        // Watched before anything is opened, so that no signal ends the process half-way.
        let signals = Signals()
        do {
            var service = Service(options, effective)
            try service.run(signals.inbox, announce: announce)
        } catch let error as RelayError {
            Systemd.notify("STATUS=\(error)")
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

/// A relay with what belongs around it: the log, the listener for metrics, signals, systemd.
private struct Service {
    private let options: SettingsOptions
    private var effective: EffectiveSettings
    private let log: RelayLog
    private let logger: Logger
    private let telemetry = Telemetry()

    init(_ options: SettingsOptions, _ effective: EffectiveSettings) {
        self.options = options
        self.effective = effective
        let settings = effective.settings
        let isText = settings.logFormat == "text"
        let isJournal = ProcessInfo.processInfo.environment["JOURNAL_STREAM"] != nil
        log = RelayLog(
            level: settings.logLevel,
            format: isText ? (isJournal ? .journal : .text) : .json
        )
        logger = log.logger
    }

    mutating func run(_ signals: Signals.Inbox, announce: (String) throws -> Void) throws {
        let (listener, refusal) = try listenForMetrics()
        defer { listener?.stop() }
        Systemd.notify("STATUS=Opening the storage.")
        let server = try RelayServer(
            RelayServer.Configuration(effective.settings),
            storage: try SharedStorage.open(effective.settings),
            logger: logger,
            telemetry: telemetry
        )
        server.onRequest(
            reload: { signals.send(.reload) },
            drain: { signals.send(.stop) }
        )
        tell(listener, refusal)
        try announce(server.url)
        Systemd.notify("READY=1\nSTATUS=Listening on \(server.url).")
        let watchdog = Watchdog(server)
        loop: while true {
            switch signals.next() {
            case .stop: break loop
            case .reload: reload(server)
            }
        }
        Systemd.notify("STOPPING=1\nSTATUS=Stopping.")
        watchdog?.cancel()
        try server.stop(within: effective.settings.stopTimeout)
    }

    /// Listens where metrics are asked for. Where nobody chose the address and another relay of
    /// this machine has it already, that is no reason not to serve.
    private func listenForMetrics() throws(RelayError) -> (TelemetryServer?, RelayError?) {
        guard let address = effective.settings.metricsListen else { return (nil, nil) }
        do throws(RelayError) {
            return (try TelemetryServer(address, telemetry), nil)
        } catch {
            guard effective.source(of: "metrics.listen") == .standard else { throw error }
            return (nil, error)
        }
    }

    private func tell(_ listener: TelemetryServer?, _ refusal: RelayError?) {
        if let listener, let host = effective.settings.metricsListen?.host {
            let address = ListenAddress(host: host, port: listener.port)
            logger.info("metrics", metadata: ["url": "http://\(address)/metrics"])
        }
        if let refusal { logger.warning("no metrics", metadata: ["reason": "\(refusal)"]) }
    }

    private mutating func reload(_ server: RelayServer) {
        guard let new = try? options.read() else {
            logger.error("settings not reloaded", metadata: ["reason": "the file can't be read"])
            return
        }
        guard new.problems.isEmpty else {
            for problem in new.problems {
                logger.error("settings not reloaded", metadata: ["reason": "\(problem)"])
            }
            return
        }
        log.setLevel(new.settings.logLevel)
        let changed = new.settings.keys(differingFrom: effective.settings)
        do throws(RelayError) {
            let waiting = try server.reload(new.settings, instead: effective.settings)
            logger.notice(
                "settings reloaded",
                metadata: ["changed": "\(changed.joined(separator: ","))"]
            )
            if !waiting.isEmpty {
                let keys = waiting.joined(separator: ",")
                logger.warning("settings need a restart", metadata: ["settings": "\(keys)"])
            }
        } catch {
            logger.error(
                "certificate not reloaded; the one before stays",
                metadata: ["reason": "\(error)"]
            )
        }
        effective = new
    }
}
