import Foundation

/// Says on standard error how far things are, once a second and only if it takes that long.
struct ProgressLine {
    private let what: String
    private let startedAt = System.now
    private var saidAt = System.now
    private var hasSaid = false

    init(_ what: String) { self.what = what }

    mutating func show(_ done: Int, of total: Int) {
        let now = System.now
        guard now - saidAt > 1_000_000_000 else { return }
        saidAt = now
        hasSaid = true
        // A terminal gets one line that is written over; a file gets a line each.
        let isPlain = !System.isErrorTerminal
        write(isPlain ? "" : "\r\u{1B}[2K", "\(what): \(done) of \(total)", isPlain ? "\n" : "")
    }

    /// Ends the line, if there is one.
    func finish() {
        guard hasSaid, System.isErrorTerminal else { return }
        write("\r\u{1B}[2K", "", "")
    }

    private func write(_ start: String, _ text: String, _ end: String) {
        FileHandle.standardError.write(Data((start + text + end).utf8))
    }
}
