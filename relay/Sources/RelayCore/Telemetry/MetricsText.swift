import RelayStorage

/// Figures in Prometheus' text format, version 0.0.4:
/// https://prometheus.io/docs/instrumenting/exposition_formats/
struct MetricsText {
    /// How a figure changes.
    enum Kind: String {
        /// It goes up and down.
        case gauge
        /// It only goes up, from 0 at the start.
        case counter
    }

    private(set) var text = ""

    /// A figure without labels.
    mutating func add(_ kind: Kind, _ name: String, _ help: String, _ value: Double) {
        begin(kind.rawValue, name, help)
        text += "sennit_relay_\(name) \(MetricsText.number(value))\n"
    }

    mutating func add(_ kind: Kind, _ name: String, _ help: String, _ value: UInt64) {
        begin(kind.rawValue, name, help)
        text += "sennit_relay_\(name) \(value)\n"
    }

    /// A figure for each value of a label.
    mutating func add(
        _ kind: Kind,
        _ name: String,
        _ help: String,
        label: String,
        _ rows: [(value: String, count: UInt64)]
    ) {
        begin(kind.rawValue, name, help)
        for row in rows {
            text += "sennit_relay_\(name){\(label)=\"\(row.value)\"} \(row.count)\n"
        }
    }

    /// A histogram: of each bound, how many values are no larger.
    mutating func add(_ name: String, _ help: String, _ histogram: StorageFigures.Histogram) {
        begin("histogram", name, help)
        var count: UInt64 = 0
        for (index, part) in histogram.counts.enumerated() {
            count += part
            let isLast = index == histogram.bounds.count
            let bound = isLast ? "+Inf" : MetricsText.number(histogram.bounds[index])
            text += "sennit_relay_\(name)_bucket{le=\"\(bound)\"} \(count)\n"
        }
        text += "sennit_relay_\(name)_sum \(MetricsText.number(histogram.sum))\n"
        text += "sennit_relay_\(name)_count \(count)\n"
    }

    private mutating func begin(_ kind: String, _ name: String, _ help: String) {
        text += "# HELP sennit_relay_\(name) \(help)\n# TYPE sennit_relay_\(name) \(kind)\n"
    }

    private static func number(_ value: Double) -> String {
        if let whole = Int(exactly: value) { return String(whole) }
        return "\(value)"
    }
}
