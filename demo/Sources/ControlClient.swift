import NIOCore
import NIOPosix

/// A client's end of the control socket.
struct ControlClient: Sendable {
    /// The conductor's orders. Ends when the conductor hangs up, and then the client has to go.
    let orders: AsyncStream<StageOrder>
    private let channel: any Channel

    /// Calls the conductor.
    init(path: String, group: MultiThreadedEventLoopGroup) async throws(DemoError) {
        let (orders, continuation) = AsyncStream.makeStream(of: StageOrder.self)
        do {
            channel = try await ClientBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            OrderHandler(orders: continuation)
                        )
                    }
                }
                .connect(unixDomainSocketPath: path).get()
        } catch {
            throw .cannotStart(program: "a client", reason: "nobody conducts: \(error)")
        }
        self.orders = orders
    }

    /// Tells the conductor something.
    func send(_ report: ClientReport) {
        channel.writeAndFlush(ByteBuffer(bytes: ControlLine.encode(report)), promise: nil)
    }

    /// Tells the conductor a last thing and hangs up.
    func close(_ report: ClientReport) async {
        let line = ByteBuffer(bytes: ControlLine.encode(report))
        try? await channel.writeAndFlush(line).get()
        try? await channel.close().get()
    }
}

private final class OrderHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let orders: AsyncStream<StageOrder>.Continuation
    private var splitter = LineSplitter()

    init(orders: AsyncStream<StageOrder>.Continuation) { self.orders = orders }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            for line in try splitter.take(unwrapInboundIn(data).readableBytesView) {
                orders.yield(try ControlLine.decode(StageOrder.self, from: line))
            }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { orders.finish() }
}
