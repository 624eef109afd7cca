import SennitDocument
import Synchronization

/// One document on one screen: the model, its document and what the terminal shows.
///
/// Without a terminal, drive it by `turn`, which needs none:
///
///     var editor = Editor(title: "notes.txt", size: .standard, colors: .none, port: port)
///     _ = await editor.turn([], at: .zero)
///     _ = await editor.turn([.key(.scalar("h")), .key(.scalar("i"))], at: .zero)
///     print(editor.screenText)
///
/// With one, `run` does everything; see `Editor+Run.swift`.
public struct Editor: Sendable {
    /// What the editor knows now.
    public private(set) var model: EditorModel

    private let port: DocumentPort
    private let theme: Theme
    private var screen: Screen

    /// What a turn asks of the terminal.
    public struct Output: Sendable {
        /// To be written as they are.
        public var bytes: [UInt8] = []
        /// Whether the person wants to leave.
        public var isLeaving = false
        /// Why the document could not be reached, in which case the turn changed nothing.
        public var failure: String?
    }

    /// An editor that shows nothing yet; the first turn fetches the text.
    /// - Parameters:
    ///   - title: what the document is called on the screen.
    public init(title: String, size: ScreenSize, colors: ColorDepth, port: DocumentPort) {
        model = EditorModel(title: title, size: size)
        theme = Theme(depth: colors)
        screen = Screen(depth: colors)
        self.port = port
    }

    /// Wakes the driver when the document has something to tell.
    var wakeUps: AsyncStream<Void> { port.wakeUps }

    /// Has the next turn send the whole screen.
    mutating func forgetScreen() { screen.forget() }

    /// The screen as plain text, row by row.
    public var screenText: String { model.frame(theme).grid.text }

    /// Exchanges changes with the document: takes in its own first, then these events.
    /// - Parameters:
    ///   - now: the time on a clock that never goes back, the same for all turns.
    /// - Returns: what the terminal must be sent; the screen is up to date with it.
    public mutating func turn(_ events: [EditorEvent], at now: Duration) async -> Output {
        let before = model
        let outcome = Outcome()
        var output = Output()
        do {
            try await port.transact { changes in
                var model = before
                for change in changes { model.receive(change, at: now) }
                var patches: [Patch] = []
                var effects: [EditorEffect] = []
                for event in events.isEmpty ? [.tick] : events {
                    for effect in model.handle(event, at: now) {
                        if case .edits(let made) = effect {
                            patches += made
                        } else {
                            effects.append(effect)
                        }
                    }
                }
                outcome.set(model, effects)
                return EditorTurn(
                    patches: patches,
                    cursor: model.cursor,
                    selection: model.selection
                )
            }
            guard let (after, effects) = outcome.value else {
                preconditionFailure("A port calls the exchange before it returns.")
            }
            model = after
            for effect in effects { perform(effect, into: &output) }
        } catch {
            let reason = String(describing: error)
            model.fail("Not saved: \(reason)", events, at: now)
            output.failure = reason
            output.isLeaving = events.contains { $0.isLeaving }
        }
        output.bytes += screen.render(model.frame(theme))
        return output
    }

    private mutating func perform(_ effect: EditorEffect, into output: inout Output) {
        switch effect {
        case .edits: break
        case .copy(let text): output.bytes += Clipboard.sequence(for: text)
        case .redraw: screen.forget()
        case .quit: output.isLeaving = true
        }
    }

    /// Carries the state out of the exchange, which runs wherever the document lives.
    private final class Outcome: Sendable {
        private let state = Mutex<(EditorModel, [EditorEffect])?>(nil)

        var value: (EditorModel, [EditorEffect])? { state.withLock { $0 } }

        func set(_ model: EditorModel, _ effects: [EditorEffect]) {
            state.withLock { $0 = (model, effects) }
        }
    }
}

extension EditorModel {
    /// Shows that the document refused, and takes in of the events only the size of the screen.
    fileprivate mutating func fail(_ message: String, _ events: [EditorEvent], at now: Duration) {
        for event in events {
            if case .resize = event { _ = handle(event, at: now) }
        }
        _ = handle(.tick, at: now)
        show(message)
    }
}

extension EditorEvent {
    /// Leaving must work even when the document doesn't.
    fileprivate var isLeaving: Bool {
        self == .key(.control("q")) || self == .key(.control("x"))
    }
}

/// OSC 52: asks the terminal to put text into the clipboard, over ssh too.
enum Clipboard {
    /// The bytes to send; none for text that terminals would drop for its length.
    static func sequence(for text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        if bytes.isEmpty || bytes.count > Limits.clipboardByteCount { return [] }
        return Array("\u{1B}]52;c;".utf8) + base64(bytes) + [0x07]
    }

    private static let letters = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )

    /// RFC 4648, section 4.
    static func base64(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(0) { $0 << 8 | Int($1) }
            bits <<= 8 * (3 - group.count)
            for place in 0..<4 {
                let isPadding = place > group.count
                let letter = letters[bits >> (18 - 6 * place) & 0x3F]
                result.append(isPadding ? UInt8(ascii: "=") : letter)
            }
        }
        return result
    }
}
