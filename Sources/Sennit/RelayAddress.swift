/// Where a relay is reached: `ws://host[:port][/path]`, or `wss://` for TLS.
///
///     wss://relay.example.org        port 443, path /
///     ws://127.0.0.1:7070            without TLS: for one's own machine or network
///     wss://[2001:db8::1]:8443/team  an IPv6 address stands in brackets
///
/// Even without TLS the relay and who listens see ciphertext only; TLS hides which spaces and keys
/// are asked for.
struct RelayAddress: Hashable, Sendable, CustomStringConvertible {
    let isSecure: Bool
    /// A name or an address, an IPv6 one without its brackets.
    let host: String
    let port: Int
    /// Begins with a slash.
    let path: String

    private static let exampleHint = "an address looks like wss://relay.example.org"

    /// Reads an address.
    init(_ text: String) throws(ConnectionError) {
        func refusal(_ reason: String) -> ConnectionError {
            ConnectionError(
                .invalidAddress,
                "\"\(text)\" is not the address of a relay: \(reason)",
                hint: RelayAddress.exampleHint
            )
        }
        let rest: Substring
        if text.lowercased().hasPrefix("wss://") {
            isSecure = true
            rest = text.dropFirst(6)
        } else if text.lowercased().hasPrefix("ws://") {
            isSecure = false
            rest = text.dropFirst(5)
        } else {
            throw refusal("it begins neither with wss:// nor with ws://")
        }
        guard text.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value < 127 }) else {
            throw refusal("it has a blank or a character that no address has")
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        path = slash == rest.endIndex ? "/" : String(rest[slash...])
        guard !path.contains(where: { $0 == "?" || $0 == "#" }) else {
            throw refusal("it has a query or a fragment")
        }
        var authority = rest[..<slash]
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { throw refusal("a ] is missing") }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            authority = authority[authority.index(after: end)...]
        } else {
            let end = authority.firstIndex(of: ":") ?? authority.endIndex
            host = String(authority[..<end])
            authority = authority[end...]
        }
        guard !host.isEmpty, !host.contains("@") else { throw refusal("it names no host") }
        if authority.isEmpty {
            port = isSecure ? 443 : 80
        } else {
            guard authority.first == ":", let port = UInt16(authority.dropFirst()), port > 0 else {
                throw refusal("its port is not a number from 1 to 65535")
            }
            self.port = Int(port)
        }
    }

    /// Whether `host` is an address and no name, so that it can't be named in a TLS handshake.
    var isNumeric: Bool {
        host.contains(":") || host.split(separator: ".").allSatisfy { UInt8($0) != nil }
    }

    /// Host and port as the request names them.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    var description: String {
        (isSecure ? "wss://" : "ws://") + authority + (path == "/" ? "" : path)
    }
}
