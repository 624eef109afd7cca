/// A small generator of reproducible choices (SplitMix64): one seed, one sequence.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ limit: Int) -> Int {
        Int.random(in: 0..<limit, using: &self)
    }

    /// A text of up to `limit` scalars out of everything that tends to be counted wrongly.
    mutating func text(limit: Int) -> String {
        let pieces: [Unicode.Scalar] = [
            "a", "b", "z", " ", "\n", "\r", "é", "ß", "e", "\u{301}", "漢", "字", "\u{200D}", "👩",
            "🚀", "\u{FE0F}", "\u{10FFFF}", "\u{7FF}", "\u{800}", "\u{FFFF}", "\u{10000}",
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<below(limit + 1) { text.append(pieces[below(pieces.count)]) }
        return String(text)
    }
}
