import ArgumentParser
import NIOPosix

/// `sennit-demo pair`: two empty editors side by side, for hands.
struct Pair: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Opens two editors on one empty document, in a tmux server of its own."
    )

    @Option(help: "An empty directory for everything; removed at the end, unless something fails.")
    var directory: String?

    func run() async throws {
        let directory = try RunDirectory.new(at: directory)
        let clientCount = 2
        let plan = RunPlan(
            tracePath: nil,
            clientCount: clientCount,
            phases: .none,
            relayURL: "",
            names: .forHands(clientCount: clientCount),
            editsPerSecond: nil,
            isForHands: true
        )
        let tmux = try await Tmux(directory)
        let task = Task {
            var conductor = try await Conductor(
                directory,
                plan: plan,
                script: Script(clientCount: clientCount),
                chaosSeed: nil,
                tmux: tmux,
                progress: Progress(tmux: tmux),
                group: .singleton
            )
            try await conductor.runForHands()
        }
        let signals = Interruptions { task.cancel() }
        defer { signals.stop() }
        do {
            try await task.value
        } catch DemoError.interrupted {
            directory.remove()
            throw ExitCode(130)
        } catch {
            await tmux.stop()
            print("Everything is kept in \(directory.path)")
            throw error
        }
        directory.remove()
    }
}
