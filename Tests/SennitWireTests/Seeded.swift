import SennitWire

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

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    /// A name of any kind.
    mutating func name<Name: Identifier>(_: Name.Type = Name.self) -> Name {
        guard let name = Name(bytes(Bytes32.byteCount)) else {
            preconditionFailure("There are 32 bytes.")
        }
        return name
    }

    mutating func bytes32() -> Bytes32 { name(SpaceID.self).value }

    mutating func incarnation() -> Incarnation {
        guard let incarnation = Incarnation(bytes(Incarnation.byteCount)) else {
            preconditionFailure("There are 16 bytes.")
        }
        return incarnation
    }

    /// `bytes` after one to three changes of the kinds that break decoders.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(3) {
            let place = below(bytes.count + 1)
            switch below(6) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(below(8))
            case 1 where place < bytes.count: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][below(5)]
            case 2 where place < bytes.count: bytes.remove(at: place)
            case 3: bytes.insert(UInt8(below(256)), at: place)
            case 4: bytes.removeSubrange(place..<min(bytes.count, place + below(40)))
            default: bytes.insert(contentsOf: [0xFF, 0xFF, 0xFF, 0x7F], at: place)
            }
        }
        return bytes
    }
}
