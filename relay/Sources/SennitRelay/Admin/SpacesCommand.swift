import ArgumentParser
import Foundation
import RelayCore
import RelayStorage

/// `sennit-relay admin spaces`
struct SpacesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spaces",
        abstract: "Lists spaces by what they take up; freezes and deletes them.",
        subcommands: [
            List.self, Show.self, Freeze.self, Unfreeze.self, Quota.self, Delete.self,
        ]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the largest spaces.")
        @Option(help: "How many.") var limit = 50
        @OptionGroup var options: AdminOptions

        func run() throws {
            let request = AdminRequest("spaces.list", ["limit": "\(limit)"])
            try AdminDoor(options: options).ask(request, [SpaceReport].self) { spaces in
                if spaces.isEmpty { print("no spaces") }
                for space in spaces { print(SpaceText.line(space)) }
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one space.")
        @Argument(help: "How its id begins.") var space: String
        @OptionGroup var options: AdminOptions

        func run() throws {
            let request = AdminRequest("spaces.show", ["space": space])
            try AdminDoor(options: options).ask(request, SpaceReport.self) { SpaceText.show($0) }
        }
    }

    struct Freeze: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets nothing more be added to a space; it is read on."
        )
        @Argument(help: "How its id begins.") var space: String
        @OptionGroup var options: AdminOptions

        func run() throws {
            let request = AdminRequest("spaces.freeze", ["space": space])
            try AdminDoor(options: options).ask(request, SpaceReport.self) {
                print("froze \($0.space.prefix(16))")
            }
        }
    }

    struct Unfreeze: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a space be added to again."
        )
        @Argument(help: "How its id begins.") var space: String
        @OptionGroup var options: AdminOptions

        func run() throws {
            let request = AdminRequest("spaces.unfreeze", ["space": space])
            try AdminDoor(options: options).ask(request, SpaceReport.self) {
                print("\($0.space.prefix(16)) takes entries again")
            }
        }
    }

    struct Quota: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a space limits of its own; off leaves one to the settings."
        )
        @Argument(help: "How its id begins.") var space: String
        @Option(help: "Bytes of its entries, such as 5GiB.") var size: String?
        @Option(help: "Logs.") var logs: String?
        @Option(help: "Bytes of one entry, such as 64KiB.") var entry: String?
        @Option(help: "The part that one device may have, such as 0.8.") var share: String?
        @OptionGroup var options: AdminOptions

        func run() throws {
            let request = AdminRequest(
                "spaces.quota",
                [
                    "space": space, "bytes": try size.map { try Quantity.bytes($0, "--size") },
                    "logs": logs, "entry": try entry.map { try Quantity.bytes($0, "--entry") },
                    "share": share,
                ]
            )
            try AdminDoor(options: options).ask(request, SpaceReport.self) { SpaceText.show($0) }
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a space here, after asking.",
            discussion: """
                Its devices keep all they have, and bring the space back when they connect, as to \
                any relay that lost it; with --block they can't. Compaction gives the room back.
                """
        )
        @Argument(help: "How its id begins.") var space: String
        @Option(help: "How its id begins, 8 digits or more, instead of being asked.")
        var confirm: String?
        @Flag(help: "Don't let its devices bring it back.") var block = false
        @OptionGroup var options: AdminOptions

        func run() throws {
            let door = AdminDoor(options: options)
            var digits = confirm
            if digits == nil {
                let shown = try door.report(
                    AdminRequest("spaces.show", ["space": space]),
                    SpaceReport.self
                )
                digits = try ask(shown)
            }
            let request = AdminRequest(
                "spaces.delete",
                ["space": space, "confirm": digits, "block": block ? "yes" : nil]
            )
            try door.ask(request, SpaceReport.self) {
                print(
                    "deleted \($0.space.prefix(16)): \($0.entries) entries, \(SizeText($0.bytes))"
                )
            }
        }

        private func ask(_ space: SpaceReport) throws -> String {
            guard isatty(0) == 1 else {
                throw ValidationError("give --confirm with the first 8 digits of the id")
            }
            SpaceText.show(space)
            print("Type the first 8 digits of its id to delete it: ", terminator: "")
            guard let line = readLine(), !line.isEmpty else { throw ExitCode(1) }
            return line.filter { !$0.isWhitespace }
        }
    }
}

/// A space as people read it.
private enum SpaceText {
    static func line(_ space: SpaceReport) -> String {
        var parts = [
            "\(space.space.prefix(16))", "\(SizeText(space.bytes))", "\(space.entries) entries",
            space.logs == 1 ? "1 log" : "\(space.logs) logs",
        ]
        if space.connections > 0 { parts.append("\(space.connections) connected") }
        if let token = space.token { parts.append("token \(token)") }
        if space.isFrozen { parts.append("frozen") }
        if let due = space.deletionDue { parts.append("will be deleted \(day(due))") }
        return parts.joined(separator: ", ")
    }

    static func show(_ space: SpaceReport) {
        func row(_ name: String, _ text: String) {
            print(name + String(repeating: " ", count: 13 - name.count) + text)
        }
        row("space", space.space)
        row("takes up", "\(SizeText(space.bytes)), \(space.entries) entries, \(space.logs) logs")
        row("connections", "\(space.connections)")
        if let token = space.token { row("token", token) }
        if space.isFrozen { row("frozen", "yes") }
        if let size = space.quota.maximumByteCount { row("quota", "\(SizeText(size))") }
        if let logs = space.quota.maximumLogCount { row("logs", "at most \(logs)") }
        if let entry = space.quota.maximumEntryByteCount { row("entry", "at most \(entry) bytes") }
        if let share = space.quota.maximumDeviceShare { row("share", "\(share) of one device") }
        if let seen = space.lastSeen { row("last seen", day(seen)) }
        if let due = space.deletionDue { row("deletion", "on \(day(due))") }
    }

    private static func day(_ date: Date) -> String {
        String(date.formatted(.iso8601).prefix(10))
    }
}
