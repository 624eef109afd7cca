import Foundation
import SennitDocument
import SennitReference
import SennitWire

/// What two people cost each other who were offline. Times are CPU milliseconds.
struct OfflineResult {
    let count: Int
    let oneByOne: Double
    let asOne: Double

    var row: String {
        String(
            format: "offline %d: %.2f µs per update one by one, %.2f ms as one batch",
            count,
            oneByOne * 1000 / Double(count),
            asOne
        )
    }

    var json: String {
        """
        {"offline":\(count),"one_by_one_us_per_update":\(oneByOne * 1000 / Double(count)),\
        "as_one_ms":\(asOne)}
        """
    }
}

/// Two people start from one text, each makes `count` random single-scalar edits, then one receives
/// the other's.
struct OfflineBenchmark {
    let count: Int

    func measure() throws -> OfflineResult {
        let ada = Trace.log(ofAgent: 0)
        let bob = Trace.log(ofAgent: 1)
        var start = Document()
        let text = String(repeating: "All happy families are alike. ", count: 40)
        _ = try start.edit([Patch(range: 0..<0, text: text)], author: ada, firstEvent: 0)
        let firstEvent = UInt64(text.unicodeScalars.count)
        var random = Seeded(state: 7)
        var mine = start
        _ = try edits(on: &mine, by: ada, from: firstEvent, &random)
        var theirs = start
        let updates = try edits(on: &theirs, by: bob, from: 0, &random)
        var texts: Set<String> = []
        let oneByOne = try best(of: 3) {
            var document = mine
            for update in updates { _ = try document.merge(update) }
            texts.insert(document.text.string)
        }
        let asOne = try best(of: 3) {
            var document = mine
            _ = try document.merge(updates.flatMap { $0 })
            texts.insert(document.text.string)
        }
        guard texts.count == 1 else { throw WrongText(what: "merging") }
        return OfflineResult(count: count, oneByOne: oneByOne, asOne: asOne)
    }

    private func edits(
        on document: inout Document,
        by log: LogID,
        from firstEvent: UInt64,
        _ random: inout Seeded
    ) throws -> [[OperationRun]] {
        try (0..<UInt64(count)).map { number in
            let at = Int.random(in: 0..<document.text.scalarCount, using: &random)
            let patch =
                Bool.random(using: &random)
                ? Patch(range: at..<at, text: "x") : Patch(range: at..<(at + 1), text: "")
            return try document.edit([patch], author: log, firstEvent: firstEvent + number)
        }
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
