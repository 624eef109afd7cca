import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Answers what is HTTP but not WebSocket, once, and keeps the time until the upgrade.
final class PlainHTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Set where the sender's address may not come in now.
    var retryAfter: Duration?

    private let timeout: Duration
    private var deadline: Scheduled<Void>?
    private var request: HTTPRequestHead?

    init(timeout: Duration) { self.timeout = timeout }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
            channel.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = head
        case .body: break
        case .end:
            guard let head = request else { return }
            request = nil
            answer(head, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The request that isn't taken for an upgrade follows, and is answered.
        if error is NIOWebSocketUpgradeError { return }
        context.close(promise: nil)
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let isRead = request.method == .GET || request.method == .HEAD
        let (status, text): (HTTPResponseStatus, String) =
            switch (isRead, request.uri) {
            case _ where retryAfter != nil:
                (.tooManyRequests, "There are too many connections from your address.\n")
            case (true, "/"):
                (.upgradeRequired, "This is a Sennit relay. It speaks WebSocket at this address.\n")
            case (true, "/healthz"): (.ok, "ok\n")
            case (true, _): (.notFound, "There is nothing here.\n")
            default: (.methodNotAllowed, "Only GET is answered here.\n")
            }
        var headers = HTTPHeaders()
        headers.add(name: "Content-Type", value: "text/plain; charset=utf-8")
        headers.add(name: "Content-Length", value: String(text.utf8.count))
        headers.add(name: "Connection", value: "close")
        if let retryAfter {
            headers.add(name: "Retry-After", value: String(max(1, retryAfter.components.seconds)))
        }
        if status == .upgradeRequired { headers.add(name: "Upgrade", value: "websocket") }
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            let body = ByteBuffer(string: text)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            channel.close(promise: nil)
        }
    }
}
