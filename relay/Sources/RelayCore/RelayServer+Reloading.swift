import Logging
import NIOCore
import Synchronization

/// Settings that may change while connections are open.
final class LiveSettings: Sendable {
    /// Whether a connection's beginning and end gets a line in the log.
    let logsConnections = Atomic(false)
}

extension RelayServer {
    /// Takes over those settings that need no restart.
    /// - Parameter old: what was in force.
    /// - Returns: the keys of those that changed and need one.
    /// - Throws: `certificate` if the new one can't be used; the one before stays, and everything
    ///   else is taken over.
    public func reload(
        _ new: RelaySettings,
        instead old: RelaySettings
    ) throws(RelayError) -> [String] {
        var waiting = new.keys(differingFrom: old).filter { key in
            RelaySettings.setting(key)?.reloading == .restart
        }
        relay.live.logsConnections.store(new.logsConnections, ordering: .relaxed)
        setPolicy(new.policy)
        let files = Configuration(new).tlsFiles
        guard let identity, let files else {
            // Whether there is TLS at all is settled when the relay starts to listen.
            if (identity == nil) != (files == nil) { waiting += ["tls.certificate", "tls.key"] }
            return waiting
        }
        let expiry = try identity.reload(files)
        relay.logger.info("certificate read", metadata: ["valid_until": "\(expiry)"])
        return waiting
    }

    /// Writes a connection's beginning and end to the log, where somebody wants that.
    static func logIfWanted(_ channel: any Channel, _ relay: RelayContext) {
        guard relay.live.logsConnections.load(ordering: .relaxed) else { return }
        let address = "\(channel.remoteAddress?.ipAddress ?? "unknown")"
        let logger = relay.logger
        logger.info("connection opened", metadata: ["address": "\(address)"])
        let start = ContinuousClock.now
        channel.closeFuture.whenComplete { _ in
            let seconds = start.duration(to: .now).components.seconds
            logger.info(
                "connection closed",
                metadata: ["address": "\(address)", "seconds": "\(seconds)"]
            )
        }
    }
}

extension RelaySettings {
    /// The settings whose values aren't the same.
    public func keys(differingFrom other: RelaySettings) -> [String] {
        RelaySettings.table.filter { $0.get(self) != $0.get(other) }.map(\.key)
    }
}
