/// What one address may do. Processes on the relay's own machine are not counted, unless a proxy
/// that is trusted says for whom it speaks.
public struct AddressPolicy: Hashable, Sendable {
    /// Connections at once; an office behind one address has many.
    public var maximumConnectionCount = 1_000

    /// New connections a second over long times.
    public var handshakesPerSecond: Double = 20

    /// New connections that may come at once: all devices of an office, after a restart.
    public var handshakeBurst: Double = 1_000

    /// Proxies whose word about the address counts.
    public var trustedProxies: [AddressRange] = []

    /// The usual.
    public init() {}
}
