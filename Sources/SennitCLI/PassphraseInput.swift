import Foundation
import Sennit

/// Where a passphrase comes from: the terminal, which doesn't show it, or a file descriptor. Never
/// the command line or the environment, which others can read.
enum PassphraseInput {
    /// Reads the first line of a file descriptor.
    static func read(descriptor: Int32) throws(Failure) -> String {
        var bytes: [UInt8] = []
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        while bytes.count <= Passphrase.maximumByteCount {
            guard let next = try? handle.read(upToCount: 1)?.first else { break }
            if next == UInt8(ascii: "\n") { break }
            bytes.append(next)
        }
        guard !bytes.isEmpty, let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(
                .usage,
                "there is no passphrase at file descriptor \(descriptor)",
                hint: "for instance `sennit ls --passphrase-fd 3 3< FILE`"
            )
        }
        return text
    }

    /// Asks at the terminal, whatever standard input is.
    static func ask(_ prompt: String, _ console: Console) throws(Failure) -> String {
        guard StandardInput.isTerminal else {
            throw Failure(
                .locked,
                "the profile has a passphrase, and there is no terminal to ask at",
                hint: "give it by a file descriptor: `--passphrase-fd 3 3< FILE`"
            )
        }
        console.ask(prompt)
        guard let terminal = HiddenInput() else {
            throw Failure(
                .locked,
                "this terminal can't hide what is typed",
                hint: "give the passphrase by a file descriptor: `--passphrase-fd 3 3< FILE`"
            )
        }
        let (line, state) = terminal.readLine(limit: Passphrase.maximumByteCount)
        console.ask("\n")
        if state == .cancelled { exit(130) }
        return line.text
    }
}

extension ProfileOptions {
    /// The passphrase of the profile, from the file descriptor or the terminal.
    func passphrase() throws(Failure) -> String {
        if let passphraseFd { return try PassphraseInput.read(descriptor: passphraseFd) }
        return try PassphraseInput.ask("Passphrase (it stays hidden): ", console)
    }
}
