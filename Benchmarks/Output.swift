import Foundation
import Synchronization

/// One line of JSON, its fields in the order in which they were added.
struct JSONLine {
    private var fields: [String] = []

    mutating func add(_ name: String, _ value: Int) { fields.append("\"\(name)\":\(value)") }

    mutating func add(_ name: String, _ value: Int64) { add(name, Int(value)) }

    mutating func add(_ name: String, _ value: Bool) { fields.append("\"\(name)\":\(value)") }

    /// A number with as many digits as it means.
    mutating func add(_ name: String, _ value: Double) {
        fields.append("\"\(name)\":\(String(format: "%.5g", value))")
    }

    mutating func add(_ name: String, _ value: String) {
        let data = try? JSONEncoder().encode(value)
        fields.append("\"\(name)\":\(data.map { String(decoding: $0, as: UTF8.self) } ?? "null")")
    }

    /// `name_ms`, `name_median_ms` and `name_runs`.
    mutating func add(_ name: String, _ timing: Timing) {
        add("\(name)_ms", timing.least)
        add("\(name)_median_ms", timing.median)
        add("\(name)_runs", timing.runCount)
    }

    var text: String { "{" + fields.joined(separator: ",") + "}" }
}

/// Measurements for people: what, how much, and a remark.
struct Table {
    /// How a value stands to its target.
    enum Verdict { case none, met, missed }

    private var rows: [(what: String, value: String, remark: String, verdict: Verdict)] = []
    let title: String

    init(title: String) { self.title = title }

    mutating func add(
        _ what: String,
        _ value: String,
        _ remark: String = "",
        verdict: Verdict = .none
    ) {
        rows.append((what, value, remark, verdict))
    }

    /// A time with its median and the number of runs.
    mutating func add(
        _ what: String,
        _ timing: Timing,
        _ remark: String = "",
        verdict: Verdict = .none
    ) {
        let runs = timing.runCount == 1 ? "1 run" : "\(timing.runCount) runs"
        let median = "median \(Amount.milliseconds(timing.median)) of \(runs)"
        add(
            what,
            Amount.milliseconds(timing.least),
            remark.isEmpty ? median : "\(median); \(remark)",
            verdict: verdict
        )
    }

    var text: String {
        let width = rows.map(\.what.count).max() ?? 0
        let valueWidth = rows.map(\.value.count).max() ?? 0
        var lines = [Style.bold(title)]
        for row in rows {
            let what = row.what.padding(toLength: width, withPad: " ", startingAt: 0)
            let space = String(repeating: " ", count: valueWidth - row.value.count)
            let value =
                switch row.verdict {
                case .none: row.value
                case .met: Style.green(row.value)
                case .missed: Style.red(row.value)
                }
            let remark = row.remark.isEmpty ? "" : "   " + row.remark
            lines.append("  \(what)  \(space)\(value)\(remark)")
        }
        return lines.joined(separator: "\n")
    }
}

/// Amounts with their units.
enum Amount {
    static func milliseconds(_ value: Double) -> String {
        value < 10 ? String(format: "%.3f ms", value) : String(format: "%.1f ms", value)
    }

    /// A number with some digits after the point.
    static func number(_ value: Double, digits: Int = 2) -> String {
        String(format: "%.\(digits)f", value)
    }

    static func microseconds(_ value: Double) -> String { String(format: "%.2f µs", value) }

    static func bytes(_ value: some BinaryInteger) -> String {
        let digits = String(Int64(value).magnitude)
        var grouped = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { grouped.append(",") }
            grouped.append(digit)
        }
        return "\(value < 0 ? "-" : "")\(grouped) B"
    }

    static func count(_ value: Int) -> String { String(bytes(value).dropLast(2)) }

    static func megabytes(_ value: Int64) -> String {
        String(format: "%.2f MB", Double(value) / 1_000_000)
    }
}

/// Colours, where somebody sees them and has not asked for none (https://no-color.org).
enum Style {
    private static let isOn: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return isatty(STDOUT_FILENO) == 1 && (environment["NO_COLOR"] ?? "").isEmpty
            && environment["TERM"] != "dumb"
    }()

    static func bold(_ text: String) -> String { painted(text, "1") }
    static func green(_ text: String) -> String { painted(text, "32") }
    static func red(_ text: String) -> String { painted(text, "31") }

    private static func painted(_ text: String, _ code: String) -> String {
        isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// Tells on the standard error output what is going on if it takes longer than a second.
final class Progress: Sendable {
    private let subject: String
    // The number of the phase that runs, even if none does.
    private let phase = Mutex(0)

    init(_ subject: String) { self.subject = subject }

    func during<Result>(_ what: String, _ body: () throws -> Result) rethrows -> Result {
        let number = phase.withLock { phase in
            phase += 1
            return phase
        }
        defer { phase.withLock { $0 += 1 } }
        DispatchQueue.global().asyncAfter(deadline: .now() + 1) { [self] in
            guard phase.withLock({ $0 == number }) else { return }
            Self.say("\(subject): \(what) …")
        }
        return try body()
    }

    static func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
