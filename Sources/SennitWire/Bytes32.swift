/// Thirty-two bytes kept as four words, so that hashing, comparing and copying cost no allocation.
///
/// The words hold the bytes in big-endian order: comparing words compares the bytes
/// lexicographically, which is the order SPEC.md gives to identifiers.
public struct Bytes32: Hashable, Comparable, Sendable {
    let word0: UInt64
    let word1: UInt64
    let word2: UInt64
    let word3: UInt64

    /// How many bytes a value has.
    public static let byteCount = 32

    /// All bits zero.
    public static let zero = Bytes32(0, 0, 0, 0)

    init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    /// Takes 32 bytes; `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        self.init(Array(bytes))
    }

    /// Takes 32 bytes; `nil` for any other count.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Bytes32.byteCount else { return nil }
        self.init(bytes, at: 0)
    }

    /// The 32 bytes, in order.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Bytes32.byteCount)
        bytes.append(self)
        return bytes
    }

    /// The same four words as they lie in memory when the bytes are in order, and back.
    var inByteOrder: Bytes32 {
        Bytes32(word0.bigEndian, word1.bigEndian, word2.bigEndian, word3.bigEndian)
    }

    public static func < (left: Bytes32, right: Bytes32) -> Bool {
        if left.word0 != right.word0 { return left.word0 < right.word0 }
        if left.word1 != right.word1 { return left.word1 < right.word1 }
        if left.word2 != right.word2 { return left.word2 < right.word2 }
        return left.word3 < right.word3
    }
}

/// A 32-byte name with a type of its own, so that no two kinds of name can be confused.
public protocol Identifier: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The bytes of the name.
    var value: Bytes32 { get }

    /// Wraps bytes that are already known to be a name of this kind.
    init(value: Bytes32)
}

extension Identifier {
    /// Takes 32 bytes; `nil` for any other count.
    public init?(_ bytes: some Collection<UInt8>) {
        guard let value = Bytes32(bytes) else { return nil }
        self.init(value: value)
    }

    /// Takes 64 hexadecimal digits of either case; `nil` for anything else.
    public init?(hex: String) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// The 32 bytes of the name, in order.
    public var bytes: [UInt8] { value.bytes }

    /// The 64 lower-case hexadecimal digits of the name.
    public var hex: String { Hex.encode(value.bytes) }

    /// The first eight hexadecimal digits: enough for a person, never for a program.
    public var short: String { String(hex.prefix(8)) }

    public var description: String { hex }

    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}
