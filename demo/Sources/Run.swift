import ArgumentParser
import Dispatch
import Foundation
import NIOPosix
import SennitReference

/// `sennit-demo run`: the demo itself.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replays a trace through real clients, then judges what came out.",
        discussion: """
            One client for each author, up to eight, at least two; more authors share them. All of \
            them are processes of their own, each with a profile, joined by invite.
            """
    )

    @Option(help: "The trace: JSON, or JSON packed by gzip.")
    var trace: String

    @Option(help: "At most so many keys a second in each client. Without it, as fast as it goes.")
    var speed: Int?

    @Option(help: "Kill and restart clients and relay at random during the replay.")
    var chaos: UInt64?

    @Option(help: "Decides the random edits of the offline phase.")
    var seed: UInt64 = 1

    @Option(help: "A file that is given the verdict, for programs.")
    var json: String?

    @Option(help: "An empty directory for everything; removed after a verdict that holds.")
    var directory: String?

    @Flag(help: "Keep the directory in any case, for `sennit-demo verify`.")
    var keep = false

    @Flag(help: "Show the clients in a tmux server of the run's own.")
    var tmux = false

    @Flag(help: ArgumentHelp("Colour the verdict in any case.", visibility: .hidden))
    var colored = false

    @Option(help: ArgumentHelp("Break one thing before it is checked.", visibility: .hidden))
    var sabotage: Sabotage?

    func validate() throws {
        if let speed, speed < 1 { throw ValidationError("--speed takes a number from 1") }
        guard FileManager.default.isReadableFile(atPath: trace) else {
            throw ValidationError("\(trace) is not there, or can't be read")
        }
    }

    func run() async throws {
        let directory = try RunDirectory.new(at: directory)
        let task = Task { try await perform(in: directory) }
        let signals = Interruptions { task.cancel() }
        defer { signals.stop() }
        do {
            let verdict = try await task.value
            print("\n" + verdict.table(isColored: colored || Run.isColored))
            if let json { try verdict.json().write(to: URL(fileURLWithPath: json)) }
            guard verdict.holds else {
                print("Everything is kept in \(directory.path)")
                throw ExitCode.failure
            }
            if keep { print("Everything is kept in \(directory.path)") } else { directory.remove() }
        } catch DemoError.interrupted {
            directory.remove()
            print("Stopped.")
            throw ExitCode(130)
        } catch let error as DemoError {
            print("sennit-demo: error: \(error)")
            print("Everything is kept in \(directory.path)")
            throw ExitCode(2)
        }
    }

    private func perform(in directory: RunDirectory) async throws -> Verdict {
        let group = MultiThreadedEventLoopGroup.singleton
        let trace = try Trace(path: trace)
        let clientCount = min(max(trace.agentCount, 2), 8)
        let script = Script(trace, clientCount: clientCount)
        let reader = trace.agentCount == 1 ? ", one of which only reads at first" : ""
        Progress(tmux: nil).say(
            "\(grouped(trace.transactions.count)) transactions of \(trace.agentCount) authors, "
                + "typed by \(clientCount) clients\(reader)."
        )
        try await control(of: directory, clientCount: clientCount, group: group)

        let plan = RunPlan(
            tracePath: self.trace,
            clientCount: clientCount,
            phases: PhasePlan(seed: seed),
            relayURL: "",
            names: .main(clientCount: clientCount, tracePath: self.trace),
            editsPerSecond: speed ?? chaoticSpeed(script)
        )
        let shown = tmux ? try await Tmux(directory) : nil
        do {
            var conductor = try await Conductor(
                directory,
                plan: plan,
                script: script,
                chaosSeed: chaos,
                tmux: shown,
                progress: Progress(tmux: shown),
                group: group
            )
            try directory.write(try await conductor.run())
        } catch {
            await shown?.stop()
            throw error
        }
        Progress(tmux: nil).say("Judging; the slow second implementation takes its time.")
        return try await Verifier(directory, trace: trace).verdict(sabotage: sabotage)
    }

    /// Chaos needs some seconds to happen in.
    private func chaoticSpeed(_ script: Script) -> Int? {
        chaos == nil ? nil : max(1000, Int(script.eventCounts.reduce(0, +) / 15))
    }

    /// The control run: the same with nobody typing, to know which bytes are no text.
    private func control(
        of directory: RunDirectory,
        clientCount: Int,
        group: MultiThreadedEventLoopGroup
    ) async throws {
        let plan = RunPlan(
            tracePath: nil,
            clientCount: clientCount,
            phases: .none,
            relayURL: "",
            names: .control(clientCount: clientCount),
            editsPerSecond: nil
        )
        var conductor = try await Conductor(
            directory.control,
            plan: plan,
            script: Script(clientCount: clientCount),
            chaosSeed: nil,
            tmux: nil,
            progress: Progress(tmux: nil, isQuiet: true),
            group: group
        )
        _ = try await conductor.run()
    }

    /// Colour for a terminal, unless somebody doesn't want it. https://no-color.org
    static var isColored: Bool {
        let noColor = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
        return noColor.isEmpty && isatty(STDOUT_FILENO) == 1
    }
}

/// Calls a closure when somebody presses Ctrl-C or the system wants the process to end.
final class Interruptions {
    // A class: it stands for the handlers.
    private var sources: [any DispatchSourceSignal] = []

    init(_ body: @escaping @Sendable () -> Void) {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: body)
            source.resume()
            sources.append(source)
        }
    }

    func stop() { for source in sources { source.cancel() } }
}
