import Foundation

/// Where `join` takes its link from: a prompt, a pipe or a file, and never the command line, which
/// every user of the machine can read while the process runs, and which shells write to a file.
enum LinkInput {
    /// Bytes of a link. One with ten relays has about 800.
    private static let byteCountLimit = 4096

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
        let text: String
        if let file, file != "-" {
            guard let handle = FileHandle(forReadingAtPath: file) else {
                throw Failure(.failure, "\(file) can't be read")
            }
            text = try StandardInput.text(of: handle, named: file, limit: byteCountLimit)
        } else if StandardInput.isTerminal {
            text = try prompt(console)
        } else {
            text = try StandardInput.text(
                of: .standardInput,
                named: "standard input",
                limit: byteCountLimit
            )
        }
        guard let link = text.split(whereSeparator: \.isWhitespace).first else {
            throw Failure(
                .damaged,
                "there is no link",
                hint: "ask for one: `sennit invite` prints it"
            )
        }
        return String(link)
    }

    /// Asks at the terminal, which doesn't show what is typed.
    private static func prompt(_ console: Console) throws(Failure) -> String {
        console.ask("Paste the invite link (it stays hidden): ")
        guard let terminal = HiddenInput() else {
            throw Failure(
                .failure,
                "this terminal can't hide what is pasted",
                hint: "pipe the link in, or use `sennit join --file FILE`"
            )
        }
        var line = HiddenLine()
        var state = HiddenLine.State.open
        while state == .open {
            guard let byte = terminal.readByte() else { break }
            state = line.take(byte)
            if line.byteCount > byteCountLimit { state = .done }
        }
        terminal.restore()
        console.ask(state == .done ? "(\(line.byteCount) characters)\n" : "\n")
        if state == .cancelled { exit(130) }
        return line.text
    }
}
