import SennitDocument
import SennitWire
import Testing

@testable import Sennit

@Suite struct ChangeFeedTests {
    private func cursor(_ revision: UInt64, _ scalarCount: Int) -> ChangeCursor {
        ChangeCursor(document: .directory, revision: revision, scalarCount: scalarCount)
    }

    private func change(_ text: String) -> TextChange {
        TextChange(patches: [Patch(range: 0..<0, text: text)], isOwn: false)
    }

    @Test func `a reader is told what came after its cursor`() {
        var feed = ChangeFeed()
        feed.append(change("a"))
        feed.append(change("b"))
        feed.append(change("c"))
        #expect(feed.changes(since: cursor(1, 1), text: Rope("cba")) == [change("b"), change("c")])
        #expect(feed.changes(since: cursor(3, 3), text: Rope("cba")).isEmpty)
    }

    @Test func `a reader that is too slow is told the whole text, and it fits its own`() {
        var feed = ChangeFeed()
        var text = Rope()
        for _ in 0..<(EngineLimits.maximumFeedStepCount + 10) {
            feed.append(change("x"))
            text.insert("x", at: 0)
        }
        let changes = feed.changes(since: cursor(5, 5), text: text)
        #expect(changes.count == 1)
        var old = Rope("xxxxx")
        for patch in changes.flatMap(\.patches) { old.apply(patch) }
        #expect(old == text)
        let recent = cursor(feed.revision - 2, text.scalarCount - 2)
        #expect(feed.changes(since: recent, text: text).count == 2)
    }

    @Test func `a few huge changes are forgotten like many small ones`() {
        var feed = ChangeFeed()
        let huge = String(repeating: "y", count: EngineLimits.maximumFeedByteCount / 2)
        for _ in 0..<4 { feed.append(change(huge)) }
        let text = Rope("now")
        #expect(
            feed.changes(since: cursor(0, 7), text: text)
                == [TextChange(patches: [Patch(range: 0..<7, text: "now")], isOwn: false)]
        )
    }

    @Test(arguments: [
        (2, 0..<0, "ab", 4), (2, 2..<2, "ab", 2), (2, 3..<4, "x", 2), (5, 1..<3, "", 3),
        (2, 1..<4, "xy", 3), (4, 1..<4, "xy", 3),
    ])
    func `a place moves with the text before it`(
        place: Int,
        range: Range<Int>,
        text: String,
        moved: Int
    ) {
        #expect(Patch(range: range, text: text).moved(place) == moved)
    }
}
