// Internet addresses as limits count them: 128 bits, IPv4 within them as ::ffff:a.b.c.d (RFC 4291,
// section 2.5.5.2), so that one rule serves both.

/// An IPv4 or IPv6 address.
public struct PeerAddress: Hashable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    private static let mappedPrefix: UInt64 = 0xFFFF << 32

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The address that `text` shows, without port; brackets and a zone are dropped.
    public init?(_ text: String) {
        var text = Substring(text)
        if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
        if let zone = text.firstIndex(of: "%") { text = text[..<zone] }
        if let number = PeerAddress.fourNumbers(text) {
            self.init(high: 0, low: PeerAddress.mappedPrefix | UInt64(number))
            return
        }
        guard let groups = PeerAddress.eightGroups(text) else { return nil }
        func word(_ groups: ArraySlice<UInt16>) -> UInt64 {
            groups.reduce(0) { $0 << 16 | UInt64($1) }
        }
        self.init(high: word(groups[..<4]), low: word(groups[4...]))
    }

    /// Whether it is IPv4.
    public var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// Whether it is the machine itself.
    public var isLoopback: Bool {
        isIPv4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1
    }

    /// As people write it; of IPv6 only zeros at the end are left out.
    public var description: String {
        func parts(_ word: UInt64, _ width: UInt64, radix: Int) -> [String] {
            stride(from: 64 - Int(width), through: 0, by: -Int(width)).map {
                String(word >> UInt64($0) & (1 << width - 1), radix: radix)
            }
        }
        if isIPv4 { return parts(low, 8, radix: 10).suffix(4).joined(separator: ".") }
        let front = parts(high, 16, radix: 16).joined(separator: ":")
        return low == 0
            ? front + "::" : ([front] + parts(low, 16, radix: 16)).joined(separator: ":")
    }

    /// What limits count: the address, of IPv6 its network of 64 bits, for one device has all of
    /// that.
    public var counted: PeerAddress { isIPv4 ? self : PeerAddress(high: high, low: 0) }

    /// The address with all bits behind the first `count` cleared.
    fileprivate func prefix(_ count: Int) -> PeerAddress {
        func mask(_ count: Int) -> UInt64 { count <= 0 ? 0 : count >= 64 ? .max : ~(.max >> count) }
        return PeerAddress(high: high & mask(count), low: low & mask(count - 64))
    }

    private static func fourNumbers(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            let isPlain = part.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
            guard isPlain, part.utf8.count <= 3, part == "0" || !part.hasPrefix("0"),
                let byte = UInt8(part)
            else { return nil }
            number = number << 8 | UInt32(byte)
        }
        return number
    }

    private static func eightGroups(_ text: Substring) -> [UInt16]? {
        guard text.utf8.count <= 45 else { return nil }
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count) else { return nil }
        var sides: [[UInt16]] = []
        for (index, half) in halves.enumerated() {
            guard let groups = groups(half, mayEndInIPv4: index + 1 == halves.count) else {
                return nil
            }
            sides.append(groups)
        }
        if sides.count == 1 { return sides[0].count == 8 ? sides[0] : nil }
        let missing = 8 - sides[0].count - sides[1].count
        guard missing >= 1 else { return nil }
        return sides[0] + [UInt16](repeating: 0, count: missing) + sides[1]
    }

    private static func groups(_ text: Substring, mayEndInIPv4: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index + 1 == parts.count, let number = fourNumbers(part) {
                groups += [UInt16(number >> 16), UInt16(number & 0xFFFF)]
                continue
            }
            guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexDigit),
                let group = UInt16(part, radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}

/// A network: `10.0.0.0/8`, `2001:db8::/32`, or a single address.
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    private let first: PeerAddress
    private let prefixLength: Int
    public let description: String

    /// The network that `text` shows. Bits behind the prefix must be zero: they are a mistake.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = PeerAddress(String(parts[0])) else {
            return nil
        }
        let width = address.isIPv4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...width).contains(given), parts[1].first != "+"
            else { return nil }
            length = given
        }
        prefixLength = length + 128 - width
        first = address
        description = text
        guard address.prefix(prefixLength) == address else { return nil }
    }

    /// Whether the address is in it.
    public func contains(_ address: PeerAddress) -> Bool { address.prefix(prefixLength) == first }
}

extension AddressPolicy {
    /// Whom a connection is counted for; `nil` for nobody.
    ///
    /// A proxy appends the address that it saw to `X-Forwarded-For`, and a client can write what it
    /// likes before that. So the list is read from its end, and the first address that isn't
    /// itself a trusted proxy counts.
    /// - Parameters:
    ///   - peer: where the connection comes from.
    ///   - forwarded: the values of the header, in order.
    func counted(_ peer: PeerAddress, forwarded: [String]) -> PeerAddress? {
        var address = peer
        let list = forwarded.flatMap { $0.split(separator: ",") }.suffix(64).reversed()
        for text in list {
            guard isTrusted(address) else { break }
            let trimmed = text.drop { $0 == " " || $0 == "\t" }
            guard let before = PeerAddress(String(trimmed.prefix { $0 != " " && $0 != "\t" }))
            else { break }
            address = before
        }
        return address.isLoopback ? nil : address.counted
    }

    /// Whether the address is a proxy's whose word counts.
    func isTrusted(_ address: PeerAddress) -> Bool {
        trustedProxies.contains { $0.contains(address) }
    }
}
