import SennitReference

/// All measurements of one trace.
struct TraceResult {
    let name: String
    let trace: TraceSummary
    let evidence: Evidence
    let local: Timing
    let localAllocations: Double
    let merge: Timing
    let live: LiveTiming
    let openText: Timing
    let openEdit: Timing
    let storedByteCount: Int
    let headByteCount: Int?
    let exchangeByteCount: Int
    let updateByteCount: Int
    let memory: HeapPass.Result

    /// What a trace is.
    struct TraceSummary {
        let isSequential: Bool
        let transactionCount: Int
        let authorCount: Int
        let eventCount: Int
        let scalarCount: Int
        let byteCount: Int
    }

    init(_ trace: Trace, name: String) throws {
        let progress = Progress(name)
        let measurements = try progress.during("replaying") { try TraceMeasurements(trace) }
        self.name = name
        self.trace = TraceSummary(
            isSequential: measurements.script.isSequential,
            transactionCount: trace.transactions.count,
            authorCount: trace.agentCount,
            eventCount: measurements.script.eventCount,
            scalarCount: measurements.expected.unicodeScalars.count,
            byteCount: measurements.expected.utf8.count
        )
        evidence = try progress.during("checking the text") {
            try measurements.evidence(of: trace)
        }
        local = try progress.during("editing") { try measurements.local() }
        localAllocations = try progress.during("counting allocations") {
            try measurements.localAllocations()
        }
        merge = try progress.during("merging") { try measurements.merge() }
        live = try progress.during("merging live") { try measurements.live() }
        openText = try progress.during("opening") { try measurements.openText() }
        openEdit = try progress.during("opening for an edit") { try measurements.openEdit() }
        storedByteCount = measurements.storedForm.count
        headByteCount = measurements.storedHead.count
        exchangeByteCount = measurements.exchangeForm.count
        updateByteCount = measurements.updates.reduce(0) { $0 + $1.bytes.count }
        memory = try progress.during("counting memory") { try measurements.memory() }
        if memory.disagreement > HeapPass.tolerance {
            Progress.say(
                "\(name): warning: the heap counter and the allocator disagree by "
                    + "\(Int(memory.disagreement * 100)) %; the memory figures are doubtful"
            )
        }
    }

    /// The most that opening until the first edit may take: 0.5 ms and 1 ms for each megabyte.
    var openBudget: Double { 0.5 + Double(trace.byteCount) / 1_000_000 }

    var table: Table {
        let authors = trace.authorCount == 1 ? "1 author" : "\(trace.authorCount) authors"
        var table = Table(
            title: "\(name): \(Amount.count(trace.transactionCount)) transactions of \(authors), "
                + "\(Amount.count(trace.eventCount)) events, "
                + "text \(Amount.bytes(trace.byteCount)), "
                + "checked against \(evidence.rawValue)"
        )
        let perEdit = local.least * 1000 / Double(max(trace.transactionCount, 1))
        table.add(
            trace.isSequential ? "local" : "local, at parents",
            local,
            Amount.microseconds(perEdit) + " and \(Amount.number(localAllocations)) "
                + "allocations a transaction"
        )
        table.add("merge", merge)
        addLive(to: &table)
        let budget = "budget \(Amount.milliseconds(openBudget))"
        table.add(
            "open to text",
            openText,
            budget,
            verdict: openText.least <= openBudget ? .met : .missed
        )
        table.add(
            "open to first edit",
            openEdit,
            budget,
            verdict: openEdit.least <= openBudget ? .met : .missed
        )
        let head = headByteCount.map { "; head \(Amount.bytes($0))" } ?? ""
        table.add(
            "stored",
            Amount.bytes(storedByteCount),
            "whole history and text\(head); exchanged \(Amount.bytes(exchangeByteCount)), "
                + "one by one \(Amount.bytes(updateByteCount))"
        )
        addMemory(to: &table)
        return table
    }

    private func addLive(to table: inout Table) {
        table.add(
            "live, each",
            Amount.microseconds(live.meanMicroseconds),
            "mean of \(Amount.count(live.updateCount)), least of \(live.whole.runCount) runs; "
                + "without decoding \(Amount.microseconds(live.decodedMeanMicroseconds))"
        )
        table.add(
            "live, worst",
            Amount.milliseconds(live.worst),
            "99th percentile \(Amount.microseconds(live.percentile99 * 1000))"
        )
    }

    private func addMemory(to table: inout Table) {
        let agreement =
            "counter and allocator differ by "
            + Amount.number(memory.disagreement * 100) + " %"
        table.add(
            "heap, peak of merge",
            Amount.megabytes(memory.peak),
            "resident size grew by \(Amount.megabytes(memory.residentGrowth)); \(agreement)"
        )
        table.add("heap, merged", Amount.megabytes(memory.merged), overText(memory.merged))
        table.add("heap, at rest", Amount.megabytes(memory.rest), overText(memory.rest))
    }

    private func overText(_ heap: Int64) -> String {
        guard trace.byteCount > 0 else { return "" }
        let share = Double(heap) / Double(trace.byteCount) - 1
        return "text and \(Amount.number(share * 100, digits: 0)) %"
    }

    var json: String {
        var line = JSONLine()
        line.add("trace", name)
        line.add("kind", trace.isSequential ? "sequential" : "concurrent")
        line.add("transactions", trace.transactionCount)
        line.add("authors", trace.authorCount)
        line.add("events", trace.eventCount)
        line.add("text_scalars", trace.scalarCount)
        line.add("text_bytes", trace.byteCount)
        line.add("checked_against", evidence.rawValue)
        line.add("local", local)
        line.add("local_allocations_per_transaction", localAllocations)
        line.add("merge", merge)
        line.add("live_updates", live.updateCount)
        line.add("live_mean_us", live.meanMicroseconds)
        line.add("live_decoded_mean_us", live.decodedMeanMicroseconds)
        line.add("live_p99_us", live.percentile99 * 1000)
        line.add("live_worst_ms", live.worst)
        line.add("live_runs", live.whole.runCount)
        line.add("open_text", openText)
        line.add("open_edit", openEdit)
        line.add("open_budget_ms", openBudget)
        line.add("encoded_bytes", storedByteCount)
        if let headByteCount { line.add("head_bytes", headByteCount) }
        line.add("exchange_bytes", exchangeByteCount)
        line.add("update_bytes", updateByteCount)
        line.add("heap_peak_merge_bytes", memory.peak)
        line.add("heap_merged_bytes", memory.merged)
        line.add("heap_rest_bytes", memory.rest)
        line.add("heap_disagreement", memory.disagreement)
        line.add("resident_growth_bytes", memory.residentGrowth)
        return line.text
    }
}
