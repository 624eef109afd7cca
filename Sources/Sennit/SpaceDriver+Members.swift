import SennitSeal
import SennitStore
import SennitSync
import SennitWire

// Removing people, giving roles, revoking invites, changing keys. Each is one record in this
// device's log; the relay's list follows from it.

extension SpaceDriver {
    /// Removes devices: one record, with a new key for those who are left.
    func remove(_ devices: [DeviceKey]) throws(SennitError) {
        guard !devices.contains(replica.identity.device) else {
            throw SennitError(
                .notOwner,
                "a device can't remove itself: it would know the new key",
                hint: "ask another owner to remove it"
            )
        }
        try change(devices.map { .remove($0) })
    }

    /// Gives devices a role.
    func setRole(_ role: Role, of devices: [DeviceKey]) throws(SennitError) {
        try change(devices.map { .role($0, role) })
    }

    /// Revokes invites, and changes the key that they can read with.
    func revoke(_ invites: [DeviceKey]) throws(SennitError) {
        try change(invites.map { .revoke($0) })
    }

    private func change(_ changes: [MembershipChange]) throws(SennitError) {
        guard !isClosed else { throw .closed }
        guard let membership = replica.membership, replica.isMember else { throw .notJoinedYet }
        guard membership.role(of: replica.identity.device) == .owner else {
            throw SennitError(.notOwner, "only an owner of the space may do this")
        }
        do {
            let changes = try MembershipChanges(changes)
            // This device may lose the right to write by it.
            absorb(try replica.sealPending(ports.surroundings), isOwn: true)
            absorb(try replica.change(changes, ports.surroundings), isOwn: true)
        } catch let error as SyncError {
            throw SennitError(error)
        } catch let error as SealError {
            throw SennitError(error)
        } catch {
            throw SennitError(.internalFailure, "\(error)", cause: error)
        }
        proceed()
    }

    /// Announces a new key.
    func rotate() throws(SennitError) {
        guard !isClosed else { throw .closed }
        try requireWriter()
        do {
            absorb(try replica.rotate(ports.surroundings), isOwn: true)
        } catch {
            throw SennitError(error)
        }
        proceed()
    }

    /// Announces a new key if none is both known to all members and to nobody else. An owner does
    /// it at once, so that nobody waits for it; whoever writes next would do it anyway.
    func rotateIfNeeded() {
        let isOwner = replica.membership?.role(of: replica.identity.device) == .owner
        guard outbox.isStored, outbox.fault == nil,
            replica.mustHandOn || (isOwner && replica.needsEpoch),
            let change = try? replica.rotate(ports.surroundings)
        else { return }
        absorb(change, isOwn: true)
    }
}
