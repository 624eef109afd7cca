import Foundation

@testable import RelayCore

/// A relay in a process of its own whose log can be read.
final class ServingRelay {
    let port: Int
    /// Where its metrics are; 0 if it wasn't waited for them.
    private(set) var metricsPort = 0
    private let process = Process()
    private let logPath: String

    struct NotStarted: Error { let log: String }

    init(
        _ flags: [String],
        environment: [String: String] = [:],
        needsMetrics: Bool = true
    ) throws {
        logPath = FileManager.default.temporaryDirectory.path + "/relay-log-\(UUID().uuidString)"
        _ = FileManager.default.createFile(atPath: logPath, contents: nil)
        process.executableURL = try RelayProcess.executableURL
        process.arguments = ["serve"] + flags
        var whole = ProcessInfo.processInfo.environment
        for (name, value) in environment { whole[name] = value }
        whole["JOURNAL_STREAM"] = nil
        process.environment = whole
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle(forWritingAtPath: logPath)
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let word = line.split(separator: ":").last?.dropLast() ?? ""
        guard line.hasPrefix("sennit-relay: listening on "), let port = Int(word) else {
            throw NotStarted(log: (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "")
        }
        self.port = port
        guard needsMetrics else { return }
        let metrics = log.split(separator: "\n").first { $0.contains(" metrics url=") }
        let rest = metrics?.split(separator: ":").last?.split(separator: "/").first ?? ""
        guard let metricsPort = Int(rest) else { throw NotStarted(log: log) }
        self.metricsPort = metricsPort
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(atPath: logPath)
    }

    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// Waits until the log has a text; the test's time limit ends it.
    func logs(_ text: String) async throws {
        while !log.contains(text) { try await Task.sleep(for: .milliseconds(10)) }
    }

    /// Waits until so many connections have become WebSocket.
    func isUpgraded(_ count: Int) async throws {
        while try !get("/metrics").body.contains("\nsennit_relay_connections_total \(count)\n") {
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    func get(_ path: String, port: Int? = nil) throws -> HTTPProbe.Answer {
        let address = ListenAddress(host: "127.0.0.1", port: port ?? metricsPort)
        return try HTTPProbe.get(.init(address, path: path), within: .seconds(30))
    }

    func send(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for the end.
    func wait() -> (reason: Process.TerminationReason, status: Int32) {
        process.waitUntilExit()
        return (process.terminationReason, process.terminationStatus)
    }

    /// Sends a signal and waits for the end.
    func end(with number: Int32) -> (reason: Process.TerminationReason, status: Int32) {
        send(number)
        return wait()
    }
}

/// A socket in the file system that collects what is sent to it, as systemd's is.
final class DatagramReader {
    let path: String
    private let descriptor: Int32

    struct Failure: Error { let call: String }

    init(path: String) throws {
        self.path = path
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
            for (index, byte) in path.utf8.enumerated() { unsafe field[index] = byte }
        }
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, length)
            }
        }
        guard result == 0 else { throw Failure(call: "bind") }
    }

    deinit {
        close(descriptor)
        unsafe unlink(path)
    }

    /// The next message; `nil` if none comes for half a minute.
    func next() -> String? {
        var time = timeval(tv_sec: 30, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size) == 0 else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
