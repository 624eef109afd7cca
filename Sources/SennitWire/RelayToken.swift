// What a relay's operator gives to who may have spaces kept there. SPEC.md section 10.
//
//     text    sennit-token-<64 digits of the secret><8 digits of its hash>
//
// The relay keeps the hash alone. The last digits are no secret and no proof: they tell a mistyped
// token from one that was revoked, before anything is sent.

/// A token for a relay: whoever has it may have spaces kept there.
public struct RelayToken: Hashable, Sendable {
    /// 32 random bytes.
    public let secret: Bytes32

    private static let prefix = "sennit-token-"
    private static let checkDigitCount = 8

    /// Makes a token of random bytes.
    public init(secret: Bytes32) { self.secret = secret }

    /// The token that `text` shows; `nil` if it shows none or is mistyped.
    public init?(text: String) {
        guard text.hasPrefix(RelayToken.prefix) else { return nil }
        let digits = text.dropFirst(RelayToken.prefix.count)
        guard let bytes = Hex.decode(String(digits.dropLast(RelayToken.checkDigitCount))),
            let secret = Bytes32(bytes)
        else { return nil }
        self.init(secret: secret)
        guard text.lowercased() == self.text else { return nil }
    }

    /// The token as its owner keeps it. It is a secret.
    public var text: String {
        RelayToken.prefix + Hex.encode(secret.bytes)
            + Hex.encode(hash.bytes).prefix(RelayToken.checkDigitCount)
    }

    /// What a relay keeps of it: 256 random bits can't be guessed from their hash.
    public var hash: Bytes32 { Hash.digest(.token, [secret.bytes]) }
}

extension RelayToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "a relay token" }
    public var debugDescription: String { description }
    /// Nothing, so that no dump of a frame shows the secret.
    public var customMirror: Mirror { Mirror(self, children: [] as [Mirror.Child]) }
}

extension Bytes32 {
    /// Whether both are the same, in a time that tells nothing of where they differ.
    public func equalsInConstantTime(_ other: Bytes32) -> Bool {
        var difference: UInt8 = 0
        for (left, right) in zip(bytes, other.bytes) { difference |= left ^ right }
        return difference == 0
    }
}
