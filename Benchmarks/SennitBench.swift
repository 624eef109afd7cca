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

            A trace is JSON, gzipped or plain, of one of two shapes:
              \(TraceShape.sequential)
              \(TraceShape.concurrent)
            Positions and counts are Unicode scalars.

            All times are CPU time of one thread: the least of several runs, with the median and \
            the number of runs beside it. Compare ratios within one run: machines are noisy. \
            Memory is what is allocated on the heap, counted. A measurement that ends in a wrong \
            text prints no numbers.

            It ends with 0 if everything was measured, 1 if a text was wrong, 2 if a file could \
            not be read or is no trace, 64 if the command line can't be understood.
            """,
        subcommands: [
            TraceCommand.self, GrowthCommand.self, OfflineCommand.self, AllCommand.self,
            ProfileCommand.self, CountHeapCommand.self,
        ]
    )
}

/// What a trace looks like, for those who have none.
enum TraceShape {
    static let sequential =
        #"{"startContent": "", "endContent": "hi", "txns": [{"patches": [[0, 0, "hi"]]}]}"#
    static let concurrent =
        #"{"kind": "concurrent", "endContent": "hi", "numAgents": 1, "#
        + #""txns": [{"parents": [], "agent": 0, "patches": [[0, 0, "hi"]]}]}"#
}

/// How the output looks.
struct OutputOptions: ParsableArguments {
    @Flag(help: "One JSON object a line instead of tables.")
    var json = false

    func show(_ table: @autoclosure () -> Table, _ line: @autoclosure () -> String) {
        // Not `print`, whose buffer would hold back what is known already.
        let text = json ? line() : table().text + "\n"
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }
}

/// Measures file after file. One that can't be measured does not stop the others.
struct FileLoop {
    private var status: Int32 = 0

    mutating func run(_ files: [String], _ measure: (Trace, String) throws -> Void) throws {
        for file in files {
            let name = TraceFile.name(of: file)
            do {
                let trace = try Progress(name).during("reading") { try TraceFile.read(file) }
                try measure(trace, name)
            } catch let error as ReferenceError {
                refuse("\(error)", isAboutShape: error.isAboutShape)
            } catch BenchError.wrongText(let what, let place) {
                fail("\(file): \(what) ends in another text, so nothing is measured: \(place)")
            } catch BenchError.counting(let reason) {
                fail("\(file): the memory could not be counted: \(reason)")
            } catch let error as BenchError {
                refuse("\(file): \(error)", isAboutShape: false)
            } catch {
                fail("\(file): the document refused what it had made itself: \(error)")
            }
        }
    }

    private mutating func fail(_ message: String) {
        Progress.say("sennit-bench: error: \(message)")
        status = max(status, 1)
    }

    private mutating func refuse(_ message: String, isAboutShape: Bool) {
        Progress.say("sennit-bench: error: \(message)")
        if isAboutShape {
            Progress.say(
                "  a trace looks like this: \(TraceShape.sequential)\n"
                    + "  or like this: \(TraceShape.concurrent)"
            )
        }
        status = 2
    }

    func finish() throws {
        if status != 0 { throw ExitCode(status) }
    }
}

extension ReferenceError {
    /// Whether an example of a right file helps.
    fileprivate var isAboutShape: Bool {
        switch self {
        case .notTrace, .badTransaction: true
        case .unreadable, .notGzip, .tooLarge: false
        }
    }
}

/// Measures one or more traces.
struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Local edits, merge in one batch, live merge, opening, encoded size, memory."
    )

    @Argument(help: "Trace files, sequential or concurrent, gzipped or plain.")
    var files: [String]

    @OptionGroup var output: OutputOptions

    func run() throws {
        var loop = FileLoop()
        try loop.run(files) { trace, name in
            let result = try TraceResult(trace, name: name)
            output.show(result.table, result.json)
        }
        try loop.finish()
    }
}

/// Measures how costs grow with the history.
struct GrowthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "growth",
        abstract: "Merging and opening when the history is ten times as long.",
        discussion: """
            The trace is replayed again and again; in between all text is deleted. So the history \
            grows and the text stays as long as it is. With --keep-text nothing is deleted and \
            each repetition is typed in front of the text.
            """
    )

    @Argument(help: "Trace files.")
    var files: [String]

    @Option(help: "How many times the trace is repeated, from 2 to 1000.")
    var times = 10

    @Flag(help: "Delete nothing in between.")
    var keepText = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (2...1000).contains(times) else {
            throw ValidationError("--times is from 2 to 1000")
        }
    }

    func run() throws {
        var loop = FileLoop()
        try loop.run(files) { trace, name in
            let result = try GrowthResult(trace, name: name, factor: times, keepsText: keepText)
            output.show(result.table, result.json)
        }
        try loop.finish()
    }
}

/// Measures two people who edit offline.
struct OfflineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offline",
        abstract: "Two people make N random edits each offline; one receives the other's."
    )

    @Argument(help: "Edits of each person, from 1 to 1,000,000.")
    var count = 6000

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...1_000_000).contains(count) else {
            throw ValidationError("the number of edits is from 1 to 1000000")
        }
    }

    func run() throws {
        do {
            let result = try OfflineBenchmark(count: count).measure()
            output.show(result.table, result.json)
        } catch let error as BenchError {
            Progress.say("sennit-bench: error: \(error), so nothing is measured")
            throw ExitCode(1)
        }
    }
}

/// What `make bench` runs.
struct AllCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all",
        abstract: "The traces that are here, their growth, and two people offline."
    )

    @OptionGroup var output: OutputOptions

    func run() throws {
        let candidates = [
            "Tests/Traces/friendsforever.json.gz", "../shared/traces/automerge-paper.json.gz",
            "../shared/traces/git-makefile.json.gz",
        ]
        let present = candidates.filter { FileManager.default.fileExists(atPath: $0) }
        for absent in candidates where !present.contains(absent) {
            Progress.say("skipped, not here: \(absent)")
        }
        var loop = FileLoop()
        try loop.run(present) { trace, name in
            let result = try TraceResult(trace, name: name)
            output.show(result.table, result.json)
        }
        try loop.run(present) { trace, name in
            let growth = try GrowthResult(trace, name: name, factor: 10, keepsText: false)
            output.show(growth.table, growth.json)
        }
        for count in [1500, 6000] {
            let result = try OfflineBenchmark(count: count).measure()
            output.show(result.table, result.json)
        }
        try loop.finish()
    }
}

/// What `trace` starts to have memory counted.
struct CountHeapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "count-heap", shouldDisplay: false)

    @Argument var folder: String
    @Argument var expectedByteCount: Int

    func run() throws {
        let result = try HeapPass.count(in: folder, expectedByteCount: expectedByteCount)
        print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }
}
