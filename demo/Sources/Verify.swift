import ArgumentParser
import SennitReference

/// `sennit-demo verify`: judges a run again.
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Judges again what `sennit-demo run --keep` has left."
    )

    @Argument(help: "The run's directory.")
    var directory: String

    @Option(help: ArgumentHelp("Break one thing there first.", visibility: .hidden))
    var sabotage: Sabotage?

    func run() async throws {
        let directory = RunDirectory(path: directory)
        guard let trace = try directory.readPlan().tracePath else { throw ExitCode.failure }
        let verifier = try Verifier(directory, trace: Trace(path: trace))
        let verdict = try await verifier.verdict(sabotage: sabotage)
        print(verdict.table(isColored: Run.isColored))
        if !verdict.holds { throw ExitCode.failure }
    }
}
