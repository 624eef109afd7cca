import Foundation
import Synchronization

/// A process whose output goes to files, so that none can fill a pipe, and that is waited for
/// without holding a thread.
final class ShellProcess: Sendable {
    // A class: it stands for a process.
    let outputPath: String
    let errorPath: String
    private let process: Process
    private let ending = Ending()

    struct TookTooLong: Error, CustomStringConvertible {
        let command: String
        let seconds: Int
        var description: String { "still running after \(seconds) seconds: \(command)" }
    }

    private let command: String

    /// Starts a program.
    init(
        _ arguments: [String],
        directory: URL,
        environment: [String: String],
        output: String
    ) throws {
        command = arguments.joined(separator: " ")
        outputPath = directory.appendingPathComponent(output + ".out").path
        errorPath = directory.appendingPathComponent(output + ".err").path
        for path in [outputPath, errorPath] {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        process = Process()
        process.executableURL = URL(fileURLWithPath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        process.currentDirectoryURL = directory
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: outputPath)
        process.standardError = FileHandle(forWritingAtPath: errorPath)
        let ending = ending
        process.terminationHandler = { process in
            let isSignal = process.terminationReason == .uncaughtSignal
            ending.set(isSignal ? 128 + process.terminationStatus : process.terminationStatus)
        }
        try ShellProcess.withoutBlockedSignals { try process.run() }
    }

    /// Threads of a pool block all signals, and what they start inherits that.
    private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
        var none = sigset_t()
        var before = sigset_t()
        unsafe sigemptyset(&none)
        unsafe pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }
    var hasEnded: Bool { ending.code != nil }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// The exit code, as a shell would show it.
    func wait(seconds: Int) async throws -> Int32 {
        let guardian = Task {
            try await Task.sleep(for: .seconds(seconds))
            send(SIGKILL)
        }
        let start = ContinuousClock.now
        let code = await ending.wait()
        guardian.cancel()
        if code == 128 + SIGKILL, ContinuousClock.now - start >= .seconds(seconds) {
            throw TookTooLong(command: command, seconds: seconds)
        }
        return code
    }

    /// The exit code, once there is one.
    private final class Ending: Sendable {
        private struct State {
            var code: Int32?
            var waiting: [CheckedContinuation<Int32, Never>] = []
        }

        private let state = Mutex(State())

        var code: Int32? { state.withLock { $0.code } }

        func set(_ code: Int32) {
            let waiting = state.withLock { state in
                state.code = code
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume(returning: code) }
        }

        func wait() async -> Int32 {
            await withCheckedContinuation { continuation in
                let code = state.withLock { state in
                    if state.code == nil { state.waiting.append(continuation) }
                    return state.code
                }
                if let code { continuation.resume(returning: code) }
            }
        }
    }
}
