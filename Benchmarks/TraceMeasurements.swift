// What is measured on one trace. Each measurement is one function; what it asks of a document is
// in DocumentCalls.swift, what a result looks like in TraceResult.swift.
//
//     local   every transaction through the editing call, in one document
//     merge   the whole history from bytes into an empty document, and its text
//     live    one transaction after another from bytes, the text kept up to date after each
//     open    from the stored form to the whole text, and on to the first edit
//     memory  in a process of its own: HeapPass.swift
//
// Every measurement ends in a look at the text, and a wrong one throws. The right text is the
// trace's `endContent`. Where authors inserted at one place at one time it depends on the order
// among authors, which the file does not have; then it is the text of the slow second
// implementation, SennitReference.

import CHeapCount
import SennitDocument
import SennitReference
import SennitWire

/// One trace, ready to be measured.
struct TraceMeasurements {
    let script: Script
    /// Each transaction as it travels.
    let updates: [Update]
    /// The whole history as it travels.
    let exchangeForm: [UInt8]
    /// The whole history as a store keeps it.
    let storedForm: [UInt8]
    /// What a store reads first, if there is such a thing.
    let storedHead: [UInt8]
    /// What a store reads only when it is needed.
    let storedChunk: [UInt8]
    /// What every measurement must end in.
    let expected: String
    /// All patches of a trace by one author, one after another; else empty.
    private let typed: [Patch]

    init(_ trace: Trace, repetitions: Int = 1, keepsText: Bool = false) throws {
        guard trace.agentCount < Limits.maximumLogCount else {
            throw BenchError.tooManyAuthors(
                count: trace.agentCount,
                limit: Limits.maximumLogCount - 1
            )
        }
        script = Script(trace, repetitions: repetitions, keepsText: keepsText)
        let (document, runs) = try script.replay()
        expected = DocumentCalls.text(of: document)
        updates = DocumentCalls.updateForms(of: runs)
        exchangeForm = DocumentCalls.wholeForm(of: document)
        storedForm = exchangeForm
        storedHead = DocumentCalls.head(of: document)
        storedChunk = DocumentCalls.chunk(of: document)
        let isByOne = Set(script.steps.map(\.author)).count == 1
        typed = script.isSequential && isByOne ? script.steps.flatMap(\.patches) : []
    }

    /// Looks whether `expected` is right.
    /// - Throws: If it is not, or if the trace contradicts itself.
    func evidence(of trace: Trace, isRepeated: Bool = false) throws -> Evidence {
        try Evidence(
            for: expected,
            of: trace,
            endContent: script.endContent,
            isRepeated: isRepeated
        )
    }

    /// Every transaction through the editing call: at the current version if the trace is
    /// sequential, else at its parents, which is more work than typing.
    func local() throws -> Timing {
        try timed {
            Document()
        } _: { document in
            try replayLocally(into: &document)
        } check: { document in
            try requireExpected(document, "local editing")
        }
    }

    /// How many blocks are allocated for each transaction, on average.
    func localAllocations() throws -> Double {
        var document = Document()
        heap_count_start()
        defer { heap_count_stop() }
        try replayLocally(into: &document)
        return Double(heap_count_allocations()) / Double(max(script.steps.count, 1))
    }

    func replayLocally(into document: inout Document) throws {
        if let author = script.steps.first?.author, !typed.isEmpty {
            try DocumentCalls.type(&document, typed, as: author)
        } else if script.isSequential {
            for step in script.steps { _ = try DocumentCalls.edit(&document, step) }
        } else {
            for step in script.steps { _ = try DocumentCalls.editAtParents(&document, step) }
        }
    }

    /// The whole history, from bytes, into an empty document; and its text.
    func merge() throws -> Timing {
        try timed {
            (document: Document(), text: "")
        } _: { state in
            try DocumentCalls.merge(wholeForm: exchangeForm, into: &state.document)
            state.text = DocumentCalls.text(of: state.document)
        } check: { state in
            try requireExpected(state.text, "the merge")
        }
    }

    /// One transaction after another, from bytes.
    func live() throws -> LiveTiming {
        let whole = try timed {
            (document: Document(), logs: LogTable())
        } _: { state in
            for update in updates {
                try DocumentCalls.merge(update, into: &state.document, logs: &state.logs)
            }
        } check: { state in
            try requireExpected(state.document, "live merging")
        }
        let decoded = try timed {
            Document()
        } _: { document in
            for update in updates { try DocumentCalls.merge(decoded: update, into: &document) }
        } check: { document in
            try requireExpected(document, "live merging of decoded transactions")
        }
        return LiveTiming(
            updateCount: updates.count,
            whole: whole,
            decoded: decoded,
            each: try eachLive(runCount: min(whole.runCount, 3))
        )
    }

    /// The time of each update by itself: the least of some runs, because what an interrupt costs
    /// is not the update's. What asking the clock costs is taken off.
    private func eachLive(runCount: Int) throws -> [Double] {
        var least = [Double](repeating: .infinity, count: updates.count)
        for _ in 0..<runCount {
            var document = Document()
            var logs = LogTable()
            for (index, update) in updates.enumerated() {
                let start = threadMilliseconds()
                try DocumentCalls.merge(update, into: &document, logs: &logs)
                least[index] = min(least[index], threadMilliseconds() - start)
            }
            try requireExpected(document, "live merging")
        }
        var clock = Double.infinity
        for _ in 0..<1000 {
            let start = threadMilliseconds()
            clock = min(clock, threadMilliseconds() - start)
        }
        return least.map { max($0 - clock, 0) }
    }

    /// From the stored form until the whole text is there.
    func openText() throws -> Timing {
        try timed {
            ""
        } _: { text in
            text = DocumentCalls.text(of: try DocumentCalls.open(storedHead))
        } check: { text in
            try requireExpected(text, "opening")
        }
    }

    /// From the stored form until the whole text is there and then one scalar has been typed.
    func openEdit() throws -> Timing {
        let log = Trace.log(ofAgent: Limits.maximumLogCount)
        let count = expected.unicodeScalars.count
        return try timed {
            (document: Document(), text: "")
        } _: { state in
            state.document = try DocumentCalls.open(storedHead)
            state.text = DocumentCalls.text(of: state.document)
            try DocumentCalls.prepareToEdit(&state.document, history: storedChunk)
            try DocumentCalls.typeInTheMiddle(of: &state.document, as: log)
        } check: { state in
            try requireExpected(state.text, "opening")
            guard state.document.text.scalarCount == count + 1 else {
                throw BenchError.wrongText(what: "the first edit", place: "it is not there")
            }
        }
    }

    /// What merging and keeping the document takes of the heap.
    func memory() throws -> HeapPass.Result {
        try HeapPass.run(
            exchangeForm: exchangeForm,
            storedForm: storedHead,
            expectedByteCount: expected.utf8.count
        )
    }

    private func requireExpected(_ document: Document, _ what: String) throws {
        try requireExpected(DocumentCalls.text(of: document), what)
    }

    private func requireExpected(_ text: String, _ what: String) throws {
        guard text.utf8.elementsEqual(expected.utf8) else {
            throw BenchError.wrongText(what: what, place: Evidence.difference(text, expected))
        }
    }
}

/// What live merging took.
struct LiveTiming {
    let updateCount: Int
    /// All updates in a row, from bytes.
    let whole: Timing
    /// All updates in a row, decoded before.
    let decoded: Timing
    /// Milliseconds at the 99th percentile of the updates, and of the worst.
    let percentile99: Double
    let worst: Double

    init(updateCount: Int, whole: Timing, decoded: Timing, each: [Double]) {
        self.updateCount = updateCount
        self.whole = whole
        self.decoded = decoded
        let sorted = each.sorted()
        percentile99 = sorted.isEmpty ? 0 : sorted[min(sorted.count * 99 / 100, sorted.count - 1)]
        worst = sorted.last ?? 0
    }

    /// Microseconds of an update on average.
    var meanMicroseconds: Double { whole.least * 1000 / Double(max(updateCount, 1)) }

    /// The same without decoding.
    var decodedMeanMicroseconds: Double { decoded.least * 1000 / Double(max(updateCount, 1)) }
}
