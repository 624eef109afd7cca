import SennitStore
import SennitWire

// What relays ask for before they keep a space. A token is a secret of this profile: it lies in the
// journal beside the device's seed, goes to its own relay in answer to `unknownSpace`, and is in no
// invite, log or error.
//
//     setting relay-tokens    a line for each relay: its address, a space, the token's text

/// The tokens that the journal keeps, one for each relay. Touched on the engine's loop alone.
final class RelayTokens {
    private static let setting = "relay-tokens"

    private let journal: Journal
    private var tokens: [String: RelayToken] = [:]

    /// Reads what the journal has.
    init(_ journal: Journal) throws(StoreError) {
        self.journal = journal
        let text = String(decoding: try journal.setting(RelayTokens.setting) ?? [], as: UTF8.self)
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let token = RelayToken(text: String(parts[1])) else { continue }
            tokens[String(parts[0])] = token
        }
    }

    /// The token for a relay.
    func token(for relay: RelayAddress) -> RelayToken? { tokens["\(relay)"] }

    /// Keeps a token, instead of the one before.
    func keep(_ token: RelayToken, for relay: RelayAddress) throws(StoreError) {
        var changed = tokens
        changed["\(relay)"] = token
        let lines = changed.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)\n" }
        try journal.setSetting(RelayTokens.setting, to: Array(lines.joined().utf8))
        tokens = changed
    }
}

extension Engine {
    /// Keeps the token that a relay's operator gave for having spaces kept there.
    ///
    /// It is offered when the relay doesn't know a space of this profile. Give it before `found`,
    /// or at any time to a space that the relay refused.
    /// - Parameters:
    ///   - text: as the operator's `sennit-relay token create` printed it.
    ///   - relay: the relay's address.
    /// - Throws: `invalidToken`, `invalidAddress`, `notSaved`, `closed`.
    public func keepRelayToken(_ text: String, for relay: String) throws(SennitError) {
        let address: RelayAddress
        do { address = try RelayAddress(relay) } catch { throw SennitError(error) }
        guard let token = RelayToken(text: text) else {
            throw SennitError(
                .invalidToken,
                "this is not a relay's token, or some of it is missing",
                hint: "it begins with sennit-token-; ask who runs the relay"
            )
        }
        do { try ports.tokens.keep(token, for: address) } catch { throw SennitError(error) }
    }
}
