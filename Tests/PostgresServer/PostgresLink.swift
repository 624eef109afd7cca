import Foundation
import Glibc
import Synchronization

/// A line to a server that a test can cut at chosen moments: a socket in a directory of its own,
/// whose connections are passed on, byte by byte.
///
/// What it knows of the protocol is how a relay's transaction looks: one read that has the names of
/// the statements `mark_group` and `commit` in it.
public final class PostgresLink: Sendable {
    /// What gets lost of a relay's next transaction; its connection is then cut.
    public enum Loss: Sendable {
        /// It never reaches the server.
        case transaction
        /// The server commits, and nobody hears of it.
        case answer
    }

    private struct State {
        var next: Loss?
        var lossCount = 0
        var isDown = false
        var lines: [ObjectIdentifier: Line] = [:]
    }

    /// The two ends of one connection. A class: two threads share it, and the last closes them.
    private final class Line: Sendable {
        let client: Int32
        let server: Int32
        /// Whether what the server answers is lost.
        let isMute = Atomic(false)

        init(client: Int32, server: Int32) { (self.client, self.server) = (client, server) }

        deinit {
            close(client)
            close(server)
        }

        func cut() {
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_RDWR))
        }
    }

    private let directory: String
    private let target: String
    private let listener: Int32
    private let state = Mutex(State())

    private static let socketName = "/.s.PGSQL.5432"
    private static let marks = [Array("mark_group\0".utf8), Array("commit\0".utf8)]

    /// Stands between whoever uses `address` and the server.
    public init(to server: PostgresServer) throws {
        directory = "/tmp/sennit-link-" + UUID().uuidString.prefix(8)
        target = server.directory + PostgresLink.socketName
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let isBound = unsafe PostgresLink.withAddress(directory + PostgresLink.socketName) {
            unsafe bind(listener, $0, $1) == 0
        }
        guard isBound, listen(listener, 64) == 0 else {
            throw PostgresServer.Failure.command("listen", output: directory)
        }
        let thread = Thread { [weak self, listener] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let self else { break }
                self.connect(client)
            }
        }
        thread.start()
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        for line in state.withLock({ Array($0.lines.values) }) { line.cut() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// The server's address by way of here.
    public func address(_ direct: String) -> String {
        let rest = direct.split(separator: " ").filter { !$0.hasPrefix("host=") }
        return "host=\(directory) " + rest.joined(separator: " ")
    }

    /// Loses something of the next transaction.
    public func lose(_ loss: Loss) { state.withLock { $0.next = loss } }

    /// How often something was lost.
    public var lossCount: Int { state.withLock { $0.lossCount } }

    /// Cuts all connections and takes no more, or takes some again.
    public func setDown(_ isDown: Bool) {
        let lines = state.withLock { state in
            state.isDown = isDown
            return Array(state.lines.values)
        }
        if isDown { for line in lines { line.cut() } }
    }

    private func connect(_ client: Int32) {
        let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let isConnected = unsafe PostgresLink.withAddress(target) {
            unsafe Glibc.connect(server, $0, $1) == 0
        }
        let line = Line(client: client, server: server)
        let isTaken = state.withLock { state in
            guard isConnected, !state.isDown else { return false }
            state.lines[ObjectIdentifier(line)] = line
            return true
        }
        guard isTaken else { return }
        Thread { [weak self] in
            PostgresLink.pass(from: client, to: server) { bytes in
                self?.allows(bytes, line) ?? false
            }
            line.cut()
        }.start()
        Thread { [weak self] in
            PostgresLink.pass(from: server, to: client) { _ in
                guard line.isMute.load(ordering: .sequentiallyConsistent) else { return true }
                self?.state.withLock { $0.lossCount += 1 }
                return false
            }
            line.cut()
            _ = self?.state.withLock { $0.lines.removeValue(forKey: ObjectIdentifier(line)) }
        }.start()
    }

    /// Whether bytes of a relay are passed on.
    private func allows(_ bytes: [UInt8], _ line: Line) -> Bool {
        guard PostgresLink.marks.allSatisfy({ bytes.firstRange(of: $0) != nil }) else {
            return true
        }
        switch state.withLock({ $0.next.take() }) {
        case nil: return true
        case .answer?:
            line.isMute.store(true, ordering: .sequentiallyConsistent)
            return true
        case .transaction?:
            state.withLock { $0.lossCount += 1 }
            return false
        }
    }

    /// Passes bytes on until either end is closed or `allows` says no.
    private static func pass(
        from source: Int32,
        to target: Int32,
        _ allows: ([UInt8]) -> Bool
    ) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            let bytes = Array(buffer[..<count])
            guard allows(bytes) else { return }
            var sent = 0
            while sent < count {
                let more = unsafe bytes.withUnsafeBytes { bytes in
                    unsafe send(
                        target,
                        bytes.baseAddress?.advanced(by: sent),
                        count - sent,
                        Int32(MSG_NOSIGNAL)
                    )
                }
                guard more > 0 else { return }
                sent += more
            }
        }
    }

    private static func withAddress(
        _ path: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
            for (index, byte) in path.utf8.enumerated() { unsafe field[index] = byte }
        }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe body(address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
