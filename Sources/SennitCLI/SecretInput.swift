import Foundation

/// Where verbs take secrets from: a prompt, a pipe, a file, and never the command line, which every
/// user of the machine can read while the process runs, and which shells write to a file.
struct SecretInput {
    /// What it is called: "link" or "token".
    let name: String
    /// What the prompt says.
    let prompt: String
    /// What to do where nothing was given.
    let missing: String
    /// How to give it where the terminal can't hide it.
    let instead: String

    /// Bytes of a secret. A link with ten relays has about 800.
    private static let byteCountLimit = 4096

    /// The secret, from the file (`-` is standard input), else from standard input, else from a
    /// prompt.
    func read(file: String?, _ console: Console) throws(Failure) -> String {
        let text: String
        if let file, file != "-" {
            guard let handle = FileHandle(forReadingAtPath: file) else {
                throw Failure(.failure, "\(file) can't be read")
            }
            text = try StandardInput.text(
                of: handle,
                named: file,
                limit: SecretInput.byteCountLimit
            )
        } else if StandardInput.isTerminal {
            text = try ask(console)
        } else {
            text = try StandardInput.text(
                of: .standardInput,
                named: "standard input",
                limit: SecretInput.byteCountLimit
            )
        }
        guard let secret = text.split(whereSeparator: \.isWhitespace).first else {
            throw Failure(.damaged, "there is no \(name)", hint: missing)
        }
        return String(secret)
    }

    /// Asks at the terminal, which doesn't show what is typed.
    private func ask(_ console: Console) throws(Failure) -> String {
        console.ask(prompt)
        guard let terminal = HiddenInput() else {
            throw Failure(
                .failure,
                "this terminal can't hide what is pasted",
                hint: "pipe the \(name) in, or use `\(instead)`"
            )
        }
        let (line, state) = terminal.readLine(limit: SecretInput.byteCountLimit)
        console.ask(state == .done ? "(\(line.byteCount) characters)\n" : "\n")
        if state == .cancelled { exit(130) }
        return line.text
    }
}
