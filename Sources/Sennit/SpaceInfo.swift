import SennitSeal
import SennitStore
import SennitSync
public import SennitWire

/// A space as a list of spaces shows it.
public struct SpaceInfo: Hashable, Sendable {
    /// The space.
    public let id: SpaceID
    /// What it is called on this device.
    public let name: String
    /// Addresses of relays, the preferred one first.
    public let relays: [String]
    /// The name this device's person goes by there.
    public let person: String
    /// Whether the join by which it came is not confirmed yet.
    public let isJoining: Bool

    init(_ record: SpaceRecord, person: String) {
        id = record.id
        name = record.name
        relays = record.relays
        self.person = person
        isJoining = record.inviteSeed != nil
    }

    /// The index of the one that goes by a name or by the first digits of its id.
    static func choose(
        _ nameOrPrefix: String?,
        among spaces: [(id: SpaceID, name: String)]
    ) throws(SennitError) -> Int {
        guard let wanted = nameOrPrefix else {
            guard !spaces.isEmpty else {
                throw SennitError(
                    .noSuchSpace,
                    "there is no space in this profile yet",
                    hint: "`sennit new` founds a space, `sennit join` joins one"
                )
            }
            guard spaces.count == 1 else { throw ambiguous("say which space", spaces) }
            return 0
        }
        var found = spaces.indices.filter { spaces[$0].name == wanted }
        if found.isEmpty, !wanted.isEmpty {
            found = spaces.indices.filter { spaces[$0].id.hex.hasPrefix(wanted.lowercased()) }
        }
        guard let first = found.first else {
            throw SennitError(
                .noSuchSpace,
                "no space goes by \"\(wanted)\"",
                hint: "`sennit status` shows them all"
            )
        }
        guard found.count == 1 else {
            throw ambiguous("several spaces go by \"\(wanted)\"", found.map { spaces[$0] })
        }
        return first
    }

    private static func ambiguous(
        _ message: String,
        _ spaces: [(id: SpaceID, name: String)]
    ) -> SennitError {
        let names = spaces.map { "\($0.name) (\($0.id.short))" }.joined(separator: ", ")
        return SennitError(
            .ambiguousSpace,
            message,
            hint: "name it with --space, or the first digits of its id: \(names)"
        )
    }
}

extension SpaceDriver {
    /// The name this device's person goes by here.
    var ownName: String { replica.name(of: replica.identity.device) ?? member?.name ?? "" }
}
