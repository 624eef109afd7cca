import SennitWire

/// Everything the verdict is made from. What gathers it decides nothing.
struct Evidence: Sendable {
    /// By client: its text after the trace.
    var replayed: [String] = []
    /// By client: its text at the end, while it ran.
    var settled: [String] = []
    /// By client: its text when the profile was opened again.
    var reopened: [String] = []
    /// From the slow second implementation.
    var expected: ExpectedTexts
    /// As the trace has it.
    var endContent: String
    /// By client, at the end: a line for each log.
    var versions: [[String]] = []
    /// By client: what differs between its index and one made anew; empty if nothing does.
    var indexDifferences: [[String]] = []
    /// What `sennit-relay verify` said.
    var relayCheck: (isSound: Bool, output: String) = (false, "")
    /// How many windows were looked for.
    var windowCount = 0
    /// How many windows of a text the scanner finds in a file that is that text, and how many it
    /// has.
    var scannerTest: (found: Int, expected: Int) = (0, 0)
    var disk = LeakReport()
    var traffic = LeakReport()
    var controlDisk = LeakReport()
    var controlTraffic = LeakReport()
    var typingLatency: LatencyReport
    var replayLatency: LatencyReport
    var replaySeconds = 0.0
    var traceEventCount: UInt64 = 0
    var killCount = 0
    /// How many of them at random during the replay; `nil` if that was not asked for.
    var chaosKillCount: Int?
    var stepCount = 0
    /// Steps whose place did not exist in the text at their parents.
    var fittedStepCount = 0
}

extension Verdict {
    /// Judges.
    init(_ evidence: Evidence) {
        self.init()
        judgeTexts(evidence)
        judgePlaces(evidence)
        judgeVersions(evidence)
        check(
            "index",
            "Every index equals one made anew",
            !evidence.indexDifferences.isEmpty
                && evidence.indexDifferences.allSatisfy(\.isEmpty),
            evidence.indexDifferences.joined().first
                ?? "\(evidence.indexDifferences.count) profiles"
        )
        check(
            "relay",
            "The relay's entries prove right",
            evidence.relayCheck.isSound,
            evidence.relayCheck.output.split(separator: "\n").first.map(String.init) ?? "no answer"
        )
        judgeLeaks(evidence)
        tellMeasurements(evidence)
    }

    private mutating func judgeTexts(_ evidence: Evidence) {
        let first = evidence.settled.first ?? ""
        let all = evidence.settled + evidence.reopened
        let different = all.indices.filter { !all[$0].hasSameScalars(as: first) }
        check(
            "texts",
            "All texts are equal",
            !evidence.settled.isEmpty && evidence.reopened.count == evidence.settled.count
                && different.isEmpty,
            different.isEmpty
                ? "\(grouped(first.unicodeScalars.count)) scalars in \(evidence.settled.count) "
                    + "editors, and again after reopening"
                : "text \(different.map { String($0 + 1) }.joined(separator: ", ")) differs: "
                    + (different.first.map { first.difference(from: all[$0]) } ?? "")
        )
        let replayed = evidence.replayed.first ?? ""
        let isReplayEqual = evidence.replayed.allSatisfy {
            $0.hasSameScalars(as: evidence.expected.replayed)
        }
        let isEndEqual = first.hasSameScalars(as: evidence.expected.settled)
        check(
            "reference",
            "They equal the slow second implementation",
            !evidence.replayed.isEmpty && isReplayEqual && isEndEqual,
            isReplayEqual && isEndEqual
                ? "after the trace, and after everything"
                : isReplayEqual
                    ? "not at the end: " + evidence.expected.settled.difference(from: first)
                    : "not after the trace: "
                        + evidence.expected.replayed.difference(from: replayed)
        )
        let isTraceEnd =
            !evidence.replayed.isEmpty
            && evidence.replayed.allSatisfy { $0.hasSameScalars(as: evidence.endContent) }
        if evidence.expected.hasConcurrentInsertsAtOnePlace && !isTraceEnd {
            let reason = "not comparable: authors of the trace inserted at one place concurrently"
            tell("end", "They equal the trace's end", reason)
        } else {
            check(
                "end",
                "They equal the trace's end",
                isTraceEnd,
                isTraceEnd
                    ? "before the offline phase" : evidence.endContent.difference(from: replayed)
            )
        }
    }

    /// Edits may have lost their place only where another order among authors can explain it.
    private mutating func judgePlaces(_ evidence: Evidence) {
        let title = "Every edit found its place"
        let count =
            "\(grouped(evidence.fittedStepCount)) of \(grouped(evidence.stepCount)) edits made at "
            + "the nearest place"
        if evidence.fittedStepCount > 0, evidence.expected.hasConcurrentInsertsAtOnePlace {
            tell("places", title, count + ": authors' inserts are in another order than there")
        } else {
            let isFitting = evidence.fittedStepCount == 0
            let all = "\(grouped(evidence.stepCount)) edits"
            check("places", title, isFitting, isFitting ? all : count)
        }
    }

    private mutating func judgeVersions(_ evidence: Evidence) {
        let first = evidence.versions.first ?? []
        let isEqual = !first.isEmpty && evidence.versions.allSatisfy { $0 == first }
        check(
            "versions",
            "All versions are equal",
            isEqual,
            isEqual
                ? "\(first.count) logs"
                : "client 1 has \(first.count) logs; not the same: client "
                    + evidence.versions.indices.filter { evidence.versions[$0] != first }
                    .map { String($0 + 1) }.joined(separator: ", ")
        )
    }

    private mutating func judgeLeaks(_ evidence: Evidence) {
        let (found, expected) = evidence.scannerTest
        check(
            "scanner",
            "The scanner finds a text that is there",
            found == expected && expected > 0,
            "\(grouped(found)) of \(grouped(expected)) windows"
        )
        judgeLeak("disk", "No text on the relay's disk", evidence.disk, evidence.controlDisk)
        judgeLeak(
            "traffic",
            "No text in the traffic",
            evidence.traffic,
            evidence.controlTraffic,
            baseline: "an empty space or the relay's program"
        )
        tell("windows", "8-byte runs looked for", grouped(evidence.windowCount))
    }

    private mutating func judgeLeak(
        _ key: String,
        _ title: String,
        _ report: LeakReport,
        _ control: LeakReport,
        baseline: String = "an empty space"
    ) {
        let leaks = report.hits(beyond: control)
        let unreadable = report.unreadable + control.unreadable
        var detail =
            "\(grouped(report.byteCount)) bytes in \(report.fileCount) files, "
            + "\(control.hits.count) runs as in \(baseline)"
        if let leak = leaks.first { detail = "\(leaks.count) runs, first in \(leak.description)" }
        if let reason = unreadable.first { detail = "can't be scanned: \(reason)" }
        let holds =
            leaks.isEmpty && unreadable.isEmpty && report.byteCount > 0 && control.byteCount > 0
        check(key, title, holds, detail)
    }

    private mutating func tellMeasurements(_ evidence: Evidence) {
        let seconds = max(evidence.replaySeconds, 0.001)
        let rate = Int(Double(evidence.traceEventCount) / seconds)
        tell(
            "replay",
            "Replay",
            "\(grouped(evidence.traceEventCount)) events in "
                + "\(Duration.seconds(seconds).shown): \(grouped(rate)) a second"
        )
        let kills = "Processes killed by SIGKILL"
        if let count = evidence.chaosKillCount {
            check("kills", kills, count > 0, "\(evidence.killCount), \(count) during the replay")
        } else {
            tell("kills", kills, String(evidence.killCount))
        }
        tellLatency("latency", "Key to other screen, typing", evidence.typingLatency, isAim: true)
        tellLatency("replay-latency", "Key to other screen, replay", evidence.replayLatency)
    }

    private mutating func tellLatency(
        _ key: String,
        _ title: String,
        _ report: LatencyReport,
        isAim: Bool = false
    ) {
        guard let middle = report.percentile(50), let high = report.percentile(99) else {
            tell(key, title, "no samples")
            return
        }
        let isMet = middle < .milliseconds(10) && high < .milliseconds(50)
        let aim =
            isAim ? (isMet ? ", within the aim" : ", beyond the aim") + " of 10 and 50 ms" : ""
        tell(
            key,
            title,
            "p50 \(middle.shown), p99 \(high.shown)\(aim); "
                + "\(grouped(report.durations.count)) samples"
        )
    }
}

extension String {
    /// Whether two texts are the same scalars. `==` would call canonically equivalent ones equal.
    fileprivate func hasSameScalars(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }

    /// Where two texts part, for a person.
    fileprivate func difference(from other: String) -> String {
        let mine = Array(unicodeScalars)
        let others = Array(other.unicodeScalars)
        let index = zip(mine, others).prefix { $0 == $1 }.count
        func shown(_ scalars: [Unicode.Scalar]) -> String {
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars.dropFirst(index).prefix(12))
            return String(text).debugDescription
        }
        return "they part at scalar \(index): \(shown(mine)) and \(shown(others))"
    }
}

extension Duration {
    /// With a unit that suits.
    fileprivate var shown: String {
        let tenths = Int((self / .microseconds(100)).rounded())
        return tenths < 20_000
            ? "\(tenths / 10).\(tenths % 10) ms" : "\(tenths / 10_000).\(tenths / 1_000 % 10) s"
    }
}

/// A number with its thousands apart.
func grouped(_ number: some BinaryInteger) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
        if index > 0 && index % 3 == 0 && digit != "-" { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}
