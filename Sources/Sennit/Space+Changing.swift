public import SennitSeal
public import SennitWire

// What an owner does about who belongs to the space.

extension Space {
    /// Removes member devices, and changes the key of the space in the same step. Entries of theirs
    /// that nobody has built on have no effect from now on; they are kept.
    /// - Throws: `notOwner`, `notSaved`, `closed`.
    public func remove(_ devices: [DeviceKey]) async throws(SennitError) {
        try await engine.with(id) { (driver) throws(SennitError) in try driver.remove(devices) }
        try await saved()
    }

    /// Gives member devices a role. A reader becomes a writer by a new invite, not by this.
    /// - Throws: `notOwner`, `notSaved`, `closed`.
    public func setRole(_ role: Role, of devices: [DeviceKey]) async throws(SennitError) {
        try await engine.with(id) { (driver) throws(SennitError) in
            try driver.setRole(role, of: devices)
        }
        try await saved()
    }

    /// Revokes invites, and changes the key of the space, which who holds a link could read.
    /// - Throws: `notOwner`, `notSaved`, `closed`.
    public func revoke(_ invites: [DeviceKey]) async throws(SennitError) {
        try await engine.with(id) { (driver) throws(SennitError) in try driver.revoke(invites) }
        try await saved()
    }

    /// Changes the key of the space: who copied the old one reads no further.
    /// - Throws: `readOnly`, `notMember`, `notSaved`, `closed`.
    public func rotate() async throws(SennitError) {
        try await engine.with(id) { (driver) throws(SennitError) in try driver.rotate() }
        try await saved()
    }
}
