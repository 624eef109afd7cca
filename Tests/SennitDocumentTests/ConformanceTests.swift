import SennitReference
import Testing

@testable import SennitDocument

@Suite struct ConformanceTests {
    @Test func `the public random graphs end in their text`() throws {
        let vectors = try ConformanceVector.all(
            path: Fixture.path("Vectors/egwalker-conformance.json.gz")
        )
        #expect(vectors.count > 40)
        for (index, vector) in vectors.enumerated() {
            let runs = vector.operations.map(Fixture.run)
            let whole = try Document(merging: runs)
            whole.checkInvariants()
            #expect(whole.text.string.bytes == vector.endContent.bytes, "graph \(index)")
            var live = Document()
            var text = Rope()
            for run in runs {
                for patch in try live.merge([run]).changes { text.apply(patch) }
            }
            live.checkInvariants()
            #expect(live.hasSameState(as: whole) && text == live.text, "graph \(index)")
        }
    }
}
