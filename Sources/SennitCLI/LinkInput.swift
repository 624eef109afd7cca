/// Where `join` takes its link from.
enum LinkInput {
    private static let input = SecretInput(
        name: "link",
        prompt: "Paste the invite link (it stays hidden): ",
        missing: "ask for one: `sennit invite` prints it",
        instead: "sennit join --file FILE"
    )

    /// Whether an argument is an invite link, or begins as one.
    static func isLink(_ argument: String) -> Bool { argument.lowercased().hasPrefix("sennit:") }

    /// The refusal for a link among the arguments.
    static let refusal = Failure(
        .usage,
        "a link is a secret and doesn't belong on the command line, where others can see it",
        hint: "run `sennit join` and paste the link, or `sennit join --file FILE`"
    )

    /// The link, from the file (`-` is standard input), else from standard input, else from a
    /// prompt.
    static func read(file: String?, _ console: Console) throws(Failure) -> String {
        try input.read(file: file, console)
    }
}
