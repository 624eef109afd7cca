import SennitSync
public import SennitWire

extension Space {
    /// The name that the next change made on this device will have. Names of one log are dense over
    /// all its documents, so who knows this one knows those that follow.
    /// - Throws: `noSuchSpace`, `closed`.
    public func nextEvent() async throws(SennitError) -> EventID {
        try await engine.with(id) { driver in
            EventID(log: driver.replica.ownLog, number: driver.replica.nextOwnEvent)
        }
    }
}
