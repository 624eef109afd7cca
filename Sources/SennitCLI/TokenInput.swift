import Foundation

/// Where `new` and `token` take a relay's token from.
enum TokenInput {
    /// The environment's name for it.
    static let variable = "SENNIT_RELAY_TOKEN"

    private static let input = SecretInput(
        name: "token",
        prompt: "Paste the relay's token (it stays hidden): ",
        missing: "ask who runs the relay",
        instead: "sennit token --file FILE"
    )

    /// Whether an argument is a token, or begins as one.
    static func isToken(_ argument: String) -> Bool {
        argument.lowercased().contains("sennit-token-")
    }

    /// The refusal for a token among the arguments.
    static let refusal = Failure(
        .usage,
        "a token is a secret and doesn't belong on the command line, where others can see it",
        hint: "run `sennit token` and paste it, or `sennit token --file FILE`"
    )

    /// The token in the environment, if there is one.
    static var fromEnvironment: String? {
        let text = ProcessInfo.processInfo.environment[variable] ?? ""
        return text.isEmpty ? nil : text
    }

    /// The token, from the file (`-` is standard input), else from standard input, else from a
    /// prompt.
    static func read(file: String?, _ console: Console) throws(Failure) -> String {
        try input.read(file: file, console)
    }
}
