import Dispatch
import NIOCore
import NIOSSL
import SennitStore
import SennitSync
import SennitWire

/// What the driver of a space may reach of the world around it.
struct EnginePorts {
    /// Where everything of the engine happens.
    let loop: any EventLoop
    /// The truth.
    let journal: Journal
    /// The view of it.
    let index: Index
    /// What relays ask for before they keep a space.
    let tokens: RelayTokens
    /// Runs what blocks on the journal, one after the other.
    let disk: DispatchQueue
    /// Runs what blocks on the index.
    let indexing: DispatchQueue
    /// Enters the engine from `loop`, at once.
    let enter: @Sendable (SpaceID, @Sendable (SpaceDriver) -> Void) -> Void
    private let trust: Trust
    private let started = ContinuousClock.now

    init(
        loop: any EventLoop,
        profile: Profile,
        certificateFile: String?,
        enter: @escaping @Sendable (SpaceID, @Sendable (SpaceDriver) -> Void) -> Void
    ) throws(StoreError) {
        self.loop = loop
        journal = profile.journal
        tokens = try RelayTokens(profile.journal)
        index = profile.index
        disk = DispatchQueue(label: "sennit.disk", qos: .userInitiated)
        indexing = DispatchQueue(label: "sennit.index", qos: .utility)
        self.enter = enter
        trust = Trust(certificateFile: certificateFile)
    }

    /// Time since the engine began.
    var now: Duration { started.duration(to: .now) }

    /// The clock for display, and fresh randomness.
    var surroundings: Surroundings {
        Surroundings(authorTime: WallClock.milliseconds, random: Random.bytes32())
    }

    /// What certificates are checked with. Reading the system's takes a while, so it is done once,
    /// for the first relay with TLS.
    func context(for address: RelayAddress) throws(ConnectionError) -> NIOSSLContext? {
        address.isSecure ? try trust.context() : nil
    }

    /// Runs `body` on the loop after a while, unless it is cancelled.
    func schedule(
        in pause: Duration,
        _ space: SpaceID,
        _ body: @escaping @Sendable (SpaceDriver) -> Void
    ) -> Scheduled<Void> {
        let enter = enter
        return loop.scheduleTask(in: TimeAmount(pause)) { enter(space, body) }
    }

    /// The engine's TLS settings, made when they are first needed.
    private final class Trust {
        private let certificateFile: String?
        private var made: NIOSSLContext?

        init(certificateFile: String?) { self.certificateFile = certificateFile }

        func context() throws(ConnectionError) -> NIOSSLContext {
            if let made { return made }
            var configuration = TLSConfiguration.makeClientConfiguration()
            if let certificateFile {
                configuration.additionalTrustRoots = [.file(certificateFile)]
            }
            do {
                let context = try NIOSSLContext(configuration: configuration)
                made = context
                return context
            } catch {
                throw ConnectionError(
                    .insecure,
                    "the certificates to trust can't be read: \(error)",
                    hint: certificateFile.map { "is \($0) a file of certificates in PEM?" }
                )
            }
        }
    }
}
