import SennitReference

/// What a history of several times the length costs: the trace, and the trace repeated; with the
/// text deleted in between, so that the same text is left, or typed in front of it.
struct GrowthResult {
    let name: String
    let factor: Int
    let keepsText: Bool
    let once: Measured
    let repeated: Measured

    /// Merging and opening of one of the two.
    struct Measured {
        let eventCount: Int
        let merge: Timing
        let openText: Timing
        let openEdit: Timing
        let storedByteCount: Int
    }

    init(_ trace: Trace, name: String, factor: Int, keepsText: Bool) throws {
        self.name = name
        self.factor = factor
        self.keepsText = keepsText
        let progress = Progress(name)
        once = try Self.measure(trace, repetitions: 1, keepsText, progress)
        repeated = try Self.measure(trace, repetitions: factor, keepsText, progress)
    }

    private static func measure(
        _ trace: Trace,
        repetitions: Int,
        _ keepsText: Bool,
        _ progress: Progress
    ) throws -> Measured {
        let label = repetitions == 1 ? "once" : "\(repetitions) times"
        let measurements = try progress.during("replaying it \(label)") {
            try TraceMeasurements(trace, repetitions: repetitions, keepsText: keepsText)
        }
        _ = try progress.during("checking the text") {
            try measurements.evidence(of: trace, isRepeated: repetitions > 1)
        }
        return Measured(
            eventCount: measurements.script.eventCount,
            merge: try progress.during("merging it \(label)") { try measurements.merge() },
            openText: try progress.during("opening it \(label)") { try measurements.openText() },
            openEdit: try progress.during("editing it \(label)") { try measurements.openEdit() },
            storedByteCount: measurements.storedForm.count
        )
    }

    /// How many times longer merging takes, the events counted: 1 is linear.
    private var mergeRatio: Double { repeated.merge.least / once.merge.least }
    private var eventRatio: Double { Double(repeated.eventCount) / Double(once.eventCount) }
    private var openTextRatio: Double { repeated.openText.least / once.openText.least }
    private var openEditRatio: Double { repeated.openEdit.least / once.openEdit.least }

    var table: Table {
        var table = Table(
            title: "\(name), \(factor) times: \(Amount.count(once.eventCount)) and "
                + "\(Amount.count(repeated.eventCount)) events, "
                + (keepsText ? "\(factor) times the text" : "the same text")
        )
        /// Adds a row with two times and their ratio.
        func add(_ what: String, _ once: Timing, _ repeated: Timing, limit: Double) {
            let ratio = repeated.least / once.least
            table.add(
                what,
                Amount.number(ratio) + " times",
                "\(Amount.milliseconds(once.least)) and \(Amount.milliseconds(repeated.least)); "
                    + "at most " + Amount.number(limit),
                verdict: ratio <= limit ? .met : .missed
            )
        }
        add("merge", once.merge, repeated.merge, limit: 1.05 * Double(factor))
        // Opening depends on the text and on nothing else.
        let openLimit = keepsText ? 1.05 * Double(factor) : 1.1
        add("open to text", once.openText, repeated.openText, limit: openLimit)
        add("open to first edit", once.openEdit, repeated.openEdit, limit: openLimit)
        table.add(
            "stored",
            Amount.number(Double(repeated.storedByteCount) / Double(once.storedByteCount))
                + " times",
            "\(Amount.bytes(once.storedByteCount)) and \(Amount.bytes(repeated.storedByteCount))"
        )
        return table
    }

    var json: String {
        var line = JSONLine()
        line.add("growth", name)
        line.add("factor", factor)
        line.add("keeps_text", keepsText)
        line.add("events_ratio", eventRatio)
        line.add("merge_ratio", mergeRatio)
        line.add("open_text_ratio", openTextRatio)
        line.add("open_edit_ratio", openEditRatio)
        line.add("once_merge", once.merge)
        line.add("repeated_merge", repeated.merge)
        line.add("once_open_edit", once.openEdit)
        line.add("repeated_open_edit", repeated.openEdit)
        line.add("once_encoded_bytes", once.storedByteCount)
        line.add("repeated_encoded_bytes", repeated.storedByteCount)
        return line.text
    }
}
