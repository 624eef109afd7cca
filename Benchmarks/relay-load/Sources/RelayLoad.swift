import ArgumentParser
import Foundation

/// Loads a running relay and says how it bears it.
@main
struct RelayLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sennit-relay-load",
        abstract: "Loads a relay over real sockets and measures it.",
        discussion: """
            Example: sennit-relay-load append --port 7433 --pid $(pidof sennit-relay) \
            --connections 64

            append   each connection appends in a space of its own; an operation is an acked entry
            fanout   one writes, all connections read; an operation is an entry at one reader
            catchup  a space is filled, one connection reads it; an operation is an entry
            idle     connections that say nothing; look at the memory

            It founds new spaces on the relay, so point it at one that may be thrown away.
            Benchmarks/relay-load/run starts a relay, and the references to hold it against.
            """
    )

    enum Scenario: String, ExpressibleByArgument, CaseIterable {
        case append, fanout, catchup, idle
    }

    @Argument(help: "append, fanout, catchup or idle.")
    var scenario: Scenario

    @Option(help: "The relay's port on 127.0.0.1.")
    var port: Int

    @Option(help: "The relay's process, for its processor time and memory.")
    var pid: Int?

    @Option(help: "Connections; readers in fanout.")
    var connections = 64

    @Option(help: "Appends of a connection that are in flight.")
    var window = 1

    @Option(help: "Bytes of each entry.")
    var payload = 256

    @Option(help: "Entries of each append.")
    var batch = 1

    @Option(help: "Appends to sign beforehand, all connections together; the run ends with them.")
    var count = 100_000

    @Option(help: "Seconds that the run takes at most, signing and connecting not counted.")
    var seconds = 5.0

    @Option(help: "Readers of fanout, beside the others, that read a byte a second.")
    var slow = 0

    @Option(help: "Another number makes other keys and spaces.")
    var seed: UInt64 = 1

    @Flag(help: "One JSON object instead of a table.")
    var json = false

    func validate() throws {
        guard (1...65535).contains(port) else { throw ValidationError("--port takes 1 to 65535") }
        guard (1...60_000).contains(connections) else {
            throw ValidationError("--connections takes 1 to 60000")
        }
        guard (0...10_000).contains(slow) else {
            throw ValidationError("--slow takes 0 to 10000")
        }
        guard (1...256).contains(batch), (1...1_000_000).contains(payload),
            batch == 1 || batch * payload <= 256 << 10
        else { throw ValidationError("an append has at most 256 entries and 256 KiB") }
        guard (1...64).contains(window), (1...10_000_000).contains(count) else {
            throw ValidationError("--window takes 1 to 64, --count 1 to 10000000")
        }
        guard (0.1...3600).contains(seconds) else {
            throw ValidationError("--seconds takes 0.1 to 3600")
        }
    }

    func run() throws {
        let needed = connections + slow + 64
        guard System.raiseDescriptorLimit(to: needed) >= needed else {
            throw ValidationError("this process may not open \(needed) sockets; see ulimit -n")
        }
        let settings = Settings(
            port: port,
            relay: RelayProcess(identifier: pid),
            connections: connections,
            window: window,
            payload: payload,
            batch: batch,
            count: count,
            seconds: seconds,
            slow: slow,
            seed: seed
        )
        do {
            let outcome =
                switch scenario {
                case .append: try AppendScenario(settings: settings).run()
                case .fanout: try FanOutScenario(settings: settings).run()
                case .catchup: try CatchUpScenario(settings: settings).run()
                case .idle: try IdleScenario(settings: settings).run()
                }
            if !json { print(Outcome.header) }
            print(json ? outcome.json : outcome.row)
        } catch {
            FileHandle.standardError.write(Data("sennit-relay-load: error: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }
}
