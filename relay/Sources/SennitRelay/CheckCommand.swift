import ArgumentParser
import Foundation
import RelayCore

/// `sennit-relay check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Proves every stored entry against the signed heads; the relay must be stopped.",
        usage: "sennit-relay check --data /var/lib/sennit-relay"
    )

    @Option(help: "The directory with the relay's data.")
    var data: String

    func run() throws {
        let path = data + "/" + SQLiteStorage.fileName
        guard FileManager.default.fileExists(atPath: path) else {
            fail(.notRelayStorage(path: path))
        }
        let report: StorageCheck.Report
        do {
            let storage = try SQLiteStorage(directory: data)
            report = try StorageCheck.run(on: storage)
            try storage.close()
        } catch {
            fail(error)
        }
        for damage in report.damages {
            FileHandle.standardError.write(Data("sennit-relay: error: \(damage)\n".utf8))
        }
        print(
            """
            sennit-relay: \(report.spaceCount) spaces, \(report.logCount) logs, \
            \(report.entryCount) entries, \(report.byteCount) bytes proven
            """
        )
        if !report.damages.isEmpty { throw ExitCode(1) }
    }
}
