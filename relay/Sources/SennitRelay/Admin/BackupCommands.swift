import ArgumentParser
import Foundation
import RelayCore
import RelayStorage
import SennitWire

/// `sennit-relay backup`
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copies all that is stored, while the relay runs or while it doesn't.",
        usage: "sennit-relay backup --to /var/backups/sennit-relay/2026-11-25",
        discussion: """
            What was acked before it began is in it. The directory is made; it must have no \
            relay's data in it. The relay itself writes it, so its user must be allowed to.
            """
    )

    @Option(help: "The directory for the backup.") var to: String
    @OptionGroup var options: AdminOptions

    func run() throws {
        let directory = URL(fileURLWithPath: to).standardizedFileURL.path
        let request = AdminRequest("backup", ["directory": directory])
        try AdminDoor(options: options).ask(request, BackupReport.self) {
            print("\(SizeText(UInt64(clamping: $0.bytes))) copied to \($0.directory)")
        }
    }
}

/// `sennit-relay restore`
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Puts a backup into the directory of a relay to be, and proves that it opens.",
        usage: "sennit-relay restore --from BACKUP --data /var/lib/sennit-relay"
    )

    @Option(help: "The backup.") var from: String
    @OptionGroup var options: AdminOptions

    func run() throws {
        let directory = try options.directory()
        var progress = ProgressLine()
        do {
            guard FileManager.default.fileExists(atPath: from) else {
                throw StorageError.directory(path: from, reason: "it doesn't exist")
            }
            let (source, target) = (try POSIXFiles(from), try POSIXFiles(directory))
            let usage = try SegmentStorage.restore(from: source, to: target) { copied in
                progress.show(
                    AdminProgress(
                        done: UInt64(copied.byteCount),
                        total: UInt64(copied.totalByteCount),
                        unit: "bytes"
                    )
                )
            }
            if ControlStore.isPresent(in: from) {
                let control = try ControlStore(directory: from)
                try control.backup(to: directory)
                try control.close()
            }
            let report = Restored(
                logs: usage.logCount,
                entries: usage.entryCount,
                bytes: usage.byteCount
            )
            if options.json {
                print(String(decoding: try AdminCoding.encoder().encode(report), as: UTF8.self))
            } else {
                let size = SizeText(usage.byteCount)
                print("\(usage.logCount) logs, \(usage.entryCount) entries, \(size) restored")
            }
        } catch let error as StorageError {
            fail(RelayError(error))
        }
    }
}

/// `sennit-relay verify`
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Proves every stored entry, while the relay runs or while it doesn't.",
        usage: """
            sennit-relay verify [--no-signatures]
            sennit-relay verify --storage "postgres:host=db dbname=sennit"
            """,
        discussion: """
            Goes through every frame's checksum and every log's chain and signed heads. Damage is \
            named with its place; the exit code is 1 then. `check` is an older name for it.
            """,
        aliases: ["check"]
    )

    @Flag(help: "Leave the signatures of heads out, which take most of the time.")
    var noSignatures = false
    @Option(help: "A relay's storage, written as for `migrate`, instead of this machine's relay.")
    var storage: String?
    @OptionGroup var options: AdminOptions

    func run() throws {
        let request = AdminRequest("verify", ["signatures": noSignatures ? "no" : nil])
        let door = AdminDoor(options: options)
        let report = try reportOfStorage() ?? door.report(request, VerifyReport.self)
        if options.json {
            print(String(decoding: try AdminCoding.encoder().encode(report), as: UTF8.self))
        } else {
            for damage in report.damages { Complaint.write(damage) }
            print(
                """
                \(report.spaces) spaces, \(report.logs) logs, \(report.entries) entries, \
                \(SizeText(report.bytes)) proven
                """
            )
        }
        if !report.damages.isEmpty { throw ExitCode(1) }
    }

    /// What isn't a relay's of this machine: the storage that was named, as it is written for
    /// `migrate`. What a relay before segments left is looked at as well, not taken over.
    private func reportOfStorage() throws -> VerifyReport? {
        do {
            let address: StorageAddress
            if let storage {
                address = try StorageAddress(storage)
            } else {
                let directory = try options.directory()
                guard SQLiteStorage.isPresent(in: directory) else { return nil }
                address = StorageAddress(directory: directory)
            }
            let storage = try address.openForReading()
            let report = try storage.verify(checksSignatures: !noSignatures) { _ in }
            try storage.close()
            return VerifyReport(report)
        } catch let error as StorageError {
            fail(RelayError(error))
        } catch let error as RelayError {
            fail(error)
        } catch let error as AdminError {
            fail(error)
        }
    }
}

/// `sennit-relay migrate`
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Copies all spaces from one storage to another; goes on where it was stopped.",
        usage: """
            sennit-relay migrate --from segments:/srv/old --to segments:/var/lib/sennit-relay
            sennit-relay migrate --from segments:/srv/old --to config:/etc/sennit-relay/new.toml
            sennit-relay migrate --from "postgres:host=db dbname=sennit" --to segments:/srv/copy
            """,
        discussion: """
            Storages are `segments:DIRECTORY`, `sqlite:DIRECTORY` (an older relay's, to read \
            from), `postgres:ADDRESS`, several separated by semicolons, and `config:FILE`: what a \
            relay with these settings uses. Directories must not be in use. Databases may be; each \
            log is then copied as it was when its turn came, and a second run brings what came \
            since. Every log's head is compared. Tokens and quotas are copied from directory to \
            directory, where the target has none.
            """
    )

    @Option(help: "The storage to read.") var from: String
    @Option(help: "The storage to write; it may be there already, in part.") var to: String
    @Flag(help: "As JSON, for programs.") var json = false

    func run() throws {
        do {
            let (source, target) = (try StorageAddress(from), try StorageAddress(to))
            let old = try source.openForReading()
            let new = try target.openForWriting(relayName: old.relayName)
            guard new.relayName == old.relayName else {
                throw AdminError(
                    "\(to) is another relay's: its devices know it by another name",
                    hint: "migrate to a directory without a relay's data"
                )
            }
            var progress = ProgressLine()
            let result = try StorageMigration.run(from: old, to: new) { step in
                progress.show(
                    AdminProgress(
                        done: UInt64(step.spaceCount),
                        total: UInt64(step.totalSpaceCount),
                        unit: "spaces"
                    )
                )
            }
            if try !source.copyControl(to: target) {
                Complaint.write(
                    "tokens and quotas aren't in databases; they stay in control.sqlite",
                    kind: "note"
                )
            }
            try new.close()
            try old.close()
            try show(result)
        } catch let error as StorageError {
            fail(RelayError(error))
        } catch let error as RelayError {
            fail(error)
        } catch let error as AdminError {
            fail(error)
        }
    }

    private func show(_ result: StorageMigration.Progress) throws {
        guard !json else {
            let report = Migrated(
                spaces: result.spaceCount,
                logs: result.logCount,
                copiedEntries: result.entryCount,
                copiedBytes: result.byteCount
            )
            print(String(decoding: try AdminCoding.encoder().encode(report), as: UTF8.self))
            return
        }
        print(
            """
            \(result.spaceCount) spaces, \(result.logCount) logs are there; \
            \(result.entryCount) entries, \(SizeText(result.byteCount)) were copied
            """
        )
    }
}

/// What a restore brought, as JSON.
private struct Restored: Encodable {
    let logs: Int
    let entries: UInt64
    let bytes: UInt64
}

/// What a migration came to, as JSON.
private struct Migrated: Encodable {
    let spaces: Int
    let logs: Int
    let copiedEntries: UInt64
    let copiedBytes: UInt64
}
