import SennitWire
import Testing

@testable import SennitDocument

/// Batches that are refused. Whatever is wrong, nothing changes.
@Suite struct RefusalTests {
    private let base = Fixture.insert("hello", at: 0, Fixture.event(0, 0))
    private let tip = Fixture.event(0, 4)

    private func expectRefusal(
        of runs: [OperationRun],
        _ error: DocumentError,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let typed = Fixture.insert("!", at: 5, Fixture.event(0, 5), after: [tip])
        var document = try Document(merging: [base, typed])
        let before = document
        let good = Fixture.insert("?", at: 6, Fixture.event(0, 6), after: [Fixture.event(0, 5)])
        let other = Fixture.insert("a", at: 0, Fixture.event(8, 3))
        #expect(throws: error, sourceLocation: sourceLocation) {
            try document.merge([good, other] + runs)
        }
        document.checkInvariants()
        #expect(document.hasSameState(as: before), sourceLocation: sourceLocation)
        #expect(document.encode() == before.encode(), sourceLocation: sourceLocation)
        _ = try document.merge([good, other])
        document.checkInvariants()
        #expect(document.text.string == "hello!?a", sourceLocation: sourceLocation)
    }

    @Test func `an unknown parent is named`() throws {
        let missing = [Fixture.event(0, 9), Fixture.event(7, 0)]
        let run = Fixture.insert("x", at: 0, Fixture.event(1, 0), after: missing + [tip])
        try expectRefusal(of: [run], .unknownEvents(missing))
    }

    @Test func `a run that follows itself has an unknown parent`() throws {
        let start = Fixture.event(1, 0)
        let run = Fixture.insert("xy", at: 0, start, after: [Fixture.event(1, 1)])
        try expectRefusal(of: [run], .unknownEvents([Fixture.event(1, 1)]))
    }

    @Test func `a taken name with other content is a conflict`() throws {
        let conflicts: [(OperationRun, EventID)] = [
            (Fixture.insert("hellO", at: 0, Fixture.event(0, 0)), Fixture.event(0, 0)),
            (Fixture.insert("hello", at: 1, Fixture.event(0, 0)), Fixture.event(0, 0)),
            (Fixture.insert("hello?", at: 0, Fixture.event(0, 0)), Fixture.event(0, 0)),
            (Fixture.delete(0..<1, Fixture.event(0, 2), after: [tip]), Fixture.event(0, 2)),
            (Fixture.insert("lo", at: 3, Fixture.event(0, 3), after: [tip]), Fixture.event(0, 3)),
            (Fixture.insert("abcde", at: 0, Fixture.event(8, 0)), Fixture.event(8, 3)),
        ]
        for (run, event) in conflicts { try expectRefusal(of: [run], .conflictingEvent(event)) }
    }

    @Test func `a run without events or with too many is refused`() throws {
        let start = Fixture.event(1, 0)
        let limit = DocumentLimits.maximumRunEventCount
        let scalars = DocumentLimits.maximumInsertScalarCount
        let last = EventID(log: Fixture.log(1), number: UInt64(DocumentLimits.endOfNumbers - 1))
        try expectRefusal(of: [Fixture.insert("", at: 0, start)], .invalidRun(start))
        try expectRefusal(of: [Fixture.delete(2..<2, start, after: [])], .invalidRun(start))
        try expectRefusal(of: [Fixture.delete(-1..<2, start, after: [])], .invalidRun(start))
        try expectRefusal(of: [Fixture.insert("x", at: 0, last)], .invalidRun(last))
        try expectRefusal(
            of: [Fixture.delete(0..<1, start, after: [], isBackward: true)],
            .invalidRun(start)
        )
        try expectRefusal(
            of: [Fixture.delete(0..<(limit + 1), start, after: [])],
            .overLimit(what: "events of a run", value: limit + 1, limit: limit)
        )
        try expectRefusal(
            of: [Fixture.insert(String(repeating: "x", count: scalars + 1), at: 0, start)],
            .overLimit(what: "scalars of an insert", value: scalars + 1, limit: scalars)
        )
        try expectRefusal(
            of: [
                OperationRun(
                    start: start,
                    parents: (0..<65).map { Fixture.event($0, 0) },
                    content: .gather
                )
            ],
            .overLimit(what: "parents", value: 65, limit: 64)
        )
    }
}
