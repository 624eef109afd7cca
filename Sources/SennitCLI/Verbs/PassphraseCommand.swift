import ArgumentParser
import Sennit

/// `sennit passphrase`
struct PassphraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passphrase",
        abstract: "Put the profile's keys under a passphrase, change it or remove it.",
        usage: "sennit passphrase <set|change|remove> [--memory <MiB>] [options]",
        discussion: """
              $ sennit passphrase set
              New passphrase (it stays hidden):
              Once more:
              the profile's keys are under a passphrase now

            From then on every command asks for it. A thief of the disk can't act as this device, \
            nor read what comes later; documents that the profile has read lie in it as they are, \
            so encrypt the disk as well. A forgotten passphrase can't be recovered: another device \
            of yours, or another member, still has the documents.

            Scripts give it by a file descriptor, the new one in the line after the old one:
              $ sennit passphrase set --passphrase-fd 3 3< FILE

            --memory says how much trying one passphrase takes, 64 to 1024 MiB.
            """
    )

    enum Action: String, ExpressibleByArgument, CaseIterable {
        case set, change, remove
    }

    @Argument(help: "What to do.")
    var action: Action

    @Option(help: ArgumentHelp("Memory that trying one passphrase takes.", valueName: "MiB"))
    var memory = 64

    @OptionGroup(title: "Common options") var profile: ProfileOptions

    func run() async throws {
        let console = profile.console
        try await OpenProfile.with(profile, verb: "passphrase", makesProfile: action == .set) {
            opened in
            let engine = opened.engine
            let isSet = try await engine.hasPassphrase()
            guard isSet == (action != .set) else {
                throw Failure(
                    .failure,
                    isSet ? "the profile has a passphrase" : "the profile has no passphrase",
                    hint: isSet
                        ? "`sennit passphrase change` changes it"
                        : "`sennit passphrase set` sets one"
                )
            }
            switch action {
            case .set, .change:
                let text = try newPassphrase(console)
                try await engine.setPassphrase(text, current: opened.passphrase, memory: memory)
                console.print("the profile's keys are under a \(isSet ? "new " : "")passphrase now")
            case .remove:
                try await engine.removePassphrase(current: opened.passphrase)
                console.print("the profile has no passphrase any more")
            }
        }
    }

    private func newPassphrase(_ console: Console) throws(Failure) -> String {
        if let descriptor = profile.passphraseFd {
            return try PassphraseInput.read(descriptor: descriptor)
        }
        let text = try PassphraseInput.ask("New passphrase (it stays hidden): ", console)
        let again = try PassphraseInput.ask("Once more: ", console)
        guard text == again else {
            throw Failure(.failure, "the two differ", hint: "nothing was changed; try again")
        }
        return text
    }
}
