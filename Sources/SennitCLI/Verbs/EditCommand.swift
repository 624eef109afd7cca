import ArgumentParser
import Foundation
import Sennit
import SennitEditor

/// `sennit edit`
struct EditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit",
        abstract: "Open a document in Sennit's editor.",
        usage: "sennit edit <path> [options]",
        discussion: """
              $ sennit edit plans/2027.md

            Begins the document if there is none. Everything is saved as you type; there is no \
            save key. Ctrl-Z takes back what you did, never what others did. Ctrl-G shows the \
            keys, Ctrl-Q leaves. You see who else is in the document, and they see \
            you, while the relay can be reached.
            """
    )

    @Argument(help: "The path of the document.", completion: .shellCommand("sennit ls --offline"))
    var path: String

    @OptionGroup(title: "Common options") var common: CommonOptions

    func run() async throws {
        guard isatty(0) == 1, isatty(1) == 1 else {
            throw Failure(
                .failure,
                "the editor needs a terminal",
                hint: "`sennit cat` prints a document, `sennit write` replaces its text"
            )
        }
        try await OpenSpace.with(common, verb: "edit") { here in
            let document = try await open(here)
            var environment = ProcessInfo.processInfo.environment
            if common.profile.noColor { environment["NO_COLOR"] = "1" }
            if !common.network.offline { try await here.space.connect() }
            do throws(EditorError) {
                _ = try await Editor.run(document, in: here.space, environment: environment)
            } catch {
                throw Failure(error)
            }
            try await leave(here)
        }
    }

    /// A new document is only made if the relay, asked first, doesn't have it: somebody else may
    /// have just made one at the path.
    private func open(_ here: OpenSpace) async throws -> DocumentHandle {
        do throws(SennitError) {
            return try await here.space.document(at: path)
        } catch {
            guard error.code == .noSuchDocument else { throw error }
            await here.receive()
            return try await here.space.document(at: path, create: true)
        }
    }

    /// Sends what is still here; says so only if it can't.
    private func leave(_ here: OpenSpace) async throws {
        let status = try await here.space.status()
        if status.isSynced { return }
        if try await !here.send(quietly: true) {
            here.console.note("saved here; will be sent when a later command reaches the relay")
        }
    }
}

extension Failure {
    /// Why the editor could not run.
    init(_ error: EditorError) {
        switch error {
        case .notATerminal: self.init(.failure, "the editor needs a terminal")
        case .terminal(let call, let number):
            self.init(.failure, "the terminal refuses \(call) (error \(number))")
        case .documentUnavailable(let reason): self.init(.failure, reason)
        }
    }
}
