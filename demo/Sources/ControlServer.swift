import NIOCore
import NIOPosix
import Synchronization

/// What the conductor hears.
enum ControlEvent: Sendable {
    case report(ClientReport)
    /// The process that said hello as this client has hung up.
    case hungUp(client: Int, processID: Int32)
    /// Time went by.
    case tick
}

/// The conductor's end of the control socket.
final class ControlServer: Sendable {
    // A class: it stands for one open socket.

    /// Everything clients say, and a tick twice a second.
    let events: AsyncStream<ControlEvent>
    private let channel: any Channel
    private let ticker: Task<Void, Never>
    private let connections: Connections

    fileprivate final class Connections: Sendable {
        let channels = Mutex<[Int: any Channel]>([:])
    }

    /// Listens.
    init(path: String, group: MultiThreadedEventLoopGroup) async throws(DemoError) {
        let (events, continuation) = AsyncStream.makeStream(of: ControlEvent.self)
        let connections = Connections()
        do {
            channel = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            ControlHandler(connections: connections, events: continuation)
                        )
                    }
                }
                .bind(unixDomainSocketPath: path).get()
        } catch {
            throw .cannotStart(program: "the control socket", reason: "\(error)")
        }
        self.events = events
        self.connections = connections
        ticker = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(500))
                continuation.yield(.tick)
            }
        }
    }

    /// Sends an order to a client; one that isn't there will get it when it calls.
    func send(_ order: StageOrder, to client: Int) {
        let channel = connections.channels.withLock { $0[client] }
        guard let channel else { return }
        channel.writeAndFlush(ByteBuffer(bytes: ControlLine.encode(order)), promise: nil)
    }

    /// Hangs up on everybody.
    func close() async {
        ticker.cancel()
        try? await channel.close().get()
        for channel in connections.channels.withLock({ Array($0.values) }) {
            try? await channel.close().get()
        }
    }
}

/// Reads one client's reports.
private final class ControlHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connections: ControlServer.Connections
    private let events: AsyncStream<ControlEvent>.Continuation
    private var splitter = LineSplitter()
    private var hello: ClientReport?

    init(connections: ControlServer.Connections, events: AsyncStream<ControlEvent>.Continuation) {
        self.connections = connections
        self.events = events
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            for line in try splitter.take(unwrapInboundIn(data).readableBytesView) {
                let report = try ControlLine.decode(ClientReport.self, from: line)
                if report.kind == .hello {
                    hello = report
                    let channel = context.channel
                    connections.channels.withLock { $0[report.client] = channel }
                }
                events.yield(.report(report))
            }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard let hello else { return }
        let gone = ObjectIdentifier(context.channel)
        connections.channels.withLock { channels in
            if let channel = channels[hello.client], ObjectIdentifier(channel) == gone {
                channels[hello.client] = nil
            }
        }
        events.yield(.hungUp(client: hello.client, processID: hello.processID))
    }
}
