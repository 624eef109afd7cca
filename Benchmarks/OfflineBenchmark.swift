import SennitDocument
import SennitReference
import SennitWire

/// Two people start from one text, each makes `count` random edits of one scalar, then one receives
/// the other's.
struct OfflineBenchmark {
    let count: Int
    private let start: Document
    private let mySteps: [Script.Step]
    private let updates: [Update]
    private let exchangeForm: [UInt8]
    private let expected: String

    init(count: Int) throws {
        self.count = count
        var random = Seeded(state: 7)
        let text = String(repeating: "All happy families are alike. ", count: 40)
        var start = Document()
        let first = Script.Step(
            patches: [Patch(range: 0..<0, text: text)],
            author: Trace.log(ofAgent: -1),
            firstEvent: 0,
            parents: [],
            transaction: -1
        )
        _ = try DocumentCalls.edit(&start, first)
        self.start = start
        mySteps = Self.steps(count, of: 0, on: start, &random)
        var theirs = start
        let runs = try Self.steps(count, of: 1, on: start, &random).map {
            try DocumentCalls.edit(&theirs, $0)
        }
        updates = DocumentCalls.updateForms(of: runs)
        exchangeForm = DocumentCalls.exchangeForm(of: runs)
        // The other way round: mine merged into theirs.
        var mine = start
        let myRuns = try mySteps.map { try DocumentCalls.edit(&mine, $0) }
        let myExchange = DocumentCalls.exchangeForm(of: myRuns)
        try DocumentCalls.merge(exchangeForm: myExchange, into: &theirs)
        expected = DocumentCalls.text(of: theirs)
    }

    func measure() throws -> OfflineResult {
        let progress = Progress("offline \(count)")
        let oneByOne = try progress.during("merging one by one") {
            try timed(prepare: mine) { document in
                var logs = LogTable()
                for update in updates {
                    try DocumentCalls.merge(update, into: &document, logs: &logs)
                }
            } check: { document in
                try requireExpected(document)
            }
        }
        let asOne = try progress.during("merging as one batch") {
            try timed(prepare: mine) { document in
                try DocumentCalls.merge(exchangeForm: exchangeForm, into: &document)
            } check: { document in
                try requireExpected(document)
            }
        }
        return OfflineResult(
            count: count,
            oneByOne: oneByOne,
            asOne: asOne,
            worst: try progress.during("looking for the worst") { try worstOneByOne() }
        )
    }

    /// My document as I left it: what it keeps for itself is as my own edits made it.
    private func mine() throws -> Document {
        var document = start
        for step in mySteps { _ = try DocumentCalls.edit(&document, step) }
        return document
    }

    /// The first update finds nothing prepared and is told apart.
    private func worstOneByOne() throws -> (first: Double, later: Double) {
        var first = Double.infinity
        var later = [Double](repeating: .infinity, count: updates.count)
        for _ in 0..<3 {
            var document = try mine()
            var logs = LogTable()
            for (index, update) in updates.enumerated() {
                let start = threadMilliseconds()
                try DocumentCalls.merge(update, into: &document, logs: &logs)
                later[index] = min(later[index], threadMilliseconds() - start)
            }
            first = min(first, later.first ?? 0)
        }
        return (first, later.dropFirst().max() ?? 0)
    }

    private func requireExpected(_ document: Document) throws {
        let text = DocumentCalls.text(of: document)
        guard text.utf8.elementsEqual(expected.utf8) else {
            throw BenchError.wrongText(
                what: "merging offline edits",
                place: Evidence.difference(text, expected)
            )
        }
    }

    private static func steps(
        _ count: Int,
        of agent: Int,
        on start: Document,
        _ random: inout Seeded
    ) -> [Script.Step] {
        var length = start.text.scalarCount
        return (0..<count).map { number in
            let isInsert = length == 0 || Bool.random(using: &random)
            let at = Int.random(in: 0..<(isInsert ? length + 1 : length), using: &random)
            length += isInsert ? 1 : -1
            return Script.Step(
                patches: [
                    isInsert
                        ? Patch(range: at..<at, text: "x") : Patch(range: at..<(at + 1), text: "")
                ],
                author: Trace.log(ofAgent: agent),
                firstEvent: UInt64(number),
                parents: [],
                transaction: number
            )
        }
    }
}

/// What two people cost each other who were offline.
struct OfflineResult {
    let count: Int
    let oneByOne: Timing
    let asOne: Timing
    let worst: (first: Double, later: Double)

    private var microseconds: Double { oneByOne.least * 1000 / Double(count) }

    var table: Table {
        var table = Table(title: "offline: two people, \(Amount.count(count)) edits each")
        table.add(
            "one by one, each",
            Amount.microseconds(microseconds),
            "mean, least of \(oneByOne.runCount) runs; all \(Amount.milliseconds(oneByOne.least))",
            verdict: microseconds < 5 ? .met : .missed
        )
        table.add(
            "one by one, worst",
            Amount.milliseconds(worst.later),
            "the first, which finds nothing prepared: \(Amount.milliseconds(worst.first))"
        )
        table.add("as one batch", asOne)
        return table
    }

    var json: String {
        var line = JSONLine()
        line.add("offline", count)
        line.add("one_by_one_us_per_update", microseconds)
        line.add("one_by_one", oneByOne)
        line.add("one_by_one_first_ms", worst.first)
        line.add("one_by_one_worst_ms", worst.later)
        line.add("as_one", asOne)
        return line.text
    }
}

/// SplitMix64.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
