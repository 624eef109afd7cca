import Foundation
import SennitDocument
import SennitEditor

/// The editor of one client. With or without a terminal it takes in every change and renders every
/// screen; without one the bytes are dropped.
struct ClientScreen {
    private var editor: Editor
    private let isShown: Bool
    private let start = ContinuousClock.now

    /// - Parameter isShown: whether standard output is a terminal to draw on.
    init(title: String, port: DocumentPort, isShown: Bool) {
        self.isShown = isShown
        editor = Editor(
            title: title,
            size: isShown ? ClientScreen.terminalSize ?? .standard : .standard,
            colors: isShown ? ColorDepth(environment: ProcessInfo.processInfo.environment) : .none,
            port: port
        )
        // Alternate screen.
        if isShown { ClientScreen.write(Array("\u{1B}[?1049h".utf8)) }
    }

    /// Takes in what happened and draws it.
    mutating func draw() async throws(DemoError) {
        var events: [EditorEvent] = []
        if isShown, let size = ClientScreen.terminalSize, size != editor.model.size {
            events.append(.resize(size))
        }
        let output = await editor.turn(events, at: start.duration(to: .now))
        if let reason = output.failure { throw .unusableTrace(reason: reason) }
        if isShown { ClientScreen.write(output.bytes) }
    }

    /// The text that the editor holds.
    var text: String { editor.model.text.string }

    private static var terminalSize: ScreenSize? {
        var window = winsize()
        let result = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window)
        guard result == 0, window.ws_row > 0, window.ws_col > 0 else { return nil }
        return ScreenSize(rows: Int(window.ws_row), columns: Int(window.ws_col))
    }

    private static func write(_ bytes: [UInt8]) {
        // A terminal that is gone is the conductor's business.
        try? FileHandle.standardOutput.write(contentsOf: Data(bytes))
    }
}
