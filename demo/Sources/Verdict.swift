import Foundation

/// What the demo came to: one line for each thing that was checked or measured.
struct Verdict: Sendable {
    enum Outcome: String, Codable, Sendable {
        case holds
        case fails
        /// A measurement, or a check that doesn't apply. Decides nothing.
        case told
    }

    struct Line: Codable, Hashable, Sendable {
        /// A stable word for programs.
        let key: String
        /// What was checked, in a few words.
        let title: String
        let outcome: Outcome
        /// What was seen.
        let detail: String
    }

    private(set) var lines: [Line] = []

    /// Whether nothing failed, and something was checked.
    var holds: Bool {
        lines.contains { $0.outcome == .holds } && !lines.contains { $0.outcome == .fails }
    }

    /// Adds a check.
    mutating func check(_ key: String, _ title: String, _ holds: Bool, _ detail: String) {
        let outcome = holds ? Outcome.holds : .fails
        lines.append(Line(key: key, title: title, outcome: outcome, detail: detail))
    }

    /// Adds a measurement.
    mutating func tell(_ key: String, _ title: String, _ detail: String) {
        lines.append(Line(key: key, title: title, outcome: .told, detail: detail))
    }

    /// The table for a person.
    func table(isColored: Bool) -> String {
        let width = lines.map(\.title.count).max() ?? 0
        let rows = lines.map { line in
            let title = line.title.padding(toLength: width, withPad: " ", startingAt: 0)
            return "  \(mark(line.outcome, isColored: isColored))  \(title)  \(line.detail)"
        }
        let failed = lines.count { $0.outcome == .fails }
        let sum =
            holds
            ? "The verdict holds."
            : "The verdict does not hold: \(failed) of \(lines.count) lines failed."
        return (rows + ["", sum]).joined(separator: "\n")
    }

    /// The same for a program.
    func json() throws -> Data {
        struct Document: Encodable {
            let holds: Bool
            let lines: [Line]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(Document(holds: holds, lines: lines))
    }

    private func mark(_ outcome: Outcome, isColored: Bool) -> String {
        let (sign, color) =
            switch outcome {
            case .holds: ("✓", "32")
            case .fails: ("✗", "31;1")
            case .told: ("·", "2")
            }
        return isColored ? "\u{1B}[\(color)m\(sign)\u{1B}[0m" : sign
    }
}
