import SennitWire
import Testing

@testable import SennitDocument

@Suite struct EditingTests {
    private let log = Fixture.log(0)

    @Test func `typing and deleting in one go makes one run each`() throws {
        var document = Document()
        let typed = "héllo".unicodeScalars.enumerated().map {
            Patch(range: $0.offset..<$0.offset, text: String($0.element))
        }
        let backspaces = [Patch(range: 4..<5, text: ""), Patch(range: 3..<4, text: "")]
        let deletes = [Patch(range: 0..<1, text: ""), Patch(range: 0..<1, text: "")]
        let runs = try document.edit(typed + backspaces + deletes, author: log, firstEvent: 7)
        #expect(
            runs.map(\.content) == [
                .insert(position: 0, text: "héllo"),
                .delete(range: 3..<5, isBackward: true),
                .delete(range: 0..<2, isBackward: false),
            ]
        )
        #expect(runs.map(\.start.number) == [7, 12, 14])
        #expect(runs.map(\.parents) == [[], [Fixture.event(0, 11)], [Fixture.event(0, 13)]])
        #expect(document.text.string == "l" && document.eventCount == 9)
        #expect(document.contains(Fixture.event(0, 15)) && !document.contains(Fixture.event(0, 6)))
        #expect(try document.text(at: [Fixture.event(0, 12)]).bytes == "héll".bytes)
    }

    @Test func `a patch that does not fit changes nothing`() throws {
        var document = Document()
        _ = try document.edit([Patch(range: 0..<0, text: "abc")], author: log, firstEvent: 0)
        let patches = [Patch(range: 3..<3, text: "d"), Patch(range: 4..<6, text: "")]
        #expect(throws: DocumentError.positionOutOfBounds(position: 6, scalarCount: 4)) {
            try document.edit(patches, author: log, firstEvent: 3)
        }
        #expect(throws: DocumentError.conflictingEvent(Fixture.event(0, 2))) {
            try document.edit([Patch(range: 0..<0, text: "x")], author: log, firstEvent: 2)
        }
        #expect(document.text.string == "abc" && document.eventCount == 3)
        document.checkInvariants()
    }

    @Test func `typing at an older version lands where it was meant`() throws {
        var document = Document()
        _ = try document.edit([Patch(range: 0..<0, text: "one three")], author: log, firstEvent: 0)
        let old = document.frontier
        let news = [Patch(range: 0..<3, text: "1"), Patch(range: 7..<7, text: "!")]
        _ = try document.edit(news, author: log, firstEvent: 9)
        #expect(document.text.string == "1 three!")
        let (runs, changes) = try document.edit(
            [Patch(range: 4..<4, text: "two "), Patch(range: 8..<9, text: "T")],
            at: old,
            author: log,
            firstEvent: 20
        )
        #expect(runs.map(\.parents.count) == [1, 1, 1] && runs[0].parents == old)
        #expect(document.text.string == "1 two Three!")
        var text = Rope("1 three!")
        for change in changes { text.apply(change) }
        #expect(text == document.text && document.frontier.count == 2)
        #expect(throws: DocumentError.positionOutOfBounds(position: 10, scalarCount: 9)) {
            let far = Patch(range: 10..<10, text: "")
            _ = try document.edit([far], at: old, author: log, firstEvent: 50)
        }
        #expect(throws: DocumentError.unknownEvents([Fixture.event(5, 0)])) {
            try document.edit([], at: [Fixture.event(5, 0)], author: log, firstEvent: 50)
        }
        document.checkInvariants()
    }

    @Test func `a long paste is cut into runs that may travel`() throws {
        let text = String(repeating: "é", count: DocumentLimits.maximumInsertScalarCount + 5)
        var document = Document()
        let runs = try document.edit([Patch(range: 0..<0, text: text)], author: log, firstEvent: 0)
        #expect(runs.map(\.eventCount) == [DocumentLimits.maximumInsertScalarCount, 5])
        #expect(try Document(merging: runs).text.string.bytes == text.bytes)
    }

    @Test func `more versions than one run may name are gathered first`() throws {
        var document = Document()
        for index in 0..<200 {
            _ = try document.merge([Fixture.insert("x", at: 0, Fixture.event(index, 0))])
        }
        #expect(document.frontier.count == 200)
        let me = Fixture.log(300)
        let runs = try document.edit([Patch(range: 0..<9, text: "")], author: me, firstEvent: 0)
        #expect(runs.allSatisfy { $0.parents.count <= DocumentLimits.maximumParentCount })
        #expect(document.frontier == [runs[runs.count - 1].last])
        #expect(document.text.scalarCount == 191)
        let after = try document.setMap(key: "k", value: [1], author: me, firstEvent: 100)
        #expect(after.count == 1)
        document.checkInvariants()
    }

    @Test func `a copy goes its own way`() throws {
        var document = Document()
        _ = try document.edit([Patch(range: 0..<0, text: "abc")], author: log, firstEvent: 0)
        var copy = document
        _ = try copy.edit([Patch(range: 0..<3, text: "")], author: log, firstEvent: 3)
        #expect(document.text.string == "abc" && copy.text.string.isEmpty)
    }
}

@Suite struct MapTests {
    @Test func `a later value replaces those its author saw and no others`() throws {
        var ann = Document()
        var bob = Document()
        let first = try ann.setMap(key: "k", value: [1], author: Fixture.log(0), firstEvent: 0)
        _ = try bob.merge(first)
        let second = try ann.setMap(key: "k", value: [2], author: Fixture.log(0), firstEvent: 1)
        let other = try bob.setMap(key: "k", value: [3], author: Fixture.log(1), firstEvent: 0)
        _ = try ann.merge(other)
        _ = try bob.merge(second)
        #expect(ann.hasSameState(as: bob))
        #expect(ann.values(forKey: "k").map(\.bytes) == [[2], [3]])
        #expect(ann.values(forKey: "k").map(\.event) == [Fixture.event(0, 1), Fixture.event(1, 0)])
        let removed = try ann.removeMap(key: "k", author: Fixture.log(0), firstEvent: 2)
        let kept = try bob.setMap(key: "k", value: [4], author: Fixture.log(1), firstEvent: 1)
        _ = try ann.merge(kept)
        _ = try bob.merge(removed)
        #expect(ann.hasSameState(as: bob) && ann.values(forKey: "k").map(\.bytes) == [[4]])
        #expect(try Document(decoding: ann.encode()).hasSameState(as: ann))
    }

    @Test func `keys are compared by scalars and listed by bytes`() throws {
        var document = Document()
        for (index, key) in ["b", "e\u{301}", "\u{E9}", "a", ""].enumerated() {
            let number = UInt64(index)
            _ = try document.setMap(key: key, value: [], author: Fixture.log(0), firstEvent: number)
        }
        #expect(document.entries.map(\.key) == ["", "a", "b", "e\u{301}", "\u{E9}"])
        #expect(document.values(forKey: "c").isEmpty)
    }

    @Test func `every order of delivery gives the same map`() throws {
        let root = Fixture.event(0, 0)
        func set(_ value: UInt8, _ start: EventID, _ parents: [EventID]) -> OperationRun {
            OperationRun(
                start: start,
                parents: parents,
                content: .mapSet(key: "k", value: [value])
            )
        }
        let runs = [
            set(0, root, []),
            set(1, Fixture.event(1, 0), [root]),
            set(2, Fixture.event(2, 0), [root]),
            OperationRun(
                start: Fixture.event(3, 0),
                parents: [Fixture.event(1, 0)],
                content: .mapRemove(key: "k")
            ),
            set(4, Fixture.event(0, 1), [root]),
            Fixture.insert("text", at: 0, Fixture.event(5, 0), after: [Fixture.event(2, 0)]),
        ]
        for order in OrderOfDelivery(runs).all {
            var document = Document()
            for run in order { _ = try document.merge([run]) }
            document.checkInvariants()
            #expect(document.values(forKey: "k").map(\.bytes) == [[4], [2]])
            #expect(document.text.string == "text")
        }
    }
}
