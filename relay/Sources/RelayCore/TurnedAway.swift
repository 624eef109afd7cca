import NIOCore
import NIOSSL

/// What a connection is told that isn't let in, and closed.
enum TurnedAway {
    case full
    case tooMany(retryAfter: Duration)

    /// How long who is turned away may take for its handshake of TLS.
    private static let patience: TimeAmount = .seconds(2)

    private var answer: String {
        switch self {
        case .full:
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        case .tooMany(let pause):
            """
            HTTP/1.1 429 Too Many Requests\r\nRetry-After: \(max(1, pause.components.seconds))\r\n\
            Content-Length: 0\r\nConnection: close\r\n\r\n
            """
        }
    }

    /// Tells it. Over TLS that takes a handshake, which not everybody is granted.
    func tell(
        _ channel: any Channel,
        _ doorman: Doorman,
        _ tls: TLSIdentity?
    ) -> EventLoopFuture<Void> {
        let answer = ByteBuffer(string: answer)
        guard let tls else {
            channel.writeAndFlush(answer).whenComplete { _ in channel.close(promise: nil) }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        guard doorman.beginCourtesy(now: NIODeadline.now().sinceBoot) else {
            channel.close(promise: nil)
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        let deadline = channel.eventLoop.scheduleTask(in: TurnedAway.patience) {
            channel.close(mode: .all, promise: nil)
        }
        channel.closeFuture.whenComplete { _ in
            deadline.cancel()
            doorman.endCourtesy()
        }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers(
                NIOSSLServerHandler(context: tls.context),
                Farewell(answer)
            )
        }
    }
}

/// Answers as soon as it can, without reading what is asked.
private final class Farewell: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: ByteBuffer

    init(_ answer: ByteBuffer) { self.answer = answer }

    /// What is written now waits in the handler of TLS for the handshake.
    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(answer)).whenComplete { _ in
            channel.close(promise: nil)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
