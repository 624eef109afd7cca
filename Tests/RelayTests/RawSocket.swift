import NIOCore
import NIOPosix
import NIOSSL

/// A plain TCP connection: sends any bytes and collects what comes until it is closed.
final class RawSocket {
    private let channel: any Channel
    private let answer: EventLoopFuture<ByteBuffer>

    init(port: Int, tls: NIOSSLContext? = nil) async throws {
        let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: ByteBuffer.self)
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: "localhost")
                        )
                    }
                    try channel.pipeline.syncOperations.addHandler(Collector(promise))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        answer = promise.futureResult
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// Sends the request that turns the connection into a WebSocket.
    func upgrade(_ headers: [String] = []) async throws {
        let more = headers.map { $0 + "\r\n" }.joined()
        try await send(
            """
            GET / HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\
            \(more)\r\n
            """
        )
    }

    /// Everything that came, once the relay has closed.
    func untilClosed() async throws -> [UInt8] {
        Array(try await answer.get().readableBytesView)
    }

    func close() async throws { try await channel.close() }
}

private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<ByteBuffer>
    private var bytes = ByteBuffer()

    init(_ promise: EventLoopPromise<ByteBuffer>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        bytes.writeBuffer(&buffer)
    }

    func channelInactive(context: ChannelHandlerContext) { promise.succeed(bytes) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
