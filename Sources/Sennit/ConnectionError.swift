/// Why there is no connection to a relay, in words for a person.
struct ConnectionError: Error, Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case invalidAddress, unreachable, notARelay, insecure, broken
    }

    let kind: Kind
    /// One sentence, lower case, without a full stop.
    let message: String
    /// What to do about it, if anything.
    let hint: String?

    init(_ kind: Kind, _ message: String, hint: String? = nil) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }
}
