import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import SennitWire

/// A device's end of a connection, for tests: sends frames and hands out what comes.
///
/// Used by one task at a time. `next` waits for as long as it takes; give the test a time limit.
final class RelayClient {
    /// Why a client could not go on.
    enum Failure: Error {
        case closed
        case unexpected(RelayFrame)
        case notUpgraded
    }

    private let channel: any Channel
    private var frames: AsyncStream<RelayFrame>.Iterator

    private init(channel: any Channel, frames: AsyncStream<RelayFrame>) {
        self.channel = channel
        self.frames = frames.makeAsyncIterator()
    }

    /// Connects and upgrades to WebSocket.
    /// - Parameters:
    ///   - receiveByteCount: how much the kernel takes in before the device reads.
    ///   - tls: what to trust, if the relay speaks TLS; it must be `localhost`.
    static func connect(
        port: Int,
        receiveByteCount: Int? = nil,
        tls: NIOSSLContext? = nil
    ) async throws -> RelayClient {
        let group = MultiThreadedEventLoopGroup.singleton
        let (frames, continuation) = AsyncStream<RelayFrame>.makeStream()
        let upgraded = group.next().makePromise(of: Void.self)
        var bootstrap = ClientBootstrap(group: group)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        if let receiveByteCount {
            let value = SocketOptionValue(receiveByteCount)
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: value)
        }
        let channel =
            try await bootstrap
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: "localhost")
                        )
                    }
                    let upgrader = NIOWebSocketClientUpgrader(
                        maxFrameSize: Limits.maximumFrameByteCount,
                        upgradePipelineHandler: { channel, _ in
                            channel.eventLoop.makeCompletedFuture {
                                try channel.pipeline.syncOperations.addHandler(
                                    FrameReceiver(continuation)
                                )
                                upgraded.succeed()
                            }
                        }
                    )
                    let request = UpgradeRequest(upgraded)
                    let bound = NIOLoopBound(request, eventLoop: channel.eventLoop)
                    try channel.pipeline.syncOperations.addHTTPClientHandlers(
                        leftOverBytesStrategy: .forwardBytes,
                        withClientUpgrade: (
                            upgraders: [upgrader],
                            completionHandler: { context in
                                context.pipeline.syncOperations.removeHandler(
                                    bound.value,
                                    promise: nil
                                )
                            }
                        )
                    )
                    try channel.pipeline.syncOperations.addHandler(request)
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        try await upgraded.futureResult.get()
        return RelayClient(channel: channel, frames: frames)
    }

    /// Connects, proves the key and waits for the welcome.
    static func enter(
        _ space: SpaceID,
        as device: TestDevice,
        port: Int,
        admittedBy invite: TestDevice? = nil,
        founding genesis: Genesis? = nil,
        receiveByteCount: Int? = nil
    ) async throws -> (client: RelayClient, welcome: Welcome) {
        let client = try await connect(port: port, receiveByteCount: receiveByteCount)
        try await client.greet(space, as: device, admittedBy: invite)
        var frame = try await client.next()
        if case .refused(let refusal) = frame, refusal.code == .unknownSpace, let genesis {
            client.send(.found(genesis))
            frame = try await client.next()
        }
        guard case .welcome(let welcome) = frame else { throw Failure.unexpected(frame) }
        return (client, welcome)
    }

    /// Answers the relay's challenge.
    func greet(_ space: SpaceID, as device: TestDevice, admittedBy invite: TestDevice? = nil)
        async throws
    {
        let frame = try await next()
        guard case .challenge(let challenge) = frame else { throw Failure.unexpected(frame) }
        send(.hello(device.hello(to: challenge, space: space, admittedBy: invite)))
    }

    /// Sends a frame as one message.
    func send(_ frame: RelayFrame) { send(.binary, frame.bytes) }

    /// Sends a WebSocket frame of any kind.
    func send(_ opcode: WebSocketOpcode, _ bytes: [UInt8], fin: Bool = true) {
        let frame = WebSocketFrame(
            fin: fin,
            opcode: opcode,
            maskKey: .random(),
            data: ByteBuffer(bytes: bytes)
        )
        channel.writeAndFlush(frame, promise: nil)
    }

    /// The next frame from the relay.
    /// - Throws: `closed`.
    func next() async throws -> RelayFrame {
        guard let frame = await frames.next() else { throw Failure.closed }
        return frame
    }

    /// Everything that comes until the relay closes.
    func rest() async -> [RelayFrame] {
        var rest: [RelayFrame] = []
        while let frame = await frames.next() { rest.append(frame) }
        return rest
    }

    /// Appends and waits for the answer; what comes before it is dropped.
    func append(_ range: EntryRange) async throws -> RelayFrame {
        send(.append(range))
        while true {
            let frame = try await next()
            switch frame {
            case .ack, .refused: return frame
            default: continue
            }
        }
    }

    /// Whether bytes are taken from the socket.
    func setReading(_ isReading: Bool) async throws {
        try await channel.setOption(.autoRead, value: isReading).get()
        if isReading { channel.read() }
    }

    func close() async throws { try await channel.close() }
}

/// Asks for the upgrade as soon as the socket is connected.
private final class UpgradeRequest: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let upgraded: EventLoopPromise<Void>

    init(_ upgraded: EventLoopPromise<Void>) { self.upgraded = upgraded }

    func channelActive(context: ChannelHandlerContext) {
        let headers = HTTPHeaders([("Host", "relay"), ("Content-Length", "0")])
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        upgraded.fail(RelayClient.Failure.notUpgraded)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        upgraded.fail(RelayClient.Failure.notUpgraded)
    }
}

/// Takes the relay's frames out of the socket.
private final class FrameReceiver: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame

    private let continuation: AsyncStream<RelayFrame>.Continuation

    init(_ continuation: AsyncStream<RelayFrame>.Continuation) { self.continuation = continuation }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .binary:
            guard let frame = try? RelayFrame(decoding: Array(frame.data.readableBytesView)) else {
                context.close(promise: nil)
                return
            }
            continuation.yield(frame)
        case .connectionClose: context.close(promise: nil)
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) { continuation.finish() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
