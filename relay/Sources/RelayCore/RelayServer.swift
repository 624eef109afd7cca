import Dispatch
import Foundation
public import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
public import RelayStorage
import SennitWire
import Synchronization

/// A running relay: the socket it listens on, its connections and its storage.
///
///     let server = try RelayServer(configuration, logger: logger)
///     print(server.url)
///     try server.stop()
///
/// Both calls block; don't make them on an event loop.
public final class RelayServer: Sendable {
    /// Where and how to serve.
    public struct Configuration: Hashable, Sendable {
        /// The directory for the relay's data.
        public var directory: String
        /// The name or address to listen on.
        public var host: String
        /// The port; 0 for any that is free.
        public var port: Int
        /// PEM files of the certificate with its chain and of its key; `nil` to serve without TLS.
        public var certificate: (chainPath: String, keyPath: String)? {
            get { chainPath.flatMap { chain in keyPath.map { (chain, $0) } } }
            set { (chainPath, keyPath) = (newValue?.chainPath, newValue?.keyPath) }
        }
        /// The bounds to keep.
        public var limits = RelayLimits()
        /// Who may use the relay and how much.
        public var policy = RelayPolicy()
        /// Where the operator's socket is; `nil` for `admin.sock` among the data.
        public var adminSocketPath: String?
        /// Bytes that the storage's files take up at most; `nil` for no limit.
        public var maximumByteCount: Int?
        /// Whether every connection's beginning and end gets a line in the log.
        public var logsConnections = false

        private var chainPath: String?
        private var keyPath: String?

        /// A relay without TLS.
        public init(directory: String, host: String = "127.0.0.1", port: Int = 0) {
            self.directory = directory
            self.host = host
            self.port = port
        }

        /// What a relay's settings say.
        public init(_ settings: RelaySettings) {
            self.init(
                directory: settings.directory,
                host: settings.listen.host,
                port: settings.listen.port
            )
            (chainPath, keyPath) = (settings.certificatePath, settings.keyPath)
            logsConnections = settings.logsConnections
            limits = settings.limits
            policy = settings.policy
            adminSocketPath = settings.adminSocketPath
            maximumByteCount = settings.maximumByteCount
        }

        /// Reads the files that the configuration names.
        /// - Throws: `certificate`.
        public func checkFiles() throws(RelayError) {
            if let tlsFiles { _ = try TLSIdentity(tlsFiles) }
        }

        var tlsFiles: TLSIdentity.Files? {
            certificate.map { TLSIdentity.Files(chainPath: $0.chainPath, keyPath: $0.keyPath) }
        }
    }

    /// The address that devices connect to.
    public let url: String
    /// The port that the relay listens on.
    public let port: Int

    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    let relay: RelayContext
    let operations: Operations
    let identity: TLSIdentity?
    private let telemetry: Telemetry

    /// Opens the storage and listens.
    /// - Parameters:
    ///   - opened: storage that is open already and is closed with the server, instead of that in
    ///     the configuration's directory.
    ///   - telemetry: says that the relay recovers, until this returns.
    /// - Throws: `storage`; `certificate`; `listen`.
    public init(
        _ configuration: Configuration,
        storage opened: (any RelayStorage & Sendable)? = nil,
        logger: Logger,
        telemetry: Telemetry = Telemetry()
    ) throws(RelayError) {
        Primitives.prepare()
        self.telemetry = telemetry
        let tls: TLSIdentity?
        if let files = configuration.tlsFiles { tls = try TLSIdentity(files) } else { tls = nil }
        identity = tls
        let storage: any RelayStorage & Sendable
        let control: ControlStore
        do throws(StorageError) {
            storage =
                if let opened { opened } else {
                    try StorageOpening.open(
                        configuration.directory,
                        maximumByteCount: configuration.maximumByteCount
                    )
                }
            control = try RelayServer.openControl(configuration.directory, beside: storage)
        } catch {
            throw RelayError(error)
        }
        let context = RelayServer.makeContext(
            configuration,
            storage,
            control,
            logger,
            telemetry.metrics
        )
        relay = context
        group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let address = "\(configuration.host):\(configuration.port)"
        do {
            channel = try RelayServer.bootstrap(group, relay, tls)
                .bind(host: configuration.host, port: configuration.port).wait()
        } catch {
            try? group.syncShutdownGracefully()
            try context.committer.stop()
            try? control.close()
            throw .listen(address: address, reason: "\(error)")
        }
        port = channel.localAddress?.port ?? configuration.port
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        url = "\(tls == nil ? "ws" : "wss")://\(host):\(port)"
        operations = Operations(configuration, relay, url: url)
        logger.info("listening", metadata: ["url": "\(url)"])
        telemetry.serve(
            Telemetry.Source(
                connectionCount: { context.hub.connectionCount },
                doorFigures: { context.doorman.figures },
                figures: { storage.figures },
                sizes: { storage.sizes() },
                certificate: { tls?.figures },
                outage: { context.committer.outage }
            )
        )
    }

    private static func makeContext(
        _ configuration: Configuration,
        _ storage: any RelayStorage & Sendable,
        _ control: ControlStore,
        _ logger: Logger,
        _ metrics: RelayMetrics
    ) -> RelayContext {
        let relayName = storage.relayName
        let hub = Hub()
        let governor = Governor(
            configuration.policy,
            control: control,
            storage: storage,
            logger: logger
        )
        let committer = Committer(
            storage: storage,
            hub: hub,
            governor: governor,
            limits: configuration.limits,
            logger: logger
        )
        let relay = RelayContext(
            relayName: relayName,
            hub: hub,
            storage: storage,
            committer: committer,
            governor: governor,
            doorman: Doorman(
                configuration.policy.addresses,
                maximumCount: configuration.limits.maximumConnectionCount
            ),
            limits: configuration.limits,
            logger: logger,
            metrics: metrics
        )
        committer.listen(for: hub)
        relay.live.logsConnections.store(configuration.logsConnections, ordering: .relaxed)
        return relay
    }

    /// Stops accepting, finishes the running commit, says goodbye to every device and closes.
    /// - Parameter timeout: after which connections that are still open are cut.
    /// - Throws: `storage` if the storage can't be closed; `unfinished` if it isn't in time.
    public func stop(within timeout: Duration = .seconds(5)) throws(RelayError) {
        let deadline = NIODeadline.now() + TimeAmount(timeout)
        relay.logger.info("stopping", metadata: ["connections": "\(connectionCount)"])
        operations.stop()
        telemetry.drain()
        try? channel.close().wait()
        let closing = stopCommitter(until: deadline, timeout)
        var outbox = Outbox()
        for outlet in relay.hub.all() { outbox.add(.shutDown, for: outlet) }
        outbox.send()
        // Devices close by themselves after their linger time, at most. Who never said that it is
        // one isn't waited for.
        let loop = group.next()
        while !relay.hub.all().isEmpty, NIODeadline.now() < deadline {
            try? loop.scheduleTask(in: .milliseconds(10)) {}.futureResult.wait()
        }
        let count = relay.hub.all().count
        if count > 0 {
            relay.logger.notice("connections are cut", metadata: ["connections": "\(count)"])
        }
        telemetry.end()
        // Where the disk hangs, so would everything that waits for it.
        if case .failure(.unfinished) = closing { return try closing.get() }
        try? group.syncShutdownGracefully()
        try? relay.governor.control.close()
        relay.logger.info("stopped")
        try closing.get()
    }

    /// Says what happens when the operator asks for it.
    /// - Parameters:
    ///   - reload: reads the settings again; `nil` if there is nothing to read.
    ///   - drain: begins to stop the relay, and returns.
    public func onRequest(
        reload: (@Sendable () -> Void)?,
        drain: @escaping @Sendable () -> Void
    ) {
        operations.actions.set(reload: reload, drain: drain)
    }

    /// Puts new rules in force for who may use the relay and how much; those of addresses stay.
    public func setPolicy(_ policy: RelayPolicy) { relay.governor.setPolicy(policy) }

    private func stopCommitter(
        until deadline: NIODeadline,
        _ timeout: Duration
    ) -> Result<Void, RelayError> {
        let committer = relay.committer
        let outcome = Outcome(.failure(.unfinished(after: timeout)))
        let ended = DispatchSemaphore(value: 0)
        DispatchQueue.global(qos: .userInitiated).async {
            let result = Result { () throws(RelayError) in try committer.stop() }
            outcome.value.withLock { $0 = result }
            ended.signal()
        }
        let left = max(deadline - .now(), .milliseconds(1))
        _ = ended.wait(timeout: .now() + .nanoseconds(Int(left.nanoseconds)))
        return outcome.value.withLock { $0 }
    }

    /// Connections that are open now.
    public var connectionCount: Int { relay.hub.connectionCount }

    /// Why nothing can be stored or read at present; `nil` if nothing speaks against it.
    public var outage: StorageError? { relay.committer.outage }

    /// Calls back once every event loop has come round, the queue that judges, and the disk.
    public func whenAlive(_ call: @escaping @Sendable () -> Void) {
        let committer = relay.committer
        let loops = group.makeIterator().map { $0.submit {} }
        EventLoopFuture.andAllSucceed(loops, on: group.next()).whenSuccess {
            committer.whenAlive(call)
        }
    }

    /// Commits that storage made so far.
    public var commitCount: Int { relay.committer.commitCount }

    private static func openControl(
        _ directory: String,
        beside storage: any RelayStorage
    ) throws(StorageError) -> ControlStore {
        // Storage that is elsewhere leaves it to us to make the directory.
        try? FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        do throws(StorageError) {
            return try ControlStore(directory: directory)
        } catch {
            try storage.close()
            throw error
        }
    }

    /// What came of stopping. A class: the thread that stops may outlive who waits for it.
    private final class Outcome: Sendable {
        let value: Mutex<Result<Void, RelayError>>
        init(_ value: Result<Void, RelayError>) { self.value = Mutex(value) }
    }

    private static func bootstrap(
        _ group: MultiThreadedEventLoopGroup,
        _ relay: RelayContext,
        _ tls: TLSIdentity?
    ) -> ServerBootstrap {
        let limits = relay.limits
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(
                    low: limits.writeBufferLowByteCount,
                    high: limits.writeBufferHighByteCount
                )
            )
            .childChannelInitializer { channel in
                let visitor: UInt64
                switch relay.doorman.enter(channel, now: NIODeadline.now().sinceBoot) {
                case .admitted(let id): visitor = id
                case .full: return TurnedAway.full.tell(channel, relay.doorman, tls)
                case .tooMany(let pause):
                    return TurnedAway.tooMany(retryAfter: pause).tell(channel, relay.doorman, tls)
                }
                relay.hub.accept()
                channel.closeFuture.whenComplete { _ in
                    relay.doorman.leave(visitor)
                    relay.hub.release()
                }
                logIfWanted(channel, relay)
                return channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLServerHandler(context: tls.context)
                        )
                    }
                    try addHTTP(to: channel, relay, visitor)
                }
            }
    }

    private static func addHTTP(
        to channel: any Channel,
        _ relay: RelayContext,
        _ visitor: UInt64
    ) throws {
        let openedAt = NIODeadline.now()
        let plain = PlainHTTPHandler(timeout: relay.limits.handshakeTimeout)
        let bound = NIOLoopBound(plain, eventLoop: channel.eventLoop)
        let gate = StrangerGate(byteCount: relay.limits.maximumStrangerByteCount)
        let boundGate = NIOLoopBound(gate, eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(gate)
        let upgrader = RelayUpgrader { channel, head in
            bound.value.retryAfter = relay.doorman.identify(
                visitor,
                channel,
                forwarded: head.headers["X-Forwarded-For"],
                now: NIODeadline.now().sinceBoot
            )
            return head.uri == "/" && bound.value.retryAfter == nil
        } makeHandler: { channel in
            ConnectionHandler(
                relay: relay,
                visitor: visitor,
                gate: boundGate.value,
                counters: relay.metrics.counters(of: channel.eventLoop),
                openedAt: openedAt
            )
        }
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: false,
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                }
            )
        )
        try channel.pipeline.syncOperations.addHandler(plain)
    }
}
