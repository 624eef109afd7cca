import ArgumentParser
import SennitDocument
import SennitWire

/// Does one work once, for a profiler. `Benchmarks/profile` calls it.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Does one work once, for a profiler; see Benchmarks/profile."
    )

    /// What is done.
    enum Work: String, CaseIterable, ExpressibleByArgument {
        case merge, local, live, open
    }

    @Argument(help: "A trace file.")
    var file: String

    @Option(help: "merge, local, live or open.")
    var work = Work.merge

    func run() throws {
        var loop = FileLoop()
        try loop.run([file]) { trace, name in
            let measurements = try TraceMeasurements(trace)
            var text = ""
            try profiledWork { text = try measurements.once(work) }
            try requireProfiled(text, measurements.expected, work)
            print("\(name), \(work.rawValue), \(measurements.script.eventCount) events")
        }
        try loop.finish()
    }
}

/// A profiler begins to count where this begins, so its name is part of `Benchmarks/profile`.
@inline(never)
private func profiledWork(_ body: () throws -> Void) rethrows {
    try body()
}

/// A profiler stops where this begins.
@inline(never)
private func requireProfiled(
    _ text: String,
    _ expected: String,
    _ work: ProfileCommand.Work
) throws {
    guard text.utf8.elementsEqual(expected.utf8) else {
        throw BenchError.wrongText(
            what: work.rawValue,
            place: Evidence.difference(text, expected)
        )
    }
}

extension TraceMeasurements {
    /// Does one work once.
    /// - Returns: The text it ends in.
    fileprivate func once(_ work: ProfileCommand.Work) throws -> String {
        var document = Document()
        switch work {
        case .merge: try DocumentCalls.merge(wholeForm: exchangeForm, into: &document)
        case .local: try replayLocally(into: &document)
        case .live:
            var logs = LogTable()
            for update in updates {
                try DocumentCalls.merge(update, into: &document, logs: &logs)
            }
        case .open: document = try DocumentCalls.open(storedHead)
        }
        return DocumentCalls.text(of: document)
    }
}
