import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Answers what is HTTP but not WebSocket, once, and keeps the time until the upgrade.
final class PlainHTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Set where the sender's address may not come in now.
    var retryAfter: Duration?

    /// What is answered.
    struct Answer {
        var status: HTTPResponseStatus
        var text: String
        var contentType = "text/plain; charset=utf-8"

        static let notFound = Answer(status: .notFound, text: "There is nothing here.\n")
        static let methodNotAllowed = Answer(
            status: .methodNotAllowed,
            text: "Only GET is answered here.\n"
        )
        static let tooMany = Answer(
            status: .tooManyRequests,
            text: "There are too many connections from your address.\n"
        )
    }

    private let timeout: Duration
    private let answers: (String) -> Answer
    private var deadline: Scheduled<Void>?
    private var request: HTTPRequestHead?

    /// - Parameter answers: to a GET of a path.
    init(timeout: Duration, answers: @escaping (String) -> Answer = PlainHTTPHandler.answer) {
        self.timeout = timeout
        self.answers = answers
    }

    /// What devices' port answers.
    private static func answer(_ path: String) -> Answer {
        switch path {
        case "/":
            Answer(
                status: .upgradeRequired,
                text: "This is a Sennit relay. It speaks WebSocket at this address.\n"
            )
        case "/healthz": Answer(status: .ok, text: "ok\n")
        default: .notFound
        }
    }

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
        let answer =
            retryAfter != nil ? .tooMany : isRead ? answers(request.uri) : .methodNotAllowed
        var headers = HTTPHeaders()
        headers.add(name: "Content-Type", value: answer.contentType)
        headers.add(name: "Content-Length", value: String(answer.text.utf8.count))
        headers.add(name: "Connection", value: "close")
        if let retryAfter {
            headers.add(name: "Retry-After", value: String(max(1, retryAfter.components.seconds)))
        }
        if answer.status == .upgradeRequired { headers.add(name: "Upgrade", value: "websocket") }
        let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            let body = ByteBuffer(string: answer.text)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            channel.close(promise: nil)
        }
    }
}
