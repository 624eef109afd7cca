import Foundation
import SennitDocument
import SennitWire
import Testing

@testable import Sennit
@testable import SennitCLI

@Suite struct PastVersionTests {
    private let zone = TimeZone(secondsFromGMT: 3600) ?? .gmt
    /// 2027-01-31 12:00:00 in that zone.
    private let now = Date(timeIntervalSince1970: 1_801_393_200)

    private func time(_ argument: String) -> Double? {
        guard case .time(let date) = PastVersion(argument, now: now, timeZone: zone) else {
            return nil
        }
        return date.timeIntervalSince(now)
    }

    @Test func `a number is an entry, and a time what it says`() {
        #expect(PastVersion("118", now: now, timeZone: zone) == .position(118))
        #expect(PastVersion("#118", now: now, timeZone: zone) == .position(118))
        #expect(time("90m") == -5400 && time("1.5h") == -5400 && time("2d") == -172_800)
        #expect(time("2027-01-31") == -43_200)
        #expect(time("2027-01-31T11:30") == -1800 && time("2027-01-31 11:30:30") == -1770)
        #expect(time("11:30") == -1800 && time("12:00:01") == 1)
    }

    @Test(arguments: ["", "yesterday", "-3h", "h", "2027-13-01", "25:00", "1e999d", "3 days", "1y"])
    func `anything else is refused`(argument: String) {
        #expect(PastVersion(argument, now: now, timeZone: zone) == nil)
    }
}

@Suite struct LineDiffTests {
    private func hunks(_ old: String, _ patches: [Patch]) -> [LineDiff.Hunk] {
        LineDiff(patches, of: old).hunks
    }

    @Test func `whole lines are shown for what changed in them`() {
        let old = "one\ntwo\nthree\nfour\n"
        let patches = [
            Patch(range: 0..<0, text: "1: "), Patch(range: 7..<10, text: "2"),
            Patch(range: 15..<16, text: "\nmore\n"),
        ]
        #expect(
            hunks(old, patches) == [
                .init(firstLine: 1, removed: ["one"], added: ["1: one"]),
                .init(firstLine: 2, removed: ["two"], added: ["2"]),
                .init(firstLine: 4, removed: ["four"], added: ["", "more", "our"]),
            ]
        )
    }

    @Test func `several changes of one line are one, and added lines stand alone`() {
        let old = "abc\nd\n"
        let two = [Patch(range: 0..<1, text: "A"), Patch(range: 2..<3, text: "C")]
        #expect(hunks(old, two) == [.init(firstLine: 1, removed: ["abc"], added: ["AbC"])])
        let added = [Patch(range: 4..<4, text: "new\n")]
        #expect(hunks(old, added) == [.init(firstLine: 2, removed: [], added: ["new"])])
        let end = [Patch(range: 6..<6, text: "e")]
        #expect(hunks(old, end) == [.init(firstLine: 3, removed: [], added: ["e"])])
        let gone = [Patch(range: 0..<4, text: "")]
        #expect(hunks(old, gone) == [.init(firstLine: 1, removed: ["abc"], added: [])])
        #expect(hunks("", [Patch(range: 0..<0, text: "x\ny")]).map(\.added) == [["x", "y"]])
    }

    @Test func `carrying out the lines gives the new text`() {
        for seed in UInt64(0)..<300 {
            var random = SplitMix(seed)
            let old = random.lines()
            var text = Rope(old)
            var patches: [Patch] = []
            var position = 0
            while position <= text.scalarCount, patches.count < 6 {
                let low = position + random.below(4)
                guard low <= text.scalarCount else { break }
                let high = min(text.scalarCount, low + random.below(4))
                let patch = Patch(range: low..<high, text: String(random.lines().prefix(4)))
                text.apply(patch)
                patches.append(patch)
                position = low + patch.text.unicodeScalars.count + 1
            }
            var lines = LineDiff.lines(old)
            for hunk in hunks(old, patches).reversed() {
                let start = hunk.firstLine - 1
                let range = start..<(start + hunk.removed.count)
                #expect(Array(lines[range]) == hunk.removed, "seed \(seed)")
                lines.replaceSubrange(range, with: hunk.added)
            }
            #expect(lines == LineDiff.lines(text.string), "seed \(seed)")
        }
    }
}

@Suite struct AuthoredLineTests {
    @Test func `a line is named for who wrote most of it, and dated by its newest part`() {
        let log = LogID(value: .zero)
        func piece(_ range: Range<Int>, _ author: String?, _ time: UInt64?) -> AuthoredText {
            AuthoredText(range: range, author: author, log: log, position: nil, authorTime: time)
        }
        let text = Array("one\ntwo\nthree".unicodeScalars)
        let pieces = [
            piece(0..<5, "Ada", 10), piece(5..<6, "Bob", 30), piece(6..<8, "Ada", 20),
            piece(8..<13, nil, nil),
        ]
        #expect(
            AuthoredLine.all(text, pieces) == [
                AuthoredLine(text: "one", name: "Ada", time: 10),
                AuthoredLine(text: "two", name: "Ada +", time: 30),
                AuthoredLine(text: "three", name: "?", time: nil),
            ]
        )
    }
}

/// Reproducible choices.
private struct SplitMix {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func below(_ limit: UInt64) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ (value >> 31)) % limit)
    }

    /// A text of short lines.
    mutating func lines() -> String {
        (0..<below(14)).map { _ in below(3) == 0 ? "\n" : ["a", "b", "é"][below(3)] }.joined()
    }
}
