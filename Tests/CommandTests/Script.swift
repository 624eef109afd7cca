import Foundation

// A script is a session as people would write it down, with what they saw:
//
//     # Anna looks for a document that isn't there.
//     relay start
//     anna $ sennit new Notes --relay $RELAY --as Anna
//       founded …
//     anna $ sennit cat missing.md
//     2> sennit: error: no such document: missing.md
//     2> …
//     [66]
//
//     NAME $ COMMAND     runs in a shell with NAME's profile; a line that ends in \ goes on in the
//     next
//     NAME & COMMAND     the same beside the session, until `end NAME`
//       LINE             what it prints, two blanks in front
//     2> LINE            what it says on standard error
//     [64]               the exit code, if it isn't 0
//     await NAME: LINE   goes on once what runs beside the session has printed the line
//     end NAME           ends what runs beside the session, by SIGTERM
//     relay start        starts the relay; later on the same port, with the data it has, and with
//     the settings in relay.toml if that was put
//     relay stop, kill   ends it with SIGTERM, or with SIGKILL
//     put FILE           writes the indented lines that follow to a file
//
// In a line `…` stands for anything; alone on a line, for any number of lines. `json: a b c` stands
// for a line that is a JSON object with exactly these keys. $RELAY and $WORK mean the relay's URL
// and the session's directory.

/// One session and what it must look like.
struct Script: Sendable, CustomStringConvertible {
    let name: String
    let steps: [Step]

    var description: String { name }

    struct Step: Sendable, Equatable {
        let line: Int
        let action: Action
        /// Lines below the action: what it must print, or what `put` writes.
        var output: [String] = []
        var errors: [String] = []
        var exitCode: Int32 = 0
    }

    enum Action: Sendable, Equatable {
        case run(person: String, command: String)
        case start(person: String, command: String)
        case await(person: String, line: String)
        case end(person: String)
        case relay(RelayAction)
        case put(file: String)
    }

    enum RelayAction: String, Sendable { case start, stop, kill }

    /// A line that isn't of the language.
    struct Fault: Error, CustomStringConvertible, Equatable {
        let line: Int
        let text: String

        var description: String { "line \(line) is neither a command nor an expectation: \(text)" }
    }

    init(name: String, text: String) throws {
        self.name = name
        var steps: [Step] = []
        var continued: (line: Int, text: String)?
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            var (number, line) = (index + 1, String(raw))
            if let begun = continued { (number, line) = (begun.line, begun.text + line) }
            if line.hasSuffix("\\") {
                continued = (number, String(line.dropLast()))
                continue
            }
            continued = nil
            if line.hasPrefix("  "), !steps.isEmpty {
                steps[steps.count - 1].output.append(String(line.dropFirst(2)))
            } else if line.hasPrefix("2> "), !steps.isEmpty {
                steps[steps.count - 1].errors.append(String(line.dropFirst(3)))
            } else if line.hasPrefix("["), !steps.isEmpty,
                let code = Int32(line.dropFirst().dropLast())
            {
                steps[steps.count - 1].exitCode = code
            } else if !line.isEmpty, !line.hasPrefix("#") {
                guard let action = Script.action(of: line) else {
                    throw Fault(line: number, text: line)
                }
                steps.append(Step(line: number, action: action))
            }
        }
        self.steps = steps
    }

    private static func action(of line: String) -> Action? {
        let words = line.split(separator: " ", maxSplits: 2).map(String.init)
        guard words.count >= 2 else { return nil }
        switch (words[0], words[1], words.count > 2 ? words[2] : nil) {
        case ("relay", let verb, nil): return RelayAction(rawValue: verb).map(Action.relay)
        case ("end", let person, nil): return .end(person: person)
        case ("put", let file, nil): return .put(file: file)
        case ("await", let person, let rest?) where person.hasSuffix(":"):
            return .await(person: String(person.dropLast()), line: rest)
        case (let person, "$", let command?): return .run(person: person, command: command)
        case (let person, "&", let command?): return .start(person: person, command: command)
        default: return nil
        }
    }

    /// All scripts beside this file.
    static func all() throws -> [Script] {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Scripts")
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        return try files.filter { $0.hasSuffix(".txt") }.map { file in
            let text = try String(
                contentsOf: directory.appendingPathComponent(file),
                encoding: .utf8
            )
            return try Script(name: String(file.dropLast(4)), text: text)
        }
    }
}
