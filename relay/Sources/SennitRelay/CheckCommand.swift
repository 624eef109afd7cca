import ArgumentParser
import Foundation
import RelayCore
import RelayStorage

/// `sennit-relay check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Proves every stored entry against the signed heads; the relay must be stopped.",
        usage: """
            sennit-relay check --data /var/lib/sennit-relay
            sennit-relay check --storage "postgres:host=db dbname=sennit"
            """,
        discussion: """
            A storage is written as for `migrate`. Relays on a database may go on while it is \
            checked.
            """
    )

    @Option(help: "The directory with the relay's data.")
    var data: String?
    @Option(help: "The relay's storage, instead of a directory.")
    var storage: String?

    func validate() throws {
        guard (data == nil) != (storage == nil) else {
            throw ValidationError("either --data or --storage says what is to be checked")
        }
    }

    func run() throws {
        let report: StorageCheck.Report
        do {
            let address =
                try storage.map { try StorageAddress($0) }
                ?? StorageAddress(directory: data ?? "")
            let storage = try address.openForReading()
            report = try storage.verify()
            try storage.close()
        } catch let error as StorageError {
            fail(RelayError(error))
        } catch let error as RelayError {
            fail(error)
        } catch let error as AdminError {
            fail(error)
        }
        for damage in report.damages { Complaint.write("\(damage)") }
        print(
            """
            sennit-relay: \(report.spaceCount) spaces, \(report.logCount) logs, \
            \(report.entryCount) entries, \(report.byteCount) bytes proven
            """
        )
        if !report.damages.isEmpty { throw ExitCode(1) }
    }
}
