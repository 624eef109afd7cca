import SennitReference
import SennitWire

@testable import SennitDocument

/// Batches of four authors, who know each other and may be hostile.
///
/// The input is a row of batches: `author:u8 | byteCount:u8 | bytes`, the bytes being those of an
/// `OperationBatch` after its document. The last batch may be cut short.
enum OperationsTarget {
    private static let logs = (0..<4).map { index in
        Trace.log(ofAgent: index)
    }
    private static let document: [UInt8] = [UInt8](repeating: 7, count: 32)

    static func run(_ bytes: [UInt8]) {
        var tables = [LogTable](repeating: LogTable(names: logs), count: logs.count)
        var live = Document()
        var accepted: [OperationRun] = []
        var reference = ReferenceDocument()
        var isComparable = true
        var rest = bytes[...]
        while rest.count >= 2 {
            let author = Int(rest[rest.startIndex]) % logs.count
            let count = Int(rest[rest.startIndex + 1])
            let body = rest.dropFirst(2).prefix(count)
            rest = rest.dropFirst(2 + count)
            guard
                let batch = try? OperationBatch(
                    decoding: document + body,
                    author: logs[author],
                    logs: &tables[author]
                )
            else { continue }
            check(batch, known: logs)
            for run in batch.runs {
                guard isAcceptable(run, in: live) else { continue }
                let isNew = (0..<min(run.eventCount, 4096)).allSatisfy {
                    let number = run.start.number + UInt64($0)
                    return !live.contains(EventID(log: run.start.log, number: number))
                }
                let before = live.eventCount
                guard (try? live.merge([run], minimumBatchCount: .max)) != nil else {
                    precondition(live.eventCount == before, "What is refused changes nothing.")
                    continue
                }
                accepted.append(run)
                isComparable = isComparable && isNew && live.eventCount < 4096
                if isComparable { reference.add(run) }
            }
        }
        compare(live, with: accepted, isComparable ? reference.text : nil)
    }

    /// Deletions of a million events that are merged a hundred times say nothing more.
    private static func isAcceptable(_ run: OperationRun, in document: Document) -> Bool {
        document.eventCount + run.eventCount < 1 << 21
    }

    /// What was read is written as it was, but for the names of logs.
    private static func check(_ batch: OperationBatch, known: [LogID]) {
        var writer = ByteWriter()
        var table = LogTable(names: known)
        batch.write(to: &writer, logs: &table)
        var again = LogTable(names: known)
        let read = try? OperationBatch(decoding: writer.bytes, author: batch.author, logs: &again)
        precondition(read == batch, "What was written can be read.")
    }

    private static func compare(_ live: Document, with runs: [OperationRun], _ text: String?) {
        live.checkInvariants()
        var whole = Document()
        guard (try? whole.merge(runs, minimumBatchCount: 1)) != nil else {
            fatalError("What was merged one by one can be merged at once.")
        }
        whole.checkInvariants()
        precondition(whole.hasSameState(as: live), "A batch gives what one by one gives.")
        if let text {
            precondition(live.text.string.utf8.elementsEqual(text.utf8), "Both implementations.")
        }
        var halves = Document()
        let half = runs.count / 2
        let isMerged: Void? = try? {
            _ = try halves.merge(Array(runs[..<half]), minimumBatchCount: 1)
            for run in runs[half...] { _ = try halves.merge([run], minimumBatchCount: .max) }
        }()
        precondition(isMerged != nil && halves.hasSameState(as: live), "A batch, then one by one.")
        guard let opened = try? Document(decoding: live.encode()) else {
            fatalError("What was saved can be opened.")
        }
        precondition(opened.hasSameState(as: live), "What was saved is opened.")
    }
}

extension ReferenceDocument {
    /// Adds a run. The reference knows no backward deletion and no event that is not of text.
    fileprivate mutating func add(_ run: OperationRun) {
        switch run.content {
        case .insert(let position, let text):
            add(run, .insert(position: position, text: text.string))
        case .delete(let range, isBackward: false):
            add(run, .delete(range))
        case .delete(let range, isBackward: true):
            let isVoid = range.upperBound > text(at: run.parents).unicodeScalars.count
            var single = run
            for position in range.reversed() {
                let place = isVoid ? Int.max - 1 : position
                add(single, .delete(place..<(place + 1)))
                single.parents = [single.start]
                single.start = EventID(log: run.start.log, number: single.start.number + 1)
            }
        case .unknown(_, _, let eventCount, _):
            add(run, .insert(position: .max, text: String(repeating: "-", count: eventCount)))
        case .gather, .mapSet, .mapRemove:
            add(run, .insert(position: .max, text: "-"))
        }
    }

    private mutating func add(_ run: OperationRun, _ operation: ReferenceOperation) {
        add(
            author: run.start.log,
            firstNumber: run.start.number,
            parents: run.parents,
            operation: operation
        )
    }
}
