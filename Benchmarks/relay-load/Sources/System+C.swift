// Everything this program asks of the C library: sockets, epoll, clocks and limits.
//
// A client that should cost little reads into one large buffer that all connections share and sends
// from bytes that were laid out beforehand, so there is one system call for many messages and no
// copy of ours. That takes pointers into arrays for the length of one call, which is why this file
// is unsafe and no other is.

import CEpoll
import Glibc

/// What the system refused, with the call's name.
struct SystemFailure: Error, CustomStringConvertible {
    let call: String
    let number: Int32

    init(_ call: String, number: Int32 = errno) {
        self.call = call
        self.number = number
    }

    var description: String {
        unsafe "\(call): \(String(cString: strerror(number)))"
    }
}

/// A TCP socket on loopback. Owned once, closed by `close`.
struct Socket: Sendable {
    let descriptor: Int32

    /// Connects and waits for it.
    init(port: Int) throws(SystemFailure) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SystemFailure("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let fd = descriptor
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
                unsafe connect(fd, rebound, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let failure = SystemFailure("connect")
            close()
            throw failure
        }
        setOption(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// Makes the kernel take in at most about this many bytes before they are read.
    func limitReceiveBuffer(to byteCount: Int32) { setOption(SOL_SOCKET, SO_RCVBUF, byteCount) }

    /// From now on no call waits.
    func stopBlocking() { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }

    /// Sends from `bytes`.
    /// - Returns: how many bytes the kernel took; 0 if it takes none now.
    func send(_ bytes: [UInt8], from start: Int, count: Int) throws(SystemFailure) -> Int {
        precondition(start >= 0 && count >= 0 && start + count <= bytes.count, "Bytes are there.")
        let sent = unsafe bytes.withUnsafeBytes { memory in
            unsafe Glibc.send(
                descriptor,
                memory.baseAddress?.advanced(by: start),
                count,
                Int32(MSG_NOSIGNAL)
            )
        }
        if sent >= 0 { return sent }
        if errno == EAGAIN || errno == EINTR { return 0 }
        throw SystemFailure("send")
    }

    /// Receives into `buffer` from `start` on.
    /// - Returns: how many bytes came; 0 if none are there now; `nil` at the end.
    func receive(_ buffer: inout [UInt8], at start: Int) throws(SystemFailure) -> Int? {
        precondition(start < buffer.count, "There is room.")
        let received = unsafe buffer.withUnsafeMutableBytes { memory in
            unsafe recv(
                descriptor,
                memory.baseAddress?.advanced(by: start),
                memory.count - start,
                0
            )
        }
        if received > 0 { return received }
        if received == 0 { return nil }
        if errno == EAGAIN || errno == EINTR { return 0 }
        throw SystemFailure("recv")
    }

    func close() { _ = Glibc.close(descriptor) }

    private func setOption(_ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}

/// Which of many sockets have something to say.
@safe
struct Poller {
    /// A socket that is ready.
    struct Event {
        let index: Int
        let isReadable: Bool
        let isWritable: Bool
    }

    private let descriptor: Int32
    // Only `wait` looks at them, up to the count that the system gave.
    private var events = unsafe [epoll_event](repeating: epoll_event(), count: 1024)

    init() throws(SystemFailure) {
        descriptor = epoll_create1(0)
        guard descriptor >= 0 else { throw SystemFailure("epoll_create1") }
    }

    /// Watches a socket; `index` is what its events will say.
    func add(_ socket: Socket, index: Int) throws(SystemFailure) {
        try control(EPOLL_CTL_ADD, socket, index, isWriting: false)
    }

    /// Whether the socket's room for sending is of interest too.
    func set(_ socket: Socket, index: Int, isWriting: Bool) throws(SystemFailure) {
        try control(EPOLL_CTL_MOD, socket, index, isWriting: isWriting)
    }

    /// Waits for events, at most so long.
    mutating func wait(milliseconds: Int32) -> [Event] {
        let count = unsafe epoll_wait(descriptor, &events, Int32(events.count), milliseconds)
        guard count > 0 else { return [] }
        return unsafe events[..<Int(count)].map { event in
            let bits = unsafe event.events
            return Event(
                index: unsafe Int(event.data.u32),
                isReadable: bits & ~EPOLLOUT.rawValue != 0,
                isWritable: bits & EPOLLOUT.rawValue != 0
            )
        }
    }

    func close() { _ = Glibc.close(descriptor) }

    private func control(
        _ operation: Int32,
        _ socket: Socket,
        _ index: Int,
        isWriting: Bool
    ) throws(SystemFailure) {
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue | (isWriting ? EPOLLOUT.rawValue : 0)
        unsafe event.data = epoll_data(u32: UInt32(index))
        guard unsafe epoll_ctl(descriptor, operation, socket.descriptor, &event) == 0 else {
            throw SystemFailure("epoll_ctl")
        }
    }
}

enum System {
    /// Nanoseconds of a clock that never goes back.
    static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Seconds of processor time that this process has used.
    static var ownProcessorSeconds: Double {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    static var ticksPerSecond: Double { Double(sysconf(Int32(_SC_CLK_TCK))) }

    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Lets this process hold `count` descriptors, as far as the system allows.
    /// - Returns: how many it may hold now.
    static func raiseDescriptorLimit(to count: Int) -> Int {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let wanted = rlim_t(count)
        if limit.rlim_cur < wanted {
            var raised = rlimit(rlim_cur: wanted, rlim_max: max(limit.rlim_max, wanted))
            if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) != 0 {
                raised = rlimit(rlim_cur: min(wanted, limit.rlim_max), rlim_max: limit.rlim_max)
                _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised)
            }
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return Int(clamping: limit.rlim_cur)
    }
}
