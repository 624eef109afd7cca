import Dispatch
import Glibc
import Synchronization

// The only file that talks to the terminal, and the only one with unsafe calls: termios, ioctl,
// read, write and signal handlers.
//
// Whatever ends the process, the terminal is put back: `leave` and `deinit` on the ordinary way
// out, signal sources for SIGTERM, SIGHUP and the like, and a handler for signals of a crash, which
// does only what signal-safety(7) allows: write, tcsetattr, signal, raise.

/// The terminal at standard input and output, in raw mode on its alternate screen.
struct Terminal: ~Copyable {
    private let input: InputSource
    private let signals: [any DispatchSourceSignal]
    private let entering: [UInt8]

    /// Takes over the terminal; `bell` rings from now on.
    /// - Throws: `notATerminal`; `terminal`.
    static func open(bell: Doorbell, usesMouse: Bool) throws(EditorError) -> Terminal {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { throw .notATerminal }
        try makeRaw(saving: true)
        CrashGuard.install()
        return Terminal(bell: bell, usesMouse: usesMouse)
    }

    private init(bell: Doorbell, usesMouse: Bool) {
        // Alternate screen, bracketed paste; presses, drags and the wheel in SGR coordinates.
        entering = Array(
            ("\u{1B}[?1049h\u{1B}[?2004h" + (usesMouse ? "\u{1B}[?1002h\u{1B}[?1006h" : "")).utf8
        )
        Terminal.send(entering)
        let queue = DispatchQueue(label: "sennit.terminal")
        input = InputSource(queue: queue, bell: bell)
        let reasons: [(Int32, Doorbell.Reasons)] = [
            (SIGWINCH, .resized), (SIGCONT, .resumed), (SIGTERM, .terminate), (SIGHUP, .terminate),
            (SIGINT, .terminate), (SIGQUIT, .terminate),
        ]
        signals = reasons.map { number, reason in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { bell.ring(reason) }
            source.resume()
            return source
        }
    }

    deinit {
        for source in signals { source.cancel() }
        input.cancel()
        Terminal.send(CrashGuard.leaving)
        CrashGuard.restore()
        CrashGuard.uninstall()
    }

    /// Puts the terminal back as it was.
    consuming func leave() {}

    /// Rows and columns now; the standard size if the terminal doesn't tell.
    var size: ScreenSize {
        var window = winsize()
        let result = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window)
        guard result == 0, window.ws_row > 0, window.ws_col > 0 else { return .standard }
        return ScreenSize(rows: Int(window.ws_row), columns: Int(window.ws_col))
    }

    /// The bytes that made the bell ring with `input`; `nil` when the terminal is gone.
    ///
    /// Call once for each such ring.
    func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: Limits.readByteCount)
        var count: Int
        repeat {
            count = unsafe Glibc.read(STDIN_FILENO, &buffer, buffer.count)
        } while count < 0 && errno == EINTR
        let isLater = count < 0 && errno == EAGAIN
        input.listen()
        if isLater { return [] }
        return count <= 0 ? nil : Array(buffer[..<count])
    }

    /// Sends all the bytes; those for a terminal that is gone are dropped.
    func write(_ bytes: [UInt8]) { Terminal.send(bytes) }

    /// Takes the terminal over again after another program had it.
    /// - Returns: whether the terminal is ours; in the background it isn't.
    func enterAgain() -> Bool {
        guard tcgetpgrp(STDIN_FILENO) == getpgrp() else { return false }
        try? Terminal.makeRaw(saving: false)
        Terminal.send(entering)
        return true
    }

    private static func makeRaw(saving: Bool) throws(EditorError) {
        var attributes = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &attributes) == 0 else {
            throw .terminal(call: "tcgetattr", errno: errno)
        }
        if saving { CrashGuard.save(attributes) }
        unsafe cfmakeraw(&attributes)
        guard unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &attributes) == 0 else {
            throw .terminal(call: "tcsetattr", errno: errno)
        }
    }

    private static func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Another program has made the terminal non-blocking.
                var wait = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&wait, 1, 1000)
            } else if errno != EINTR {
                return
            }
        }
    }
}

/// Rings when bytes can be read, and then holds still until they were.
private final class InputSource: @unchecked Sendable {
    // Safe because dispatch objects may be used from any thread, `source` is never replaced, and
    // `isListening`, which pairs each suspend with a resume, is locked.
    private let source: any DispatchSourceRead
    private let isListening = Mutex(true)

    init(queue: DispatchQueue, bell: Doorbell) {
        source = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: queue)
        source.setEventHandler { [unowned self] in
            let wasListening = isListening.withLock { listening in
                defer { listening = false }
                return listening
            }
            if wasListening {
                source.suspend()
                bell.ring(.input)
            }
        }
        source.resume()
    }

    func listen() {
        isListening.withLock { listening in
            if !listening { source.resume() }
            listening = true
        }
    }

    /// Ends the source. One that is suspended must be resumed before it may be released.
    func cancel() {
        source.setEventHandler {}
        source.cancel()
        listen()
    }
}

/// Puts the terminal back when the process crashes.
private enum CrashGuard {
    /// Cursor shown, plain letters, no mouse, no bracketed paste, the ordinary screen.
    static let leaving = Array(
        "\u{1B}[?2026l\u{1B}[0m\u{1B}[?1006l\u{1B}[?1002l\u{1B}[?2004l\u{1B}[?25h\u{1B}[?1049l".utf8
    )

    private static let crashes = [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE]

    @unsafe private struct State {
        var attributes = termios()
        var isSaved = false
        var leaving: UnsafeMutableBufferPointer<UInt8>
    }

    nonisolated(unsafe) private static let state: UnsafeMutablePointer<State> = {
        // One terminal is open at a time: `save` writes before the handler is installed, and
        // nothing writes while it is, so the handler reads what nobody changes.
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: leaving.count)
        _ = unsafe bytes.initialize(from: leaving)
        let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
        unsafe state.initialize(to: State(leaving: bytes))
        return unsafe state
    }()

    static func save(_ attributes: termios) {
        unsafe state.pointee.attributes = attributes
        unsafe state.pointee.isSaved = true
    }

    static func restore() {
        guard unsafe state.pointee.isSaved else { return }
        _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &state.pointee.attributes)
    }

    static func install() {
        for number in crashes {
            _ = signal(number) { number in
                _ = unsafe Glibc.write(
                    STDOUT_FILENO,
                    CrashGuard.state.pointee.leaving.baseAddress,
                    CrashGuard.state.pointee.leaving.count
                )
                CrashGuard.restore()
                _ = signal(number, SIG_DFL)
                _ = raise(number)
            }
        }
    }

    static func uninstall() {
        for number in crashes { _ = signal(number, SIG_DFL) }
    }
}
