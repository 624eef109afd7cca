import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Answers a request for WebSocket as NIO does, and then leaves the bytes to the connection's own
/// handler: NIO's frame decoder and encoder would hand over one frame and one part of a frame at a
/// time (`MessageReader` says why not).
final class RelayUpgrader: HTTPServerProtocolUpgrader, Sendable {
    let supportedProtocol = "websocket"
    /// The rest is checked when the answer is made, as RFC 6455 section 4.2.1 says.
    let requiredUpgradeHeaders: [String] = []

    private let handshake: NIOWebSocketServerUpgrader
    private let makeHandler: @Sendable (any Channel) -> ConnectionHandler

    /// - Parameters:
    ///   - isTaken: whether a request is to be answered with an upgrade.
    init(
        isTaken: @escaping @Sendable (any Channel, HTTPRequestHead) -> Bool,
        makeHandler: @escaping @Sendable (any Channel) -> ConnectionHandler
    ) {
        self.makeHandler = makeHandler
        handshake = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, head in
                let headers = isTaken(channel, head) ? HTTPHeaders() : nil
                return channel.eventLoop.makeSucceededFuture(headers)
            },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }
        )
    }

    func buildUpgradeResponse(
        channel: any Channel,
        upgradeRequest: HTTPRequestHead,
        initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        handshake.buildUpgradeResponse(
            channel: channel,
            upgradeRequest: upgradeRequest,
            initialResponseHeaders: initialResponseHeaders
        )
    }

    func upgrade(
        context: ChannelHandlerContext,
        upgradeRequest: HTTPRequestHead
    ) -> EventLoopFuture<Void> {
        context.eventLoop.makeCompletedFuture {
            try context.channel.pipeline.syncOperations.addHandler(makeHandler(context.channel))
        }
    }
}
