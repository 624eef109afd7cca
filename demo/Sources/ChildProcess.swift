import Foundation

/// A process of the demo: started, waited for, killed.
final class ChildProcess: Sendable {
    // A class: it stands for one process.

    private let process: Process

    /// Starts a program.
    /// - Parameter outputPath: takes what it prints; added to what is there.
    init(_ program: String, _ arguments: [String], outputPath: String) throws(DemoError) {
        if !FileManager.default.fileExists(atPath: outputPath) {
            _ = FileManager.default.createFile(atPath: outputPath, contents: nil)
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        do {
            let output = try FileHandle(forWritingTo: URL(fileURLWithPath: outputPath))
            try output.seekToEnd()
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            process.standardError = output
            try process.run()
        } catch {
            throw .cannotStart(program: program, reason: "\(error)")
        }
        self.process = process
    }

    /// Its number.
    var processID: Int32 { process.processIdentifier }

    /// Whether it still runs.
    var isRunning: Bool { process.isRunning }

    /// SIGKILL, and the end of it awaited.
    func kill() {
        if process.isRunning { _ = Glibc.kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    /// Waits for its end.
    /// - Returns: its exit status.
    func waitUntilExit() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// SIGTERM, and the end awaited for some seconds; then SIGKILL.
    func stop() async {
        if process.isRunning { process.terminate() }
        for _ in 0..<500 where process.isRunning {
            try? await Task.sleep(for: .milliseconds(10))
        }
        kill()
    }
}

/// The programs that the demo runs.
enum Programs {
    /// A program that was built beside this one.
    static func path(_ name: String) throws(DemoError) -> String {
        let own = URL(fileURLWithPath: ownPath).deletingLastPathComponent()
        let path = own.appendingPathComponent(name).path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw .missingProgram(name)
        }
        return path
    }

    /// This program.
    static var ownPath: String {
        Bundle.main.executablePath ?? CommandLine.arguments[0]
    }
}
