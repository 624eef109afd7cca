// The terminal that `top` draws on. With Systemd.swift the only file of this module with unsafe
// code.

import Foundation

/// A terminal whose keys arrive at once, put back as it was when this goes.
final class TopTerminal {
    private var before = termios()

    /// - Returns: `nil` if standard input or output isn't a terminal.
    init?() {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1,
            unsafe tcgetattr(STDIN_FILENO, &before) == 0
        else { return nil }
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        unsafe tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        // The other screen, without a cursor.
        write("\u{1b}[?1049h\u{1b}[?25l")
    }

    /// Puts the terminal back as it was.
    func restore() {
        write("\u{1b}[?25h\u{1b}[?1049l")
        unsafe tcsetattr(STDIN_FILENO, TCSANOW, &before)
    }

    /// Its size now, which changes with the window.
    static func size() -> (width: Int, height: Int) {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Shows lines from the top and clears the rest.
    func draw(_ lines: [String]) {
        write("\u{1b}[H" + lines.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n") + "\u{1b}[J")
    }

    /// Waits for a key.
    /// - Returns: the key; `nil` if the time is over or the window changed its size.
    func key(within milliseconds: Int32) -> UInt8? {
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&input, 1, milliseconds) == 1 else { return nil }
        var byte: UInt8 = 0
        return unsafe read(STDIN_FILENO, &byte, 1) == 1 ? byte : UInt8(ascii: "q")
    }

    private func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
