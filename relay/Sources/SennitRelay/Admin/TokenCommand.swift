import ArgumentParser
import Foundation
import RelayCore

/// `sennit-relay token`
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Makes, lists and revokes the tokens with which spaces are founded here.",
        usage: """
            sennit-relay token create --name friends [--expires 90d] [--quota 5GiB] [--spaces 10]
            sennit-relay token list
            sennit-relay token revoke --name friends
            """,
        discussion: """
            They count with `access.mode = "token"`. A token is shown once and kept as a hash. It \
            is for who founds a space or brings one to this relay; members and who joins need \
            none. Works while the relay runs, and while it doesn't.
            """,
        subcommands: [
            Create.self, List.self, Revoke.self, Rotate.self, Quota.self,
        ]
    )

    /// `sennit-relay token create`
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes a token and shows it.")

        @Option(help: "What to call it here.") var name: String
        @Option(help: "How long spaces can be founded with it: 90d; for ever if not given.")
        var expires: String?
        @Option(help: "Bytes that its spaces may take up together, such as 5GiB.")
        var quota: String?
        @Option(help: "How many spaces may be founded with it.") var spaces: Int?
        @OptionGroup var options: AdminOptions

        func run() throws {
            let days = try expires.map { try Quantity.days($0) }
            let request = AdminRequest(
                "tokens.create",
                [
                    "name": name, "days": days.map(String.init),
                    "bytes": try quota.map { try Quantity.bytes($0, "--quota") },
                    "spaces": spaces.map(String.init),
                ]
            )
            try AdminDoor(options: options).ask(request, TokenReport.self) { TokenText.show($0) }
        }
    }

    /// `sennit-relay token list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the tokens.")

        @OptionGroup var options: AdminOptions

        func run() throws {
            let request = AdminRequest("tokens.list")
            try AdminDoor(options: options).ask(request, [TokenReport].self) { tokens in
                if tokens.isEmpty { print("no tokens; `sennit-relay token create` makes one") }
                for token in tokens { print(TokenText.line(token)) }
            }
        }
    }

    /// `sennit-relay token revoke`
    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets no more spaces be founded with a token.",
            discussion: """
                Spaces that were founded with it are served on, unless --stop-serving is given; \
                nothing is deleted either way.
                """
        )

        @Option(help: "Which token.") var name: String
        @Flag(help: "Serve its spaces no more.") var stopServing = false
        @OptionGroup var options: AdminOptions

        func run() throws {
            let stop = stopServing ? "yes" : nil
            let request = AdminRequest("tokens.revoke", ["name": name, "stop": stop])
            try AdminDoor(options: options).ask(request, TokenReport.self) { token in
                let spaces = token.spaces == 1 ? "its space is" : "its \(token.spaces) spaces are"
                let rest = token.isServingStopped ? "not served any more" : "served on"
                print("revoked \(name)" + (token.spaces == 0 ? "" : "; \(spaces) \(rest)"))
            }
        }
    }

    /// `sennit-relay token rotate`
    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a token another secret; the one before is good no more."
        )

        @Option(help: "Which token.") var name: String
        @OptionGroup var options: AdminOptions

        func run() throws {
            let request = AdminRequest("tokens.rotate", ["name": name])
            try AdminDoor(options: options).ask(request, TokenReport.self) { TokenText.show($0) }
        }
    }

    /// `sennit-relay token quota`
    struct Quota: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says how much the spaces of a token may take up."
        )

        @Option(help: "Which token.") var name: String
        @Option(help: "Bytes, such as 5GiB, or off.") var quota: String?
        @Option(help: "How many spaces, or off.") var spaces: String?
        @OptionGroup var options: AdminOptions

        func run() throws {
            let request = AdminRequest(
                "tokens.quota",
                [
                    "name": name, "bytes": try quota.map { try Quantity.bytes($0, "--quota") },
                    "spaces": spaces,
                ]
            )
            try AdminDoor(options: options).ask(request, TokenReport.self) {
                print(TokenText.line($0))
            }
        }
    }
}

/// A token as people read it.
private enum TokenText {
    /// The token itself goes to standard output, all else beside it.
    static func show(_ token: TokenReport) {
        Complaint.write("this is shown once: keep it as you keep a password", kind: "note")
        if let text = token.token { print(text) }
    }

    static func line(_ token: TokenReport) -> String {
        var parts = [token.name]
        let now = Date()
        if let revoked = token.revoked {
            parts.append("revoked \(day(revoked))")
            if token.isServingStopped { parts.append("not served") }
        } else if let expires = token.expires {
            parts.append(expires < now ? "expired \(day(expires))" : "until \(day(expires))")
        }
        let spaces = token.spaces == 1 ? "1 space" : "\(token.spaces) spaces"
        parts.append(token.maximumSpaces.map { "\(token.spaces) of \($0) spaces" } ?? spaces)
        switch (token.bytes, token.maximumBytes) {
        case (let bytes?, let limit?): parts.append("\(SizeText(bytes)) of \(SizeText(limit))")
        case (let bytes?, nil): parts.append("\(SizeText(bytes))")
        case (nil, let limit?): parts.append("at most \(SizeText(limit))")
        case (nil, nil): break
        }
        return parts.joined(separator: ", ")
    }

    private static func day(_ date: Date) -> String {
        String(date.formatted(.iso8601).prefix(10))
    }
}

/// Amounts as people write them, in the words of the settings.
enum Quantity {
    /// Bytes as a plain number; `off` stays.
    static func bytes(_ text: String, _ option: String) throws -> String {
        if text == "off" { return text }
        guard let count = SizeText.read(text) else {
            throw ValidationError("\(option) takes a size such as 5GiB, or off, not \(text)")
        }
        return "\(count)"
    }

    /// Days: `90d`, or `90`.
    static func days(_ text: String) throws -> Int {
        let digits = text.hasSuffix("d") ? String(text.dropLast()) : text
        guard let days = Int(digits), (1...36_500).contains(days) else {
            throw ValidationError("--expires takes days such as 90d, not \(text)")
        }
        return days
    }
}
