import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks an HTTP server one question. For `sennit-relay health` and `top`, not for devices.
public enum HTTPProbe {
    /// An answer.
    public struct Answer: Hashable, Sendable {
        public var status: Int
        public var body: String
    }

    /// No answer, and why.
    public struct Failure: Error, Hashable, CustomStringConvertible, Sendable {
        public let description: String

        /// A failure with its sentence.
        public init(_ description: String) { self.description = description }
    }

    /// Where to ask: `http://HOST[:PORT][/PATH]`.
    public struct Target: Hashable, Sendable, CustomStringConvertible {
        public let address: ListenAddress
        public let path: String

        /// A target from its parts.
        public init(_ address: ListenAddress, path: String) {
            // Who listens everywhere is asked on this machine.
            let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][address.host] ?? address.host
            self.address = ListenAddress(host: host, port: address.port)
            self.path = path
        }

        /// Reads an address.
        public init?(_ url: String, path: String) {
            guard url.hasPrefix("http://") else { return nil }
            let rest = url.dropFirst("http://".count)
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            let place = String(rest[..<slash])
            let address = ListenAddress(place) ?? ListenAddress(place + ":80")
            guard let address else { return nil }
            let asked = String(rest[slash...])
            self.init(address, path: asked.isEmpty || asked == "/" ? path : asked)
        }

        public var description: String { "http://\(address)\(path)" }
    }

    /// The largest answer that is read.
    private static let maximumByteCount = 4 << 20

    /// Asks, and waits for the answer. Not for an event loop.
    public static func get(_ target: Target, within timeout: Duration) throws(Failure) -> Answer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try? group.syncShutdownGracefully() }
        let answer = group.next().makePromise(of: Answer.self)
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(TimeAmount(timeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(
                        Reader(target, answer, within: timeout)
                    )
                }
            }
        let connection = bootstrap.connect(host: target.address.host, port: target.address.port)
        connection.cascadeFailure(to: answer)
        do {
            return try answer.futureResult.wait()
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure("nobody answers at \(target): \(error)")
        }
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart
        typealias OutboundOut = HTTPClientRequestPart

        private let target: Target
        private let promise: EventLoopPromise<Answer>
        private let timeout: Duration
        private var status = 0
        private var body = ByteBuffer()

        init(_ target: Target, _ promise: EventLoopPromise<Answer>, within timeout: Duration) {
            (self.target, self.promise, self.timeout) = (target, promise, timeout)
        }

        func channelActive(context: ChannelHandlerContext) {
            let headers = HTTPHeaders([("Host", "\(target.address)"), ("Connection", "close")])
            let head = HTTPRequestHead(
                version: .http1_1,
                method: .GET,
                uri: target.path,
                headers: headers
            )
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            let (channel, promise, text) = (context.channel, promise, "\(target)")
            context.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
                promise.fail(Failure("\(text) doesn't answer in time"))
                channel.close(promise: nil)
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): status = Int(head.status.code)
            case .body(var part):
                body.writeBuffer(&part)
                guard body.readableBytes > maximumByteCount else { return }
                promise.fail(Failure("\(target) answers more than 4 MiB"))
                context.close(promise: nil)
            case .end:
                let text = String(buffer: body)
                promise.succeed(Answer(status: status, body: text))
                context.close(promise: nil)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            promise.fail(Failure("\(target) hangs up without an answer"))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise.fail(Failure("\(target) doesn't speak HTTP"))
            context.close(promise: nil)
        }
    }
}
