import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import SennitWire

// One WebSocket to one relay: binary messages out, events in.
//
//     TCP ─► [TLS] ─► HTTP request ──101──► WebSocket frames ◄─► whole messages
//                        │ anything else: not a relay
//
// It lives on one event loop, the engine's, and everything happens there: a message that arrives is
// handed to the engine within the same turn of the loop, and what the engine sends in answer is
// written to the socket before the turn ends. No thread is changed on the way.

/// What a connection tells, in order.
enum ConnectionEvent: Sendable {
    /// The relay answered; messages may be sent.
    case opened
    /// A whole binary message.
    case message([UInt8])
    /// It is over. The last event.
    case closed(ConnectionError)
}

/// A connection to a relay. Every call is made on `loop`.
final class RelayConnection: @unchecked Sendable {
    // Sendable: what is mutable is touched on `loop` alone, which every entry checks.

    let address: RelayAddress
    private let loop: any EventLoop
    private var receive: (@Sendable (ConnectionEvent) -> Void)?
    private var channel: (any Channel)?
    private var deadline: Scheduled<Void>?
    private var isReading = true

    /// Begins to connect.
    /// - Parameters:
    ///   - trust: what a secure relay's certificate is checked with; not used for `ws://`.
    ///   - receive: is called on `loop`, never before this returns.
    init(
        to address: RelayAddress,
        on loop: any EventLoop,
        trust: NIOSSLContext?,
        receive: @escaping @Sendable (ConnectionEvent) -> Void
    ) {
        loop.preconditionInEventLoop()
        self.address = address
        self.loop = loop
        self.receive = receive
        deadline = loop.scheduleTask(in: .seconds(EngineLimits.connectSeconds)) {
            self.finish(
                ConnectionError(
                    .unreachable,
                    "\(address) gave no answer for \(EngineLimits.connectSeconds) seconds",
                    hint: "check the address and the network; Sennit goes on trying"
                )
            )
        }
        loop.execute { self.connect(trust) }
    }

    /// Whether what is sent now would leave soon.
    var isWritable: Bool { channel?.isWritable ?? false }

    /// Sends one binary message.
    func send(_ message: [UInt8]) {
        loop.preconditionInEventLoop()
        guard receive != nil, let channel else { return }
        channel.writeAndFlush(ByteBuffer(bytes: message), promise: nil)
    }

    /// Stops or goes on reading from the socket, so that the relay waits while the disk is behind.
    func setReading(_ isReading: Bool) {
        loop.preconditionInEventLoop()
        guard isReading != self.isReading else { return }
        self.isReading = isReading
        channel?.setOption(.autoRead, value: isReading).whenComplete { _ in }
    }

    /// Says goodbye and hangs up. No event follows.
    func close() {
        loop.preconditionInEventLoop()
        receive = nil
        deadline?.cancel()
        guard let channel else { return }
        channel.triggerUserOutboundEvent(MessageHandler.Goodbye(), promise: nil)
        channel.close(promise: nil)
    }

    private func connect(_ trust: NIOSSLContext?) {
        guard receive != nil else { return }
        ClientBootstrap(group: loop)
            .connectTimeout(.seconds(EngineLimits.connectSeconds))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.configure(channel, trust)
                }
            }
            .connect(host: address.host, port: address.port)
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    self.channel = channel
                    if self.receive == nil { channel.close(promise: nil) }
                case .failure(let error):
                    self.finish(ConnectionError(connecting: error, to: self.address))
                }
            }
    }

    private func configure(_ channel: any Channel, _ trust: NIOSSLContext?) throws {
        let pipeline = channel.pipeline.syncOperations
        if address.isSecure, let trust {
            let name = address.isNumeric ? nil : address.host
            try pipeline.addHandler(NIOSSLClientHandler(context: trust, serverHostname: name))
        }
        let upgrader = NIOWebSocketClientUpgrader(
            maxFrameSize: Limits.maximumFrameByteCount,
            automaticErrorHandling: false
        ) { channel, _ in
            channel.eventLoop.makeCompletedFuture { try self.upgrade(channel) }
        }
        try pipeline.addHTTPClientHandlers(
            leftOverBytesStrategy: .forwardBytes,
            withClientUpgrade: (upgraders: [upgrader], completionHandler: { _ in })
        )
        try pipeline.addHandler(HandshakeHandler(self))
    }

    private func upgrade(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let handshake = try pipeline.handler(type: HandshakeHandler.self)
        _ = pipeline.removeHandler(handshake)
        try pipeline.addHandler(
            NIOWebSocketFrameAggregator(
                minNonFinalFragmentSize: 0,
                maxAccumulatedFrameCount: EngineLimits.maximumFragmentCount,
                maxAccumulatedFrameSize: Limits.maximumFrameByteCount
            )
        )
        try pipeline.addHandler(MessageHandler(self))
        deadline?.cancel()
        self.channel = channel
        tell(.opened)
    }

    fileprivate func tell(_ event: ConnectionEvent) { receive?(event) }

    /// Reports why it is over, once, and hangs up.
    fileprivate func finish(_ error: ConnectionError) {
        guard let receive else { return }
        self.receive = nil
        deadline?.cancel()
        channel?.close(promise: nil)
        receive(.closed(error))
    }
}

/// Asks for the WebSocket, and hears what answers that isn't a relay.
private final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let connection: RelayConnection

    init(_ connection: RelayConnection) { self.connection = connection }

    func channelActive(context: ChannelHandlerContext) {
        let address = connection.address
        let head = HTTPRequestHead(
            version: .http1_1,
            method: .GET,
            uri: address.path,
            headers: ["Host": address.authority, "Content-Length": "0"]
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        connection.finish(
            ConnectionError(
                .notARelay,
                "\(connection.address) is not a relay: it answered \(head.status.code) "
                    + "\(head.status.reasonPhrase)",
                hint: "check the address, and the settings of a proxy in front of the relay"
            )
        )
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.finish(
            ConnectionError(
                .notARelay,
                "\(connection.address) hung up without an answer",
                hint: "check the address; for a relay with TLS it begins with wss://"
            )
        )
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection.finish(ConnectionError(greeting: error, of: connection.address))
    }
}

/// Turns frames into messages and messages into frames.
private final class MessageHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Asks for a closing frame.
    struct Goodbye {}

    private let connection: RelayConnection
    // NIO's encoder masks byte by byte, 1.4 ns each. A frame that is masked here in words of eight
    // is written past it, from the encoder's own place in the pipeline.
    private var encoder: ChannelHandlerContext?

    init(_ connection: RelayConnection) { self.connection = connection }

    func handlerAdded(context: ChannelHandlerContext) {
        encoder = try? context.pipeline.syncOperations.context(
            handlerType: WebSocketFrameEncoder.self
        )
    }

    func handlerRemoved(context: ChannelHandlerContext) { encoder = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .binary:
            connection.tell(.message(Array(frame.unmaskedData.readableBytesView)))
        case .ping:
            write(frame.unmaskedData, as: .pong, promise: nil)
            encoder?.flush()
        case .pong, .continuation:
            break
        case .connectionClose:
            finish("the relay hung up")
        default:
            finish("the relay sent a message that isn't binary")
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish("the connection to the relay broke")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish("the connection to the relay broke: \(ConnectionError.sentence(for: error))")
    }

    func write(
        context: ChannelHandlerContext,
        data: NIOAny,
        promise: EventLoopPromise<Void>?
    ) {
        write(unwrapOutboundIn(data), as: .binary, promise: promise)
    }

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext,
        event: Any,
        promise: EventLoopPromise<Void>?
    ) {
        guard event is Goodbye else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        // 1000: "a normal closure, meaning that the purpose for which the connection was
        // established has been fulfilled" (RFC 6455, section 7.4.1).
        write(ByteBuffer(integer: 1000, as: UInt16.self), as: .connectionClose, promise: promise)
        encoder?.flush()
    }

    private func write(
        _ payload: ByteBuffer,
        as opcode: WebSocketOpcode,
        promise: EventLoopPromise<Void>?
    ) {
        guard let encoder else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let frame = MaskedFrame.bytes(
            of: payload,
            opcode: opcode,
            key: UInt32.random(in: .min ... .max)
        )
        encoder.write(wrapOutboundOut(frame), promise: promise)
    }

    private func finish(_ message: String) {
        connection.finish(ConnectionError(.broken, message))
    }
}
