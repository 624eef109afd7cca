/// Random numbers that a seed decides: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    /// Begins a sequence. Sequences of two streams of one seed have nothing to do with each other.
    init(seed: UInt64, stream: UInt64 = 0) {
        state = seed
        let offset = next()
        state = offset ^ (stream &* 0xA076_1D64_78BD_642F)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
