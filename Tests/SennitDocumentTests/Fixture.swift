import Foundation
import SennitReference
import SennitWire

@testable import SennitDocument

/// What several suites share: logs, files, and runs out of the reference's operations.
enum Fixture {
    /// The log of agent `index`; logs ascend with it.
    static func log(_ index: Int) -> LogID { Trace.log(ofAgent: index) }

    static func event(_ log: Int, _ number: UInt64) -> EventID {
        EventID(log: Fixture.log(log), number: number)
    }

    /// A file under Tests.
    static func path(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent(name).path
    }

    /// A published trace: in the project, or beside the checkout. `nil`, said aloud, if absent.
    static func trace(_ name: String) throws -> Trace? {
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let places = [
            path("Traces/\(name).json.gz"),
            root.deletingLastPathComponent().appendingPathComponent("shared/traces/\(name).json.gz")
                .path,
        ]
        for place in places where FileManager.default.isReadableFile(atPath: place) {
            return try Trace(path: place)
        }
        print("skipped: the trace \(name) is in none of \(places)")
        return nil
    }

    static func run(_ operation: TraceOperation) -> OperationRun {
        run(
            author: operation.author,
            number: operation.firstNumber,
            parents: operation.parents,
            operation.operation
        )
    }

    static func run(
        author: LogID,
        number: UInt64,
        parents: [EventID],
        _ operation: ReferenceOperation
    ) -> OperationRun {
        let content: OperationRun.Content =
            switch operation {
            case .insert(let position, let text): .insert(position: position, text: .init(text))
            case .delete(let range): .delete(range: range, isBackward: false)
            }
        return OperationRun(
            start: EventID(log: author, number: number),
            parents: parents.sorted(),
            content: content
        )
    }

    /// An insertion, for graphs that are written by hand.
    static func insert(
        _ text: String,
        at position: Int,
        _ start: EventID,
        after parents: [EventID] = []
    ) -> OperationRun {
        OperationRun(
            start: start,
            parents: parents.sorted(),
            content: .insert(position: position, text: .init(text))
        )
    }

    static func delete(
        _ range: Range<Int>,
        _ start: EventID,
        after parents: [EventID],
        isBackward: Bool = false
    ) -> OperationRun {
        OperationRun(
            start: start,
            parents: parents.sorted(),
            content: .delete(range: range, isBackward: isBackward)
        )
    }
}

extension String {
    /// The text as bytes: equality of strings is canonical equivalence, which is not enough.
    var bytes: [UInt8] { Array(utf8) }
}

extension Document {
    /// A document that merges `runs` at once.
    init(merging runs: [OperationRun]) throws {
        self.init()
        _ = try merge(runs)
    }

    /// The document as somebody has it who saved it and opens it again.
    func savedAndOpened(isTrusted: Bool = false) throws -> Document {
        try Document(decoding: encode(), isTrusted: isTrusted)
    }
}
