import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

/// What a hostile author can send: each ends in a typed error or in a void run, soon, and an error
/// changes nothing.
///
/// The time limit is no measure of speed. It is far above what any machine needs, and far below
/// what work in proportion to a position, a count or the square of a batch would take.
@Suite(.internalChecks) struct HostileRunTests {
    private static let limit = Duration.seconds(5)
    private let base = Fixture.insert("hello", at: 0, Fixture.event(0, 0))
    private let tip = Fixture.event(0, 4)

    private func expectRefusal(
        of runs: [OperationRun],
        by delivery: Delivery = .usual,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ isExpected: (DocumentError) -> Bool
    ) throws {
        var followed = FollowedDocument()
        try followed.merge([base])
        let before = try followed.document.savedAndOpened()
        let time = ContinuousClock().measure {
            do {
                try followed.merge(runs, by: delivery)
                Issue.record("nothing was refused", sourceLocation: sourceLocation)
            } catch let error as DocumentError {
                #expect(isExpected(error), "\(error)", sourceLocation: sourceLocation)
            } catch {
                Issue.record(error, sourceLocation: sourceLocation)
            }
        }
        #expect(time < HostileRunTests.limit, sourceLocation: sourceLocation)
        followed.document.checkInvariants()
        #expect(followed.document.hasSameState(as: before), sourceLocation: sourceLocation)
        #expect(followed.document.eventCount == 5, sourceLocation: sourceLocation)
    }

    @Test(arguments: Delivery.allCases)
    func `lengths and positions near 2^63 and 2^53 are refused`(delivery: Delivery) throws {
        let start = Fixture.event(1, 0)
        let end = DocumentLimits.endOfNumbers
        let deletions: [Range<Int>] = [
            0..<Int.max, (Int.max - 1)..<Int.max, 0..<(1 << 62), -Int.max..<0, -1..<1, 0..<end,
            (end - 1)..<end,
        ]
        for range in deletions {
            for isBackward in [false, range.lowerBound < range.upperBound - 1] {
                let run = Fixture.delete(range, start, after: [tip], isBackward: isBackward)
                try expectRefusal(of: [run], by: delivery) {
                    switch $0 {
                    case .invalidRun(let event): event == start
                    case .overLimit(let what, _, _): what == "events of a run"
                    default: false
                    }
                }
            }
        }
        for position in [end, Int.max, Int.max - 1, -1, Int.min] {
            let run = Fixture.insert("x", at: position, start, after: [tip])
            try expectRefusal(of: [run], by: delivery) { $0 == .invalidRun(start) }
        }
        for number in [UInt64(end) - 1, UInt64(end), 1 << 63, .max - 1, .max] {
            let start = Fixture.event(1, number)
            let run = Fixture.insert("x", at: 0, start, after: [tip])
            try expectRefusal(of: [run], by: delivery) { $0 == .invalidRun(start) }
        }
        for count in [Int.max, 1 << 62, (1 << 20) + 1, 0, -1, Int.min] {
            let content = OperationRun.Content.unknown(
                kind: 7,
                container: 0,
                eventCount: count,
                bytes: []
            )
            let run = OperationRun(start: start, parents: [tip], content: content)
            try expectRefusal(of: [run], by: delivery) {
                $0 == .invalidRun(start)
                    || $0 == .overLimit(what: "events of a run", value: count, limit: 1 << 20)
            }
        }
    }

    @Test(arguments: Delivery.allCases)
    func `cycles and parents that come later are unknown`(delivery: Delivery) throws {
        let a = Fixture.event(1, 0)
        let b = Fixture.event(2, 0)
        let cycle = [
            Fixture.insert("a", at: 0, a, after: [b]), Fixture.insert("b", at: 0, b, after: [a]),
        ]
        try expectRefusal(of: cycle, by: delivery) { $0 == .unknownEvents([b]) }
        let own = [Fixture.insert("abc", at: 0, a, after: [Fixture.event(1, 2)])]
        try expectRefusal(of: own, by: delivery) { $0 == .unknownEvents([Fixture.event(1, 2)]) }
        let far = [Fixture.insert("a", at: 0, a, after: [Fixture.event(1, .max), tip])]
        try expectRefusal(of: far, by: delivery) {
            $0 == .unknownEvents([Fixture.event(1, .max)])
        }
        // Good runs before the bad one are taken back, however they would have been merged.
        let good = (0..<40).map { Fixture.insert("x", at: 0, Fixture.event(3, $0 * 2), after: []) }
        try expectRefusal(of: good + cycle, by: delivery) { $0 == .unknownEvents([b]) }
    }

    @Test func `more parents than a run may have are refused, however many`() throws {
        for count in [65, 1 << 20] {
            let parents = [EventID](repeating: tip, count: count)
            let run = OperationRun(start: Fixture.event(1, 0), parents: parents, content: .gather)
            try expectRefusal(of: [run]) {
                $0 == .overLimit(what: "parents", value: count, limit: 64)
            }
        }
    }

    @Test func `the same parent many times, and its ancestors, are one parent`() throws {
        let parents = (0..<64).map { Fixture.event(0, UInt64($0 % 5)) }
        let run = Fixture.insert("!", at: 5, Fixture.event(1, 0), after: parents)
        for delivery in Delivery.allCases {
            var followed = FollowedDocument()
            try followed.merge([base, run], by: delivery)
            #expect(followed.fault(expected: "hello!") == nil)
            #expect(followed.document.frontier == [run.start])
        }
    }

    @Test(arguments: Delivery.allCases)
    func `a million empty runs end at the first`(delivery: Delivery) throws {
        let empty = Fixture.insert("", at: 0, Fixture.event(1, 0), after: [tip])
        let runs = [OperationRun](repeating: empty, count: 1_000_000)
        try expectRefusal(of: runs, by: delivery) { $0 == .invalidRun(empty.start) }
        let deletion = Fixture.delete(3..<3, Fixture.event(1, 0), after: [tip])
        try expectRefusal(
            of: [OperationRun](repeating: deletion, count: 1_000_000),
            by: delivery
        ) { $0 == .invalidRun(deletion.start) }
    }

    @Test func `a batch of a million empty runs is refused before any is read`() throws {
        var writer = ByteWriter()
        writer.write([UInt8](repeating: 7, count: 32))
        writer.writeVarint(0)
        writer.writeVarint(1_000_000)
        for _ in 0..<1_000_000 { writer.write([0x03, 0x00, 0x00] as [UInt8]) }
        var logs = LogTable()
        #expect(throws: DocumentError.self) {
            try OperationBatch(decoding: writer.bytes, author: Fixture.log(1), logs: &logs)
        }
        #expect(logs.count == 0)
    }

    @Test(arguments: Delivery.allCases)
    func `deletions of a million scalars that do not exist are void`(delivery: Delivery) throws {
        var followed = FollowedDocument()
        let count = DocumentLimits.maximumRunEventCount
        let runs = (1...8).map { author in
            Fixture.delete(
                0..<count,
                Fixture.event(author, 0),
                after: [tip],
                isBackward: author.isMultiple(of: 2)
            )
        }
        let time = try ContinuousClock().measure {
            try followed.merge([base] + runs, by: delivery)
            let next = Fixture.insert("!", at: 5, Fixture.event(9, 0), after: runs.map(\.last))
            try followed.merge([next], by: delivery)
        }
        #expect(time < HostileRunTests.limit)
        #expect(followed.fault(expected: "hello!") == nil)
        #expect(followed.document.eventCount == 6 + 8 * count)
        #expect(followed.document.history.operations.operationCount <= 10)
    }

    @Test(arguments: Delivery.allCases)
    func `a million scalars deleted by many at once are deleted once`(delivery: Delivery) throws {
        let piece = String(repeating: "x", count: DocumentLimits.maximumInsertScalarCount)
        let count = piece.unicodeScalars.count
        var runs: [OperationRun] = []
        for index in 0..<4 {
            let number = UInt64(index * count)
            let parents = index == 0 ? [] : [Fixture.event(0, number - 1)]
            runs.append(
                Fixture.insert(piece, at: index * count, Fixture.event(0, number), after: parents)
            )
        }
        let last = runs[3].last
        for author in 1...6 {
            runs.append(
                Fixture.delete(
                    0..<(4 * count),
                    Fixture.event(author, 0),
                    after: [last],
                    isBackward: author.isMultiple(of: 2)
                )
            )
        }
        var document = Document()
        let time = try ContinuousClock().measure {
            if let minimum = delivery.minimumBatchCount {
                _ = try document.merge(runs, minimumBatchCount: minimum)
            } else {
                _ = try document.merge(runs)
            }
        }
        #expect(time < HostileRunTests.limit)
        #expect(document.text.string.isEmpty && document.eventCount == 28 * count)
        document.checkInvariants()
    }
}
