import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers /healthz, /readyz and /metrics on an address of its own, without login.
///
/// It has one thread of its own, so it answers when the relay's are busy.
public final class TelemetryServer: Sendable {
    /// The port that it listens on.
    public let port: Int

    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    private static let timeout: Duration = .seconds(10)

    /// Listens.
    /// - Throws: `listen`.
    public init(_ address: ListenAddress, _ telemetry: Telemetry) throws(RelayError) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 16)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(
                        PlainHTTPHandler(timeout: TelemetryServer.timeout) { path in
                            TelemetryServer.answer(path, telemetry)
                        }
                    )
                }
            }
        do {
            channel = try bootstrap.bind(host: address.host, port: address.port).wait()
        } catch {
            try? group.syncShutdownGracefully()
            throw .listen(address: "\(address)", reason: "\(error)")
        }
        port = channel.localAddress?.port ?? address.port
    }

    /// Stops answering.
    public func stop() {
        try? channel.close().wait()
        try? group.syncShutdownGracefully()
    }

    private static func answer(
        _ path: String,
        _ telemetry: Telemetry
    ) -> PlainHTTPHandler.Answer {
        switch path {
        case "/healthz": return .init(status: .ok, text: "ok\n")
        case "/readyz":
            guard let hindrance = telemetry.hindrance else {
                let remark = telemetry.remark.map { ", but \($0)" } ?? ""
                return .init(status: .ok, text: "ready\(remark)\n")
            }
            return .init(status: .serviceUnavailable, text: "\(hindrance)\n")
        case "/metrics":
            return .init(
                status: .ok,
                text: telemetry.metricsText(),
                contentType: "text/plain; version=0.0.4; charset=utf-8"
            )
        case "/":
            return .init(status: .ok, text: "/healthz\n/readyz\n/metrics\n")
        default: return .notFound
        }
    }
}
