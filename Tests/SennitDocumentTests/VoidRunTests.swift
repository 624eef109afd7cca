import SennitWire
import Testing

@testable import SennitDocument

/// Runs whose position does not exist at their parents: the work of a broken or hostile author.
@Suite struct VoidRunTests {
    private let base = Fixture.insert("hello", at: 0, Fixture.event(0, 0))
    private let tip = Fixture.event(0, 4)

    @Test func `a run at an impossible position has no effect and its events exist`() throws {
        let insert = Fixture.insert("xy", at: 6, Fixture.event(1, 0), after: [tip])
        let delete = Fixture.delete(3..<6, Fixture.event(2, 0), after: [tip])
        for runs in OrderOfDelivery([base, insert, delete]).all {
            var document = Document()
            var voidRunCount = 0
            for run in runs { voidRunCount += try document.merge([run]).voidRunCount }
            document.checkInvariants()
            #expect(voidRunCount == 2 && document.text.string == "hello")
            #expect(document.eventCount == 10)
            #expect(document.frontier == [Fixture.event(1, 1), Fixture.event(2, 2)])
            let more = try document.edit(
                [Patch(range: 5..<5, text: "!")],
                author: Fixture.log(3),
                firstEvent: 0
            )
            #expect(more[0].parents == [Fixture.event(1, 1), Fixture.event(2, 2)])
            #expect(document.text.string == "hello!")
            let decoded = try Document(decoding: document.encode())
            #expect(decoded.hasSameState(as: document))
        }
    }

    @Test func `a run is judged by the text its author saw and by no other`() throws {
        // Somebody else makes room for position 6, or takes it away; neither counts.
        let late = Fixture.insert("x", at: 6, Fixture.event(1, 0), after: [tip])
        let longer = Fixture.insert("oooo", at: 5, Fixture.event(2, 0), after: [tip])
        let end = Fixture.insert("z", at: 5, Fixture.event(3, 0), after: [tip])
        let shorter = Fixture.delete(0..<5, Fixture.event(4, 0), after: [tip])
        for runs in OrderOfDelivery([base, late, longer, end, shorter]).all {
            #expect(try Document(merging: runs).text.string == "ooooz")
        }
    }

    @Test func `a long insertion is void as a whole and counts once`() throws {
        let text = String(repeating: "long", count: 3000)
        let run = Fixture.insert(text, at: 9, Fixture.event(1, 0), after: [tip])
        var document = try Document(merging: [base])
        let result = try document.merge([run])
        #expect(result.voidRunCount == 1 && result.changes.isEmpty)
        #expect(document.eventCount == 12_005 && document.text.string == "hello")
        let next = Fixture.insert("!", at: 5, Fixture.event(1, 12_000), after: [run.last])
        #expect(try document.merge([next]).voidRunCount == 0)
        #expect(document.text.string == "hello!")
    }

    @Test func `positions near the limit do no harm`() throws {
        let far = DocumentLimits.endOfNumbers - 1
        var document = try Document(merging: [base])
        let runs = [
            Fixture.insert("x", at: far, Fixture.event(1, 0)),
            Fixture.delete((far - 9)..<far, Fixture.event(2, 0), after: [tip]),
            Fixture.delete((far - 9)..<far, Fixture.event(3, 0), after: [], isBackward: true),
        ]
        #expect(try document.merge(runs).voidRunCount == 3)
        document.checkInvariants()
        #expect(document.text.string == "hello")
        for position in [far + 1, -1, .max] {
            let run = Fixture.insert("x", at: position, Fixture.event(4, 0))
            #expect(throws: DocumentError.invalidRun(run.start)) { try document.merge([run]) }
        }
    }
}
