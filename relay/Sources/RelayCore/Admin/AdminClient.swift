public import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// An operator's end of the socket. Calls block.
public final class AdminClient {
    private let channel: any Channel
    private let inbox: Inbox

    /// The socket of a relay with its data in `directory`.
    public static func path(in directory: String) -> String {
        directory + "/" + AdminServer.fileName
    }

    /// Connects.
    /// - Returns: `nil` if no relay listens there.
    /// - Throws: `AdminError` if there is one that this user may not ask.
    public init?(path: String) throws(AdminError) {
        guard path.utf8.count <= AdminLimits.maximumPathByteCount,
            FileManager.default.fileExists(atPath: path)
        else { return nil }
        let inbox = Inbox()
        self.inbox = inbox
        do {
            channel = try ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(LineReader(inbox))
                    }
                }
                .connect(unixDomainSocketPath: path).wait()
        } catch let error as IOError where [ECONNREFUSED, ENOENT].contains(error.errnoCode) {
            return nil
        } catch let error as IOError where error.errnoCode == EACCES {
            throw AdminError(
                "\(path) is another user's",
                hint: "run this as the user that the relay runs as, or as root"
            )
        } catch {
            throw AdminError("\(path) can't be opened: \(error)")
        }
    }

    deinit { channel.close(promise: nil) }

    /// Asks for something and waits for what comes of it.
    /// - Returns: the report as JSON.
    public func ask(
        _ request: AdminRequest,
        progress: (AdminProgress) -> Void = { _ in }
    ) throws(AdminError) -> Data {
        guard var line = try? AdminCoding.encoder().encode(request) else {
            throw AdminError("the request can't be written")
        }
        line.append(UInt8(ascii: "\n"))
        channel.writeAndFlush(ByteBuffer(bytes: line), promise: nil)
        while let line = inbox.next() {
            switch AdminAnswer(line) {
            case .progress(let step): progress(step)
            case .result(let json): return json
            case .error(let error): throw error
            case nil: throw AdminError("the relay's answer isn't understood")
            }
        }
        throw AdminError("the relay hung up")
    }

    /// Lines that came and wait to be read.
    private final class Inbox: Sendable {
        private let condition = Mutex<(lines: [Data], isOver: Bool)>(([], false))
        private let semaphore = DispatchSemaphore(value: 0)

        func put(_ line: Data?) {
            condition.withLock { state in
                if let line { state.lines.append(line) } else { state.isOver = true }
            }
            semaphore.signal()
        }

        func next() -> Data? {
            while true {
                let (line, isOver) = condition.withLock { state in
                    (state.lines.isEmpty ? nil : state.lines.removeFirst(), state.isOver)
                }
                if let line { return line }
                if isOver { return nil }
                semaphore.wait()
            }
        }
    }

    private final class LineReader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let inbox: Inbox
        private var line = Data()

        init(_ inbox: Inbox) { self.inbox = inbox }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var rest = Data(unwrapInboundIn(data).readableBytesView)
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                inbox.put(line + rest[..<end])
                line = Data()
                rest = Data(rest[(end + 1)...])
            }
            line += rest
        }

        func channelInactive(context: ChannelHandlerContext) { inbox.put(nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
