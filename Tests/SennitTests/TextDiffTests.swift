import SennitDocument
import Testing

@testable import Sennit

@Suite struct TextDiffTests {
    private func applied(_ patches: [Patch], to text: String) -> String {
        var rope = Rope(text)
        for patch in patches { rope.apply(patch) }
        return rope.string
    }

    private func changedScalarCount(_ patches: [Patch]) -> Int {
        patches.reduce(0) { $0 + $1.range.count + $1.text.unicodeScalars.count }
    }

    @Test func `equal texts need no patch`() {
        #expect(TextDiff.patches(from: "a\nb\n", to: "a\nb\n").isEmpty)
        #expect(TextDiff.patches(from: "", to: "").isEmpty)
    }

    @Test(arguments: [
        ("", "abc", [Patch(range: 0..<0, text: "abc")]),
        ("abc", "", [Patch(range: 0..<3, text: "")]),
        ("one\ntwo\nthree\n", "one\n2\nthree\n", [Patch(range: 4..<7, text: "2")]),
        ("a\nb\nc\n", "a\nc\n", [Patch(range: 2..<4, text: "")]),
        (
            "x = 1\ny = 2\nz = 3\n", "x = 7\ny = 2\nz = 8\n",
            [Patch(range: 4..<5, text: "7"), Patch(range: 16..<17, text: "8")]
        ),
        ("a\nb", "a\nb\n", [Patch(range: 3..<3, text: "\n")]),
    ])
    func `a small change is a small patch`(old: String, new: String, patches: [Patch]) {
        #expect(TextDiff.patches(from: old, to: new) == patches)
    }

    @Test func `texts that are equal only to the eye differ`() {
        let patches = TextDiff.patches(from: "caf\u{E9}", to: "cafe\u{301}")
        let result = applied(patches, to: "caf\u{E9}")
        #expect(result.unicodeScalars.elementsEqual("cafe\u{301}".unicodeScalars))
        #expect(!patches.isEmpty)
    }

    @Test func `Myers' own example needs five edits`() {
        let hunks = TextDiff.hunks(Array("ABCABBA"), Array("CBABAC"), limit: 100)
        #expect(hunks.reduce(0) { $0 + $1.old.count + $1.new.count } == 5)
    }

    @Test func `more edits than the limit are one hunk`() {
        let hunks = TextDiff.hunks(Array("aXbYcZd"), Array("a1b2c3d"), limit: 3)
        #expect(hunks == [TextDiff.Hunk(old: 1..<6, new: 1..<6)])
    }

    @Test func `words that a person replaced aren't torn into letters`() {
        let patches = TextDiff.patches(from: "the cat sat\n", to: "the dogs ran\n")
        #expect(patches.count <= 2)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `whatever the texts are the patches turn one into the other`(seed: UInt64) {
        var random = Seeded(seed)
        let alphabet = Array("ab \n\u{1F469}\u{301}é")
        var old: [Character] = []
        for _ in 0..<Int(random.next() % 120) {
            old.append(alphabet[Int(random.next() % UInt64(alphabet.count))])
        }
        var new = old
        for _ in 0..<Int(random.next() % 12) {
            let index = Int(random.next() % UInt64(new.count + 1))
            if random.next() % 2 == 0, index < new.count {
                new.remove(at: index)
            } else {
                new.insert(alphabet[Int(random.next() % UInt64(alphabet.count))], at: index)
            }
        }
        let patches = TextDiff.patches(from: String(old), to: String(new))
        let result = applied(patches, to: String(old))
        #expect(
            result.unicodeScalars.elementsEqual(String(new).unicodeScalars),
            "seed \(seed)"
        )
        // Never worse than replacing everything.
        let whole = String(old).unicodeScalars.count + String(new).unicodeScalars.count
        #expect(changedScalarCount(patches) <= whole, "seed \(seed)")
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `hunks are as few edits as a slow search finds`(seed: UInt64) {
        var random = Seeded(seed)
        let old = (0..<Int(random.next() % 14)).map { _ in random.next() % 3 }
        let new = (0..<Int(random.next() % 14)).map { _ in random.next() % 3 }
        let hunks = TextDiff.hunks(old, new, limit: 100)
        let count = hunks.reduce(0) { $0 + $1.old.count + $1.new.count }
        #expect(count == editCount(old, new), "seed \(seed)")
    }

    /// The count of insertions and deletions by the textbook table.
    private func editCount(_ old: [UInt64], _ new: [UInt64]) -> Int {
        var row = Array(0...new.count)
        for (index, element) in old.enumerated() {
            var next = [index + 1]
            for column in new.indices {
                next.append(
                    element == new[column]
                        ? row[column] : min(row[column + 1], next[column]) + 1
                )
            }
            row = next
        }
        return row[new.count]
    }
}

/// SplitMix64: small, and the same everywhere.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
