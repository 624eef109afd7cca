import ArgumentParser
import Foundation
import RelayCore
import RelayStorage

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
        let report: StorageCheck.Report
        let damages: [StorageError]
        do throws(StorageError) {
            if SQLiteStorage.isPresent(in: data) || !SegmentStorage.isPresent(in: data) {
                let storage = try SQLiteStorage(directory: data)
                report = try StorageCheck.run(on: storage)
                damages = report.damages
                try storage.close()
            } else {
                let storage = try SegmentStorage(directory: data)
                let verification = try storage.verify()
                (report, damages) = (verification.check, verification.damages)
                try storage.close()
            }
        } catch {
            fail(RelayError(error))
        }
        for damage in damages {
            FileHandle.standardError.write(Data("sennit-relay: error: \(damage)\n".utf8))
        }
        print(
            """
            sennit-relay: \(report.spaceCount) spaces, \(report.logCount) logs, \
            \(report.entryCount) entries, \(report.byteCount) bytes proven
            """
        )
        if !damages.isEmpty { throw ExitCode(1) }
    }
}
