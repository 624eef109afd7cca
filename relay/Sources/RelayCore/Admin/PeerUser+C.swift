import Foundation
import NIOCore

// The wrapper around SO_PEERCRED: "Return the credentials of the peer process connected to this
// socket. […] The returned credentials are those that were in effect at the time of the call to
// connect(2)" (https://man7.org/linux/man-pages/man7/unix.7.html). The kernel fills it in, so the
// other side can't lie.

/// Who opened a Unix socket.
enum PeerUser {
    /// `struct ucred`, which glibc declares only where all of GNU's extensions are asked for.
    private struct Credentials: BitwiseCopyable {
        var process: pid_t
        var user: uid_t
        var group: gid_t
    }

    /// Whether it is this process's user, or root.
    static func isOperator(of channel: any Channel) -> EventLoopFuture<Bool> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture(false)
        }
        let credentials: EventLoopFuture<Credentials> = provider.unsafeGetSocketOption(
            level: .socket,
            name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        )
        return credentials.map { $0.user == geteuid() || $0.user == 0 }.recover { _ in false }
    }

    /// Runs `body` so that files it makes are this user's alone.
    static func withPrivateFiles<Value>(_ body: () throws -> Value) rethrows -> Value {
        let before = umask(0o177)
        defer { umask(before) }
        return try body()
    }
}
