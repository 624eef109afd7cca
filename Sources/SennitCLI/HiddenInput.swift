import Foundation

/// A line being typed or pasted, which nobody sees.
struct HiddenLine {
    enum State { case open, done, cancelled }

    private var bytes: [UInt8] = []
    private var escape: [UInt8] = []

    var byteCount: Int { bytes.count }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Takes the next byte from a terminal. Escape sequences, such as those that bracket a paste,
    /// are dropped.
    mutating func take(_ byte: UInt8) -> State {
        if !escape.isEmpty {
            escape.append(byte)
            let isIntroduced = escape.count == 2 && byte == UInt8(ascii: "[")
            if !isIntroduced, (0x40...0x7E).contains(byte) || escape.count > 16 { escape = [] }
            return .open
        }
        switch byte {
        case 0x1B: escape = [byte]
        case 0x03: return .cancelled
        case 0x04, 0x0A, 0x0D: return .done
        case 0x08, 0x7F: _ = bytes.popLast()
        case 0x15: bytes = []
        case 0x00..<0x20: break
        default: bytes.append(byte)
        }
        return .open
    }
}

/// The terminal at standard input, read byte by byte without echo until it is put back.
struct HiddenInput {
    private let before: termios

    init?() {
        var state = termios()
        guard unsafe tcgetattr(0, &state) == 0 else { return nil }
        before = state
        state.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        guard unsafe tcsetattr(0, TCSADRAIN, &state) == 0 else { return nil }
    }

    /// Reads one line and puts the terminal back.
    /// - Parameter limit: Bytes that the line may have; the first one more ends it.
    /// - Returns: the line, and how it ended; `open` where the terminal did.
    func readLine(limit: Int) -> (line: HiddenLine, state: HiddenLine.State) {
        var line = HiddenLine()
        var state = HiddenLine.State.open
        while state == .open {
            guard let byte = readByte() else { break }
            state = line.take(byte)
            if line.byteCount > limit { state = .done }
        }
        restore()
        return (line, state)
    }

    private func readByte() -> UInt8? {
        var byte: UInt8 = 0
        while true {
            let count = unsafe Foundation.read(0, &byte, 1)
            if count == 1 { return byte }
            if count < 0, errno == EINTR { continue }
            return nil
        }
    }

    /// Puts the terminal back, and drops what else was pasted: it isn't meant for the shell.
    private func restore() {
        var state = before
        _ = unsafe tcsetattr(0, TCSAFLUSH, &state)
    }
}
