import ArgumentParser
import Foundation
import Sennit

/// The command `sennit`.
@main
struct SennitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sennit",
        abstract: "Write together in plain text, encrypted end to end, online and off.",
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "Begin and share",
                subcommands: [
                    NewCommand.self, InviteCommand.self, JoinCommand.self, TokenCommand.self,
                ]
            ),
            CommandGroup(
                name: "Read",
                subcommands: [
                    LsCommand.self, CatCommand.self, SearchCommand.self, LogCommand.self,
                    DiffCommand.self, BlameCommand.self, WatchCommand.self,
                ]
            ),
            CommandGroup(
                name: "Write",
                subcommands: [
                    EditCommand.self, WriteCommand.self, AppendCommand.self, MvCommand.self,
                    RmCommand.self, RestoreCommand.self,
                ]
            ),
            CommandGroup(
                name: "Decide who belongs",
                subcommands: [
                    MembersCommand.self, RemoveCommand.self, RoleCommand.self,
                    InvitesCommand.self, RevokeCommand.self, RotateCommand.self,
                ]
            ),
            CommandGroup(
                name: "Look after",
                subcommands: [StatusCommand.self, CheckCommand.self, PassphraseCommand.self]
            ),
        ]
    )

    static func main() async {
        CoreDumps.forbid()
        let arguments = Array(CommandLine.arguments.dropFirst())
        let console = Console(noColor: arguments.contains("--no-color"))
        do {
            try await run(arguments, console)
        } catch let failure as Failure {
            console.report(failure)
            Foundation.exit(failure.status.rawValue)
        } catch let error as SennitError {
            let failure = Failure(error)
            console.report(failure)
            Foundation.exit(failure.status.rawValue)
        } catch {
            finish(error, console)
        }
    }

    private static func run(_ arguments: [String], _ console: Console) async throws {
        if arguments.contains(where: LinkInput.isLink) { throw LinkInput.refusal }
        if arguments.contains(where: TokenInput.isToken) { throw TokenInput.refusal }
        let arguments = withOptionsBehindVerb(arguments)
        if let page = HelpPage(for: arguments) {
            console.write(page.text(console.output))
            return
        }
        if let word = arguments.first, !word.hasPrefix("-"), !knownWords.contains(word) {
            throw unknown(word)
        }
        var command = try await asyncParseAsRoot(arguments)
        if var command = command as? any AsyncParsableCommand {
            try await command.run()
        } else {
            try command.run()
        }
    }

    /// The verbs, and the words that the parser knows beside them.
    private static var knownWords: [String] { verbs + ["help"] }

    /// The names of all verbs.
    static var verbs: [String] {
        configuration.subcommands.compactMap { $0.configuration.commandName }
    }

    private static func unknown(_ word: String) -> Failure {
        let hint =
            Suggestion.verb(for: word, among: verbs).map { "did you mean `sennit \($0)`?" }
            ?? "run `sennit help` for all commands"
        return Failure(.usage, "no such command: \(word)", hint: hint)
    }

    /// `sennit --profile DIR ls` as well as `sennit ls --profile DIR`.
    static func withOptionsBehindVerb(_ arguments: [String]) -> [String] {
        let valued = ["--profile", "--space", "--wait", "--passphrase-fd"]
        let flags = ["--no-color", "--offline", "--json"]
        var index = 0
        while index < arguments.count {
            if valued.contains(arguments[index]) {
                index += 2
            } else if flags.contains(arguments[index])
                || valued.contains(where: { arguments[index].hasPrefix($0 + "=") })
            {
                index += 1
            } else {
                break
            }
        }
        guard index > 0, index < arguments.count else { return arguments }
        return [arguments[index]] + arguments[..<index] + arguments[(index + 1)...]
    }

    /// Ends the process as the parser would, in our words.
    private static func finish(_ error: any Error, _ console: Console) -> Never {
        let status = exitCode(for: error)
        guard !status.isSuccess else {
            console.write(fullMessage(for: error).withLineEnd)
            Foundation.exit(0)
        }
        let message = message(for: error)
        if !message.isEmpty {
            console.report(Failure(parserMessage: message, help: usageHint(for: error)))
        }
        Foundation.exit(status.rawValue)
    }

    /// The parser ends its usage with "See 'sennit cat --help' for more information.".
    private static func usageHint(for error: any Error) -> String? {
        guard exitCode(for: error) == .validationFailure else { return nil }
        let parts = fullMessage(for: error).split(separator: "'", omittingEmptySubsequences: false)
        return parts.last { $0.hasPrefix("sennit") }.map { "run `\($0)`" }
    }
}

extension Failure {
    /// A message of the parser's in our style: lower case, no full stop, the question as a hint.
    init(parserMessage: String, help: String?) {
        var message = parserMessage
        var hint = help
        if let range = message.range(of: ". Did you mean "), message.hasSuffix("?") {
            hint = "did you mean " + message[range.upperBound...].replacing("'", with: "`")
            message = String(message[..<range.lowerBound])
        }
        if message.hasSuffix(".") { message.removeLast() }
        message = message.prefix(1).lowercased() + message.dropFirst()
        self.init(.usage, message, hint: hint)
    }
}

extension String {
    fileprivate var withLineEnd: String { hasSuffix("\n") ? self : self + "\n" }
}
