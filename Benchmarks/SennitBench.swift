import ArgumentParser
import Foundation
import SennitReference

/// Benchmarks of the merge on recorded editing histories.
@main
struct SennitBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sennit-bench",
        abstract: "Measures documents on recorded editing histories.",
        discussion: """
            Example: sennit-bench trace Tests/Traces/friendsforever.json.gz --json

            All times are CPU time of one thread. Compare ratios of one run: machines are noisy.
            """,
        subcommands: [TraceCommand.self, OfflineCommand.self, AllCommand.self]
    )
}

/// Measures one or more traces.
struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Local edits, merge in one batch, live merge, opening, encoded size."
    )

    @Argument(help: "Trace files, sequential or concurrent, gzipped or plain.")
    var files: [String]

    @Flag(help: "One JSON object a line instead of a table.")
    var json = false

    func run() throws {
        if !json { print(TraceResult.header) }
        for file in files {
            let trace = try Trace(path: file)
            let name = URL(fileURLWithPath: file).lastPathComponent
                .replacingOccurrences(of: ".json.gz", with: "")
            let result = try TraceBenchmark(trace).measure(name: name)
            print(json ? result.json : result.row)
        }
    }
}

/// Measures two people who edit offline.
struct OfflineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offline",
        abstract: "Two people make N random edits each offline; one receives the other's."
    )

    @Argument(help: "Edits of each person.")
    var count: Int = 6000

    @Flag(help: "One JSON object instead of a line.")
    var json = false

    func run() throws {
        let result = try OfflineBenchmark(count: count).measure()
        print(json ? result.json : result.row)
    }
}

/// What `make bench` runs.
struct AllCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all",
        abstract: "The traces that are here, and two people offline."
    )

    func run() throws {
        let candidates = [
            "Tests/Traces/friendsforever.json.gz", "../shared/traces/automerge-paper.json.gz",
            "../shared/traces/git-makefile.json.gz",
        ]
        let present = candidates.filter { FileManager.default.fileExists(atPath: $0) }
        var traces = TraceCommand()
        traces.files = present
        traces.json = false
        try traces.run()
        for count in [1500, 6000] {
            print(try OfflineBenchmark(count: count).measure().row)
        }
        for absent in candidates where !present.contains(absent) {
            print("skipped, not here: \(absent)")
        }
    }
}
