import Foundation
import NIOCore
import NIOPosix
import Synchronization

// Stands between the clients and the relay and writes down what goes over the wire, each direction
// of each connection into a file of its own, before it is passed on. It understands nothing of it.

/// A TCP proxy that records.
final class RecordingProxy: Sendable {
    // A class: it stands for one open socket.

    /// Where clients connect.
    let port: Int
    private let channel: any Channel
    private let target: Target

    fileprivate final class Target: Sendable {
        let port = Mutex(0)
        let connectionCount = Mutex(0)
        let directory: String

        init(directory: String) { self.directory = directory }
    }

    /// Listens on a free loopback port and records into `directory`.
    init(directory: String, group: MultiThreadedEventLoopGroup) async throws(DemoError) {
        let target = Target(directory: directory)
        self.target = target
        do {
            channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 64)
                .childChannelOption(.autoRead, value: false)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { RecordingProxy.join($0, target) }
                .bind(host: "127.0.0.1", port: 0).get()
        } catch {
            throw .cannotStart(program: "the proxy", reason: "\(error)")
        }
        port = channel.localAddress?.port ?? 0
    }

    /// Passes connections on to the relay at this port from now on.
    func point(to port: Int) { target.port.withLock { $0 = port } }

    /// Stops listening. Open connections end with the processes at their ends.
    func close() async { try? await channel.close().get() }

    /// Connects to the relay in the client's name and joins the two.
    private static func join(_ device: any Channel, _ target: Target) -> EventLoopFuture<Void> {
        let number = target.connectionCount.withLock { count in
            count += 1
            return count
        }
        let name = target.directory + "/" + String(number)
        let loop = device.eventLoop
        // On the loop of the device's channel, so that the two halves share a thread.
        return ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: target.port.withLock { $0 })
            .flatMapThrowing { relay in
                let fromDevice = try Half(to: relay, path: name + TrafficFile.fromClient)
                let fromRelay = try Half(to: device, path: name + TrafficFile.fromRelay)
                try device.pipeline.syncOperations.addHandler(fromDevice)
                try relay.pipeline.syncOperations.addHandler(fromRelay)
                _ = device.setOption(.autoRead, value: true)
            }
            .flatMapError { error in
                // The relay is down. Hanging up tells the client.
                device.close(promise: nil)
                return loop.makeFailedFuture(error)
            }
    }
}

/// One direction of a connection.
private final class Half: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel
    private let file: FileHandle

    init(to other: any Channel, path: String) throws {
        self.other = other
        guard FileManager.default.createFile(atPath: path, contents: nil) else {
            throw DemoError.badFile(path: path, reason: "can't be made")
        }
        file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }

    func channelActive(context: ChannelHandlerContext) {
        // Only the device's end becomes active after it has its handler. What the relay says is
        // read from now on, when there is somebody to pass it to.
        _ = other.setOption(.autoRead, value: true)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        do {
            try file.write(contentsOf: Data(bytes.readableBytesView))
            other.write(bytes, promise: nil)
        } catch {
            // What isn't recorded isn't passed on either, or a scan would prove too little.
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { other.flush() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        // This channel is where the other half writes: while it is full, the other stops reading.
        _ = other.setOption(.autoRead, value: context.channel.isWritable)
    }

    func channelInactive(context: ChannelHandlerContext) {
        try? file.close()
        other.close(promise: nil)
    }
}
