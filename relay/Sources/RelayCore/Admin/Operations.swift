import Foundation
import Logging
import NIOPosix
import RelayStorage

/// What runs beside serving: the operator's socket, and what the relay does by itself.
final class Operations: Sendable {
    let actions = AdminActions()
    let maintenance: Maintenance
    private let admin: AdminServer?

    /// Begins. Without a socket the relay serves all the same, and says so in its log.
    init(_ configuration: RelayServer.Configuration, _ relay: RelayContext, url: String) {
        let live = AdminDesk.Live(
            url: url,
            startedAt: Date(),
            governor: relay.governor,
            committer: relay.committer,
            hub: relay.hub,
            doorman: relay.doorman,
            actions: actions
        )
        let desk = AdminDesk(control: relay.governor.control, storage: relay.storage, live: live)
        maintenance = Maintenance(
            desk,
            live,
            maximumByteCount: configuration.maximumByteCount,
            logger: relay.logger
        )
        let path = configuration.adminSocketPath ?? AdminClient.path(in: configuration.directory)
        do throws(RelayError) {
            admin = try AdminServer(
                path: path,
                desk: desk,
                group: MultiThreadedEventLoopGroup.singleton,
                logger: relay.logger
            )
        } catch {
            admin = nil
            relay.logger.warning("no admin socket", metadata: ["reason": "\(error)"])
        }
        maintenance.start()
    }

    /// Ends, before the storage is closed.
    func stop() {
        admin?.stop()
        maintenance.stop()
    }
}
