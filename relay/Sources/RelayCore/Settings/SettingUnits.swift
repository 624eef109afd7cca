/// Sizes with units: `512`, `64KiB`, `1.5` is not one. Units of a thousand are read too: `10MB`.
enum ByteText {
    private static let binary = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20)]
    private static let units =
        binary + [
            ("KiB", 1 << 10), ("TB", 1_000_000_000_000), ("GB", 1_000_000_000),
            ("MB", 1_000_000), ("kB", 1_000), ("KB", 1_000), ("B", 1), ("", 1),
        ]

    static func read(_ text: String) -> Int? { UnitText.read(text, units) }

    /// With the largest binary unit that divides it.
    static func write(_ count: Int) -> String {
        for (unit, size) in binary + [("KiB", 1 << 10)]
        where count >= size && count.isMultiple(of: size) {
            return "\(count / size)\(unit)"
        }
        return String(count)
    }
}

/// Durations with units: `500ms`, `30s`, `5m`, `12h`, `7d`.
enum DurationText {
    private static let units = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    static func read(_ text: String) -> Duration? {
        UnitText.read(text, units).map { .milliseconds($0) }
    }

    /// With the largest unit that divides it.
    static func write(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
        guard milliseconds > 0 else { return "0s" }
        for (unit, size) in units.reversed() where milliseconds.isMultiple(of: size) {
            return "\(milliseconds / size)\(unit)"
        }
        return "\(milliseconds)ms"
    }
}

private enum UnitText {
    /// A whole number and one of the units, with or without a space between them.
    static func read(_ text: String, _ units: [(name: String, size: Int)]) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = String(text.dropFirst(digits.count)).trimmingSpaces
        guard let count = Int(digits), let unit = units.first(where: { $0.name == name }) else {
            return nil
        }
        let (value, overflow) = count.multipliedReportingOverflow(by: unit.size)
        return overflow ? nil : value
    }
}
