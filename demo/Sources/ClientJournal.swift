import Foundation

/// Writes down when a client typed and saw what, a line each: `typed END TIME`, `shown CLIENT
/// NUMBER TIME`, `fitted FIRST COUNT`. What a SIGKILL takes from the buffer is lost, and no more
/// than that.
struct ClientJournal {
    private let file: FileHandle
    private var buffer = ""

    private static let bufferByteCount = 1 << 14

    /// Adds to the file at `path`.
    init(path: String) throws(DemoError) {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        do {
            file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try file.seekToEnd()
        } catch {
            throw .badFile(path: path, reason: "can't be written")
        }
    }

    /// All events before `end` were typed by `time`.
    mutating func noteTyped(end: UInt64, time: UInt64) { write("typed \(end) \(time)\n") }

    /// An event of another was on the screen at `time`.
    mutating func noteShown(_ event: ScriptEvent, time: UInt64) {
        write("shown \(event.client) \(event.number) \(time)\n")
    }

    /// A step had to be fitted to a text of this length. On its way at once.
    mutating func noteFitted(firstNumber: UInt64, scalarCount: Int) {
        write("fitted \(firstNumber) \(scalarCount)\n")
        flush()
    }

    /// Passes everything on to the system.
    mutating func flush() {
        try? file.write(contentsOf: Data(buffer.utf8))
        buffer = ""
    }

    private mutating func write(_ line: String) {
        buffer += line
        if buffer.utf8.count > ClientJournal.bufferByteCount { flush() }
    }
}
