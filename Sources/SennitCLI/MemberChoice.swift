import Sennit
import SennitWire

/// Picks member devices or invites by what a person types.
enum MemberChoice {
    /// The devices of all who go by a name, or the one whose key begins with these digits.
    static func devices(
        _ word: String,
        among members: [Space.Member]
    ) throws -> [Space.Member] {
        let named = members.filter { $0.name == word }
        if !named.isEmpty { return named }
        let digits = word.lowercased()
        let found = digits.isEmpty ? [] : members.filter { $0.device.hex.hasPrefix(digits) }
        guard let first = found.first else {
            throw Failure(
                .usage,
                "nobody goes by \"\(word)\"",
                hint: "`sennit members` lists names and devices"
            )
        }
        guard found.count == 1 else {
            throw Failure(
                .usage,
                "several devices begin with \(word)",
                hint: "say more digits: `sennit members`"
            )
        }
        return [first]
    }

    /// The invite whose key begins with these digits.
    static func invite(
        _ word: String,
        among invites: [Space.OpenInvite]
    ) throws -> Space.OpenInvite {
        let digits = word.lowercased()
        let found = digits.isEmpty ? [] : invites.filter { $0.key.hex.hasPrefix(digits) }
        guard let first = found.first, found.count == 1 else {
            throw Failure(
                .usage,
                found.isEmpty
                    ? "no open invite begins with \(word)" : "several invites begin with \(word)",
                hint: "`sennit invites` lists them"
            )
        }
        return first
    }
}
