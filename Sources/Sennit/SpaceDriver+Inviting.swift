import SennitSeal
import SennitStore
import SennitSync
import SennitWire

extension SpaceDriver {
    /// Opens an invite.
    /// - Returns: its link.
    func invite(role: Role, uses: UInt64) throws(SennitError) -> String {
        guard !isClosed else { throw .closed }
        guard !record.relays.isEmpty else {
            throw SennitError(
                .noRelay,
                "no relay is known for this space, so nobody could join"
            )
        }
        guard role != .owner, uses > 0 else {
            throw SennitError(.notOwner, "an invite makes writers or readers, at least one")
        }
        let seed = SecretBytes(Random.bytes(InviteIdentity.seedByteCount))
        let named = replica.logSummaries.compactMap { log in
            replica.chain(of: log.log, at: log.applied).map {
                (position: Position(log: log.log, offset: log.applied), chain: $0)
            }
        }
        let link: InviteLink
        do {
            link = try InviteLink(
                space: space,
                spaceNonce: replica.spaceNonce,
                seed: seed,
                floorDigest: InviteLink.floorDigest(of: named),
                relays: record.relays
            )
        } catch {
            throw SennitError(error)
        }
        do {
            let change = try replica.openInvite(
                seed: seed,
                role: role,
                uses: uses,
                ports.surroundings
            )
            absorb(change, isOwn: true)
        } catch {
            throw SennitError(error)
        }
        proceed()
        return link.text
    }
}
