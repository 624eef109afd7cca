import ArgumentParser
import Foundation
import RelayCore
import RelayStorage

/// The options of all verbs that ask a relay for something.
struct AdminOptions: ParsableArguments {
    @Option(help: "The directory with the relay's data; without it, what the settings say.")
    var data: String?

    @Option(help: "A TOML file of settings, for where the data is.")
    var config: String?

    @Option(help: "The relay's admin socket; without it, what the settings say.")
    var socket: String?

    @Flag(help: "As JSON, for programs.")
    var json = false

    /// What the settings say, and where the data is.
    func settings() throws -> RelaySettings {
        var options = try SettingsOptions.parse([])
        options.config = config
        var settings = try options.readOrFail().settings
        settings.directory = data ?? settings.directory
        return settings
    }

    /// Where the relay's data is.
    func directory() throws -> String { try settings().directory }
}

/// Carries out a request: by the relay that runs, or on the closed directory where none does.
struct AdminDoor {
    let options: AdminOptions

    /// Carries out a request and hands its report to `show`, unless it is to be JSON.
    func ask<Report: Codable>(
        _ request: AdminRequest,
        _ type: Report.Type,
        show: (Report) -> Void
    ) throws {
        let json = try carryOut(request)
        if options.json {
            FileHandle.standardOutput.write(json + Data("\n".utf8))
            return
        }
        show(try AdminCoding.decoder().decode(Report.self, from: json))
    }

    /// Carries out a request.
    /// - Returns: the report.
    func report<Report: Codable>(_ request: AdminRequest, _ type: Report.Type) throws -> Report {
        try AdminCoding.decoder().decode(Report.self, from: try carryOut(request))
    }

    private func carryOut(_ request: AdminRequest) throws -> Data {
        let settings = try options.settings()
        let directory = settings.directory
        let path =
            options.socket ?? settings.adminSocketPath ?? AdminClient.path(in: directory)
        var progress = ProgressLine()
        do throws(AdminError) {
            if let client = try AdminClient(path: path) {
                return try client.ask(request) { progress.show($0) }
            }
        } catch {
            fail(error)
        }
        guard options.socket == nil else {
            fail(AdminError("no relay listens at \(path)"))
        }
        return try carryOut(request, onClosed: settings, &progress)
    }

    /// Opens what a relay that doesn't run has left.
    private func carryOut(
        _ request: AdminRequest,
        onClosed settings: RelaySettings,
        _ progress: inout ProgressLine
    ) throws -> Data {
        let directory = settings.directory
        do {
            let isMissing = !FileManager.default.fileExists(atPath: directory)
            if AdminDesk.needsStorage(request.verb), isMissing {
                throw StorageError.directory(path: directory, reason: "it doesn't exist")
            }
            let files = try POSIXFiles(directory)
            var storage: (any RelayStorage & Sendable)?
            if AdminDesk.needsStorage(request.verb) {
                files.close()
                if let shared = try SharedStorage.open(settings, isMade: false) {
                    storage = shared
                } else {
                    storage = try StorageOpening.open(directory)
                }
            }
            let control = try ControlStore(directory: directory)
            let desk = AdminDesk(control: control, storage: storage)
            let report = try desk.carryOut(request) { progress.show($0) }
            let json = try AdminCoding.encoder().encode(report)
            try control.close()
            try storage?.close()
            return json
        } catch let error as AdminError {
            fail(error)
        } catch StorageError.inUse {
            fail(
                AdminError(
                    "a relay has \(directory) open, and doesn't answer at its admin socket",
                    hint: "name the socket with --socket, or stop the relay"
                )
            )
        } catch let error as RelayError {
            fail(error)
        } catch let error as StorageError {
            fail(RelayError(error))
        }
    }
}

/// How far something is, on standard error, once it has taken a second.
struct ProgressLine {
    private let begun = ContinuousClock.now
    private var shown: ContinuousClock.Instant?

    mutating func show(_ progress: AdminProgress) {
        let now = ContinuousClock.now
        guard begun.duration(to: now) >= .seconds(1),
            shown.map({ $0.duration(to: now) >= .seconds(1) }) ?? true
        else { return }
        shown = now
        func text(_ count: UInt64) -> String {
            progress.unit == "bytes" ? "\(SizeText(count))" : "\(count)"
        }
        let unit = progress.unit == "bytes" ? "" : " \(progress.unit)"
        let whole = progress.total > 0 ? " of \(text(progress.total))" : ""
        FileHandle.standardError.write(
            Data("sennit-relay: \(text(progress.done))\(whole)\(unit)\n".utf8)
        )
    }
}

/// Ends the process with the error's sentence and its hint.
func fail(_ error: AdminError) -> Never {
    Complaint.write(error.message)
    if let hint = error.hint { Complaint.write(hint, kind: "hint") }
    exit(1)
}
