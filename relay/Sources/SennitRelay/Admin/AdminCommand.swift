import ArgumentParser
import Foundation
import RelayCore

/// `sennit-relay admin`
struct AdminCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin",
        abstract: "Looks after a relay, while it runs or while it doesn't.",
        usage: """
            sennit-relay admin status
            sennit-relay admin spaces list
            sennit-relay admin spaces freeze 1f00c0de
            """,
        discussion: """
            Asks the relay over a socket that only its own user, and root, can open. Where no \
            relay runs, what can be done on the closed data is done there.
            """,
        subcommands: [
            Status.self, SpacesCommand.self, AllowCommand.self, ConnectionsCommand.self,
            Compact.self, Reload.self, Drain.self,
        ]
    )

    /// `sennit-relay admin status`
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Says how the relay stands.")

        @OptionGroup var options: AdminOptions

        func run() throws {
            try AdminDoor(options: options).ask(AdminRequest("status"), StatusReport.self) {
                print(
                    """
                    relay        \($0.url)
                    running for  \(Duration.seconds($0.uptime).formatted())
                    access       \($0.accessMode)
                    connections  \($0.connections), \($0.strangers) of them not yet welcomed
                    spaces       \($0.spaces), \($0.activeSpaces) of them in use
                    commits      \($0.commits)
                    """
                )
            }
        }
    }

    /// `sennit-relay admin compact`
    struct Compact: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives back the room that deleted entries take."
        )

        @Option(help: "Write segments anew with no more than this share of live bytes.")
        var share: Double = 0.5
        @OptionGroup var options: AdminOptions

        func run() throws {
            let request = AdminRequest("compact", ["share": "\(share)"])
            try AdminDoor(options: options).ask(request, CompactionReport.self) {
                let freed = SizeText(UInt64(clamping: $0.freedBytes))
                print("\($0.rewritten) of \($0.segments) segments written anew, \(freed) freed")
            }
        }
    }

    /// `sennit-relay admin reload`
    struct Reload: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets the relay read its settings and certificates again, like SIGHUP."
        )

        @OptionGroup var options: AdminOptions

        func run() throws {
            try AdminDoor(options: options).ask(AdminRequest("reload"), CountReport.self) { _ in
                print("the relay reads its settings again; its log says what came of it")
            }
        }
    }

    /// `sennit-relay admin drain`
    struct Drain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stops the relay in good order, like SIGTERM."
        )

        @OptionGroup var options: AdminOptions

        func run() throws {
            try AdminDoor(options: options).ask(AdminRequest("drain"), CountReport.self) {
                print("the relay stops; \($0.count) connections are told to connect again")
            }
        }
    }
}

/// `sennit-relay admin allow`
struct AllowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allow",
        abstract: "Lists who may have spaces kept here, and changes that.",
        discussion: "It counts with `access.mode = \"allow-list\"`.",
        subcommands: [List.self, Add.self, Remove.self]
    )

    /// What the list is to name.
    struct Name: ParsableArguments {
        @Option(help: "A space's id, as `sennit status --json` shows it.") var space: String?
        @Option(help: "A founder's device key.") var founder: String?

        func validate() throws {
            guard (space == nil) != (founder == nil) else {
                throw ValidationError("give --space or --founder")
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists what is allowed.")
        @OptionGroup var options: AdminOptions
        func run() throws { try AllowCommand.ask("allow.list", nil, options) }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Allows a space or a founder.")
        @OptionGroup var name: Name
        @OptionGroup var options: AdminOptions
        func run() throws { try AllowCommand.ask("allow.add", name, options) }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a space or founder off the list; what is here already stays."
        )
        @OptionGroup var name: Name
        @OptionGroup var options: AdminOptions
        func run() throws { try AllowCommand.ask("allow.remove", name, options) }
    }

    private static func ask(_ verb: String, _ name: Name?, _ options: AdminOptions) throws {
        let request = AdminRequest(verb, ["space": name?.space, "founder": name?.founder])
        try AdminDoor(options: options).ask(request, AllowReport.self) { list in
            for space in list.spaces { print("space    \(space)") }
            for founder in list.founders { print("founder  \(founder)") }
            if list.spaces.isEmpty, list.founders.isEmpty { print("the allow-list is empty") }
        }
    }
}

/// `sennit-relay admin connections`
struct ConnectionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections",
        abstract: "Counts connections, and ends them.",
        subcommands: [List.self, Kick.self]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Counts them by state, and those of the busiest spaces; or lists a space's."
        )
        @Option(help: "List each connection of this space, by how its id begins.")
        var space: String?
        @OptionGroup var options: AdminOptions

        func run() throws {
            let request = AdminRequest("connections.list", ["space": space])
            try AdminDoor(options: options).ask(request, ConnectionsReport.self) { report in
                print("\(report.members) in a space, \(report.strangers) not yet welcomed")
                for space in report.spaces {
                    print("\(space.space.prefix(16))  \(space.connections)")
                }
                for one in report.connections {
                    let address = one.address ?? "this machine"
                    let time = Duration.seconds(one.seconds).formatted()
                    print("  number \(one.number)  \(address)  for \(time)")
                }
            }
        }
    }

    struct Kick: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends one connection, those of a space, or all; devices connect again."
        )
        @Argument(help: "The space, by how its id begins.") var space: String?
        @Option(help: "One connection, by its number in `connections list --space`.")
        var number: UInt64?
        @Flag(help: "All connections.") var all = false
        @OptionGroup var options: AdminOptions

        func validate() throws {
            guard [space != nil, number != nil, all].count(where: { $0 }) == 1 else {
                throw ValidationError("name a space, or --number, or --all")
            }
        }

        func run() throws {
            let request = AdminRequest(
                "connections.kick",
                ["space": space, "connection": number.map { "\($0)" }]
            )
            try AdminDoor(options: options).ask(request, CountReport.self) {
                print($0.count == 1 ? "1 connection ended" : "\($0.count) connections ended")
            }
        }
    }
}
