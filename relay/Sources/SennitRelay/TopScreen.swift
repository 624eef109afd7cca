// What `sennit-relay top` shows: the metrics of two moments, made into rates and drawn.
//
// Pure: the text of /metrics comes in, lines go out.

/// The figures of one moment, read from Prometheus' text format.
struct MetricsSample {
    private(set) var values: [String: Double] = [:]
    /// Of the times that syncs took: the upper bounds, and how many were no longer.
    private(set) var syncBuckets: [(bound: Double, count: Double)] = []
    private(set) var version = ""

    private static let prefix = "sennit_relay_"

    /// Reads a text; lines that aren't a relay's are passed over.
    init(_ text: String) {
        for line in text.split(separator: "\n") where line.hasPrefix(MetricsSample.prefix) {
            guard let space = line.lastIndex(of: " "),
                let value = Double(line[line.index(after: space)...])
            else { continue }
            let name = String(line[..<space].dropFirst(MetricsSample.prefix.count))
            values[name] = value
            if name.hasPrefix("sync_seconds_bucket{le=\""), name.hasSuffix("\"}") {
                let bound = name.dropFirst("sync_seconds_bucket{le=\"".count).dropLast(2)
                syncBuckets.append((Double(bound) ?? .infinity, value))
            }
            if name.hasPrefix("build_info{version=\"") {
                version = String(name.dropFirst("build_info{version=\"".count).dropLast(2))
            }
        }
    }

    /// Whether a relay answered.
    var isRelay: Bool { values["uptime_seconds"] != nil }

    subscript(name: String) -> Double { values[name] ?? 0 }

    /// Databases that the relay stores in, if it does, and how many of them can be used.
    var databases: (count: Int, upCount: Int) {
        let states = values.filter { $0.key.hasPrefix("database_up{") }.values
        return (states.count, states.count { $0 == 1 })
    }

    /// All refusals, whatever their code.
    var refusalCount: Double {
        values.filter { $0.key.hasPrefix("refusals_total{") }.values.reduce(0, +)
    }
}

/// What happened between two moments.
struct MetricsInterval {
    let now: MetricsSample
    private let before: MetricsSample
    private let seconds: Double

    init(from before: MetricsSample, to now: MetricsSample, seconds: Double) {
        self.now = now
        // A relay that was started again counts from 0.
        let isSame = now["uptime_seconds"] >= before["uptime_seconds"]
        self.before = isSame ? before : MetricsSample("")
        self.seconds = max(0.001, isSame ? seconds : now["uptime_seconds"])
    }

    /// How much a counter grew in a second.
    func rate(_ name: String) -> Double { max(0, now[name] - before[name]) / seconds }

    var refusalRate: Double { max(0, now.refusalCount - before.refusalCount) / seconds }

    /// A time that so large a share of the syncs didn't exceed, in seconds, as far as the buckets
    /// tell; `nil` if there was none.
    func syncTime(share: Double) -> Double? {
        let old = Dictionary(before.syncBuckets.map { ($0.bound, $0.count) }) { first, _ in first }
        let buckets = now.syncBuckets.map { ($0.bound, max(0, $0.count - (old[$0.bound] ?? 0))) }
        guard let total = buckets.last?.1, total > 0 else { return nil }
        let wanted = total * share
        var (lower, below) = (0.0, 0.0)
        for (bound, count) in buckets {
            if count >= wanted {
                // Nothing is known beyond the last bound but that it was exceeded.
                guard bound.isFinite, count > below else { return lower }
                return lower + (bound - lower) * (wanted - below) / (count - below)
            }
            (lower, below) = (bound, count)
        }
        return lower
    }
}

/// The lines of the screen.
struct TopScreen {
    /// The 99th percentiles of the last minutes, for the sparkline; `nil` where nothing was synced.
    private var syncTimes: [Double?] = []
    private var appendRates: [Double] = []
    private static let memory = 240

    /// Takes note of an interval.
    mutating func add(_ interval: MetricsInterval) {
        syncTimes.append(interval.syncTime(share: 0.99))
        appendRates.append(interval.rate("appends_total"))
        if syncTimes.count > TopScreen.memory {
            syncTimes.removeFirst()
            appendRates.removeFirst()
        }
    }

    /// Draws.
    /// - Parameters:
    ///   - isColored: whether escapes for color may be used.
    func lines(
        _ interval: MetricsInterval,
        url: String,
        width: Int,
        height: Int,
        isColored: Bool
    ) -> [String] {
        let now = interval.now
        func paint(_ text: String, _ code: String) -> String {
            isColored ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
        }
        let isReady = now["ready"] == 1
        let uptime = TopText.duration(now["uptime_seconds"])
        let word = isReady ? "ready" : "not ready"
        let title = "sennit-relay \(now.version)"
        let rest = "  up \(uptime)  \(url)"
        let room = width - title.count - word.count - 2
        // Escapes have no width, so a line that is colored is cut before it is painted.
        var lines = [
            room > 0
                ? paint(title, "1") + "  " + paint(word, isReady ? "32" : "31") + rest.prefix(room)
                : String("\(title)  \(word)".prefix(max(0, width))),
            "",
        ]
        func row(_ name: String, _ value: String, _ more: String = "") {
            let left = name.padded(to: 18) + value.padded(toEnd: 12)
            lines.append(String((left + "  " + more).prefix(max(0, width))))
        }
        row("connections", TopText.count(now["connections"]))
        row(
            "appends/s",
            TopText.rate(interval.rate("appends_total")),
            sparkline(appendRates.map { $0 }, width: width - 34)
        )
        row("entries/s", TopText.rate(interval.rate("entries_total")))
        row("deliveries/s", TopText.rate(interval.rate("deliveries_total")))
        row("in", TopText.bytes(interval.rate("received_bytes_total")) + "/s")
        row("out", TopText.bytes(interval.rate("sent_bytes_total")) + "/s")
        row("fsync p50", TopText.milliseconds(interval.syncTime(share: 0.5)))
        row(
            "fsync p99",
            TopText.milliseconds(interval.syncTime(share: 0.99)),
            sparkline(syncTimes, width: width - 34)
        )
        row("fsyncs/s", TopText.rate(interval.rate("sync_seconds_count")))
        row("fsync failures", TopText.count(now["sync_failures_total"]))
        row("slow readers cut", TopText.count(now["slow_readers_cut_total"]))
        row("refusals/s", TopText.rate(interval.refusalRate))
        let segments = now.values["segments"].map { "\(TopText.count($0)) segments, " } ?? ""
        row(
            "stored",
            TopText.bytes(now["storage_bytes"]),
            segments + "\(Int(now["live_share"] * 100)) % live"
        )
        let databases = now.databases
        if databases.count > 0 {
            row("databases", "\(databases.upCount) of \(databases.count)", "can be used")
        }
        row(
            "spaces, logs",
            "\(TopText.count(now["spaces"])), \(TopText.count(now["logs"]))"
        )
        lines += ["", paint("q quits", "2")]
        if !isColored { lines = lines.map { String($0.prefix(max(0, width))) } }
        return Array(lines.prefix(max(1, height)))
    }

    /// Eight heights, the last values at the right.
    private func sparkline(_ values: [Double?], width: Int) -> String {
        guard width > 0 else { return "" }
        let shown = values.suffix(width)
        let most = shown.compactMap { $0 }.max() ?? 0
        let blocks = Array("▁▂▃▄▅▆▇█")
        return String(
            shown.map { value in
                guard let value else { return " " }
                guard most > 0 else { return blocks[0] }
                return blocks[min(7, Int(value / most * 7.999))]
            }
        )
    }

    /// The same for programs: one object.
    static func json(_ interval: MetricsInterval, url: String) -> String {
        func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "null" }
        let now = interval.now
        let members: [(String, String)] = [
            ("ready", now["ready"] == 1 ? "true" : "false"),
            ("uptimeSeconds", number(now["uptime_seconds"])),
            ("connections", number(now["connections"])),
            ("appendsPerSecond", number(interval.rate("appends_total"))),
            ("entriesPerSecond", number(interval.rate("entries_total"))),
            ("deliveriesPerSecond", number(interval.rate("deliveries_total"))),
            ("receivedBytesPerSecond", number(interval.rate("received_bytes_total"))),
            ("sentBytesPerSecond", number(interval.rate("sent_bytes_total"))),
            ("syncSecondsP50", number(interval.syncTime(share: 0.5))),
            ("syncSecondsP99", number(interval.syncTime(share: 0.99))),
            ("syncFailures", number(now["sync_failures_total"])),
            ("slowReadersCut", number(now["slow_readers_cut_total"])),
            ("refusalsPerSecond", number(interval.refusalRate)),
            ("storedBytes", number(now["storage_bytes"])),
            ("databases", "\(now.databases.count)"),
            ("databasesUp", "\(now.databases.upCount)"),
            ("spaces", number(now["spaces"])),
            ("logs", number(now["logs"])),
        ]
        return "{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }
}

/// Figures for people.
enum TopText {
    static func count(_ value: Double) -> String { String(Int(value)) }

    /// Three digits that mean something.
    static func rate(_ value: Double) -> String {
        value >= 100 || value == 0 ? String(Int(value.rounded())) : fixed(value, value < 10 ? 2 : 1)
    }

    static func bytes(_ value: Double) -> String {
        var (value, unit) = (value, "B")
        for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
            (value, unit) = (value / 1024, next)
        }
        return (unit == "B" ? String(Int(value)) : fixed(value, 1)) + " " + unit
    }

    static func milliseconds(_ seconds: Double?) -> String {
        seconds.map { fixed($0 * 1000, 2) + " ms" } ?? "-"
    }

    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds)
        let (days, hours, minutes) = (whole / 86400, whole / 3600 % 24, whole / 60 % 60)
        if days > 0 { return "\(days) d \(hours) h" }
        if hours > 0 { return "\(hours) h \(minutes) min" }
        return minutes > 0 ? "\(minutes) min \(whole % 60) s" : "\(whole) s"
    }

    private static func fixed(_ value: Double, _ digits: Int) -> String {
        let scale = digits == 2 ? 100.0 : 10.0
        let scaled = Int((value * scale).rounded())
        let rest = String(scaled % Int(scale))
        return "\(scaled / Int(scale))." + String(repeating: "0", count: digits - rest.count) + rest
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }

    fileprivate func padded(toEnd width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
