import Dispatch
import Foundation
import Logging
import NIOCore
import NIOPosix
import RelayStorage
import Synchronization

// The operator's socket: a Unix socket in the data directory, mode 0600, and whoever opens it is
// asked the kernel for besides. A line is a request; while one is carried out, on a thread of its
// own, nothing more is read.

/// Bounds of the operator's socket: whoever reaches it is trusted, but a mistake isn't to hurt.
enum AdminLimits {
    /// Bytes of a request: a verb, an id and a path fit many times.
    static let maximumLineByteCount = 64 << 10
    /// Connections at once.
    static let maximumConnectionCount = 16
    /// How long a connection may be silent.
    static let idleTimeout: TimeAmount = .seconds(60)
    /// Time between two lines of progress.
    static let progressInterval: Duration = .milliseconds(250)
    /// Bytes of a socket's path, with its end: `sockaddr_un.sun_path` has 108.
    static let maximumPathByteCount = 107
}

/// Listens for the operator.
final class AdminServer: Sendable {
    /// Where it listens.
    let path: String

    private let channel: any Channel

    /// The socket's name in the data directory.
    static let fileName = "admin.sock"

    /// Listens, instead of a relay that ended without removing its socket: the directory's lock is
    /// this process's.
    init(
        path: String,
        desk: AdminDesk,
        group: MultiThreadedEventLoopGroup,
        logger: Logger
    ) throws(RelayError) {
        self.path = path
        guard path.utf8.count <= AdminLimits.maximumPathByteCount else {
            throw .listen(address: path, reason: "a socket's path has at most 107 bytes")
        }
        let count = ConnectionCount()
        let bootstrap = ServerBootstrap(group: group).childChannelInitializer { channel in
            guard count.enter() else { return channel.close() }
            channel.closeFuture.whenComplete { _ in count.leave() }
            return PeerUser.isOperator(of: channel).flatMap { isOperator in
                guard isOperator else {
                    logger.warning("another user opened the admin socket")
                    return channel.close()
                }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        IdleStateHandler(allTimeout: AdminLimits.idleTimeout)
                    )
                    try channel.pipeline.syncOperations.addHandler(AdminHandler(desk, logger))
                }
            }
        }
        do {
            channel = try PeerUser.withPrivateFiles {
                try bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
                    .wait()
            }
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600],
                ofItemAtPath: path
            )
        } catch {
            throw .listen(address: path, reason: "\(error)")
        }
    }

    /// Listens no more.
    func stop() {
        try? channel.close().wait()
        try? FileManager.default.removeItem(atPath: path)
    }

    private final class ConnectionCount: Sendable {
        private let count = Mutex(0)

        func enter() -> Bool {
            count.withLock { count in
                guard count < AdminLimits.maximumConnectionCount else { return false }
                count += 1
                return true
            }
        }

        func leave() { count.withLock { $0 = max(0, $0 - 1) } }
    }
}

/// Reads requests and writes what came of them.
private final class AdminHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let desk: AdminDesk
    private let logger: Logger
    private var line = Data()
    private var waiting: [Data] = []
    private var isBusy = false

    init(_ desk: AdminDesk, _ logger: Logger) {
        self.desk = desk
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for byte in unwrapInboundIn(data).readableBytesView {
            if byte == UInt8(ascii: "\n") {
                waiting.append(line)
                line = Data()
            } else {
                line.append(byte)
            }
        }
        let byteCount = waiting.reduce(line.count) { $0 + $1.count }
        guard byteCount <= AdminLimits.maximumLineByteCount else {
            write(.error(AdminError("the request is too long")), context)
            context.close(promise: nil)
            return
        }
        carryOutNext(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent, !isBusy { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func carryOutNext(_ context: ChannelHandlerContext) {
        guard !isBusy, !waiting.isEmpty else { return }
        let line = waiting.removeFirst()
        guard let request = try? AdminCoding.decoder().decode(AdminRequest.self, from: line) else {
            write(.error(AdminError("this is not a request")), context)
            return carryOutNext(context)
        }
        isBusy = true
        // What was done is for the log; with what is the operator's own business.
        logger.info("admin", metadata: ["verb": "\(request.verb.prefix(64))"])
        let (desk, loop) = (desk, context.eventLoop)
        let handler = NIOLoopBound(self, eventLoop: loop)
        let bound = NIOLoopBound(context, eventLoop: loop)
        DispatchQueue.global(qos: .utility).async {
            var told = ContinuousClock.now
            let answer: AdminAnswer
            do throws(AdminError) {
                let report = try desk.carryOut(request) { progress in
                    guard told.duration(to: .now) >= AdminLimits.progressInterval else { return }
                    told = .now
                    loop.execute { handler.value.write(.progress(progress), bound.value) }
                }
                answer = AdminAnswer(report)
            } catch {
                answer = .error(error)
            }
            let bytes = answer.bytes
            loop.execute {
                handler.value.isBusy = false
                handler.value.write(bytes, bound.value)
                handler.value.carryOutNext(bound.value)
            }
        }
    }

    private func write(_ answer: AdminAnswer, _ context: ChannelHandlerContext) {
        write(answer.bytes, context)
    }

    private func write(_ bytes: Data, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }
}
