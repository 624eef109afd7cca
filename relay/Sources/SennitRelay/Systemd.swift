// What systemd is told: that the relay is ready, that it stops, that it is alive. sd_notify(3) says
// how: a datagram to the socket that $NOTIFY_SOCKET names; without that variable nobody listens.
// The one file of this module with unsafe code, which libsystemd would otherwise have.

import Foundation
import RelayCore

/// Tells systemd, if it is there.
enum Systemd {
    /// Sends lines of NAME=VALUE. What can't be sent is lost, as sd_notify(3) has it.
    static func notify(_ message: String) {
        guard let path = ProcessInfo.processInfo.environment["NOTIFY_SOCKET"] else { return }
        send(message, to: path)
    }

    /// - Returns: whether it was sent.
    @discardableResult
    static func send(_ message: String, to path: String) -> Bool {
        var name = Array(path.utf8)
        var address = sockaddr_un()
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard name.count > 1, name.count < capacity,
            name[0] == UInt8(ascii: "/") || name[0] == UInt8(ascii: "@")
        else { return false }
        // An abstract name begins with a zero byte and has no end but its length.
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
            for (index, byte) in name.enumerated() { unsafe field[index] = byte }
        }
        let descriptor = socket(
            AF_UNIX,
            Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
            0
        )
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let pathOffset = MemoryLayout<sockaddr_un>.size - capacity
        let length = socklen_t(pathOffset + name.count)
        let bytes = Array(message.utf8)
        let sent = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe sendto(
                    descriptor,
                    bytes,
                    bytes.count,
                    Int32(MSG_NOSIGNAL),
                    address,
                    length
                )
            }
        }
        return sent == bytes.count
    }
}

/// Tells systemd twice in each of its intervals that the relay is alive, as long as it is: every
/// event loop has answered and storage isn't stuck.
struct Watchdog {
    private let timer: any DispatchSourceTimer

    /// - Returns: `nil` if systemd doesn't watch.
    init?(_ server: RelayServer) {
        let environment = ProcessInfo.processInfo.environment
        guard let text = environment["WATCHDOG_USEC"], let microseconds = Int(text),
            microseconds > 0
        else { return nil }
        if let pid = environment["WATCHDOG_PID"], pid != "\(getpid())" { return nil }
        let interval = DispatchTimeInterval.microseconds(microseconds / 2)
        timer = DispatchSource.makeTimerSource(queue: .global())
        timer.schedule(deadline: .now(), repeating: interval)
        timer.setEventHandler {
            server.whenAlive { Systemd.notify("WATCHDOG=1") }
        }
        timer.resume()
    }

    func cancel() { timer.cancel() }
}
