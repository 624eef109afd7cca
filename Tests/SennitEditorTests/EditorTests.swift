import Glibc
import SennitDocument
import Synchronization
import Testing

@testable import SennitEditor

/// A document that keeps to the contract of `DocumentPort`.
private final class TestDocument: Sendable {
    struct Refused: Error {}

    struct State {
        var text: PlainText
        var waiting: [DocumentChange]
        var turns: [EditorTurn] = []
        var refuses = false
    }

    let state: Mutex<State>

    init(_ text: String) {
        state = Mutex(State(text: PlainText(text), waiting: [.text(text)]))
    }

    var port: DocumentPort {
        let (wakeUps, continuation) = AsyncStream<Void>.makeStream()
        continuation.finish()
        return DocumentPort(
            transact: { exchange in
                try self.state.withLock { state in
                    if state.refuses { throw Refused() }
                    let turn = exchange(state.waiting)
                    state.waiting = []
                    for patch in turn.patches { state.text.apply(patch) }
                    state.turns.append(turn)
                }
            },
            wakeUps: wakeUps
        )
    }

    var text: PlainText { state.withLock { $0.text } }

    func remote(_ patch: Patch) {
        state.withLock { state in
            state.text.apply(patch)
            state.waiting.append(.remote([patch]))
        }
    }
}

struct EditorTests {
    private func type(_ text: String) -> [EditorEvent] {
        text.unicodeScalars.map { .key(.scalar($0)) }
    }

    @Test func `a turn takes in the document first, then the keys`() async {
        let document = TestDocument("one")
        var editor = Editor(title: "t", size: .standard, colors: .none, port: document.port)
        _ = await editor.turn([], at: .zero)
        _ = await editor.turn([.key(Key(.end))], at: .zero)
        document.remote(Patch(range: 0..<1, text: "XYZ"))
        document.remote(Patch(range: 1..<2, text: "y"))
        let output = await editor.turn(type("!?"), at: .zero)
        #expect(document.text == PlainText("XyZne!?"))
        #expect(editor.screenText.contains("XyZne!?"))
        #expect(!output.bytes.isEmpty)
        let last = document.state.withLock { $0.turns.last }
        #expect(last?.cursor == 7)
        #expect(last?.patches.count == 2)
    }

    @Test func `a document that refuses leaves text, undo and cursor as they were`() async {
        let document = TestDocument("one")
        var editor = Editor(title: "t", size: .standard, colors: .none, port: document.port)
        _ = await editor.turn([], at: .zero)
        document.state.withLock { $0.refuses = true }
        document.remote(Patch(range: 0..<0, text: "R"))
        let size = ScreenSize(rows: 10, columns: 30)
        let refused = await editor.turn(type("x") + [.resize(size)], at: .zero)
        #expect(refused.failure != nil)
        #expect(editor.screenText.contains("Not saved: Refused()"))
        #expect(editor.model.text.string == "one")
        #expect(editor.model.size == size)
        #expect(await editor.turn([.key(.control("q"))], at: .zero).isLeaving)
        document.state.withLock { $0.refuses = false }
        _ = await editor.turn(type("y"), at: .zero)
        #expect(document.text == PlainText("yRone"))
        #expect(editor.model.text.string == "yRone")
    }

    @Test func `leaving, copying and drawing anew reach the terminal`() async {
        let document = TestDocument("one")
        var editor = Editor(title: "t", size: .standard, colors: .none, port: document.port)
        _ = await editor.turn([], at: .zero)
        #expect(await editor.turn([.tick], at: .zero).bytes.isEmpty)
        let copied = await editor.turn(
            [.key(Key(.end, .shift)), .key(.control("c"))],
            at: .zero
        )
        #expect(String(decoding: copied.bytes, as: UTF8.self).contains("]52;c;b25l\u{07}"))
        let redrawn = await editor.turn([.key(.control("l"))], at: .zero)
        #expect(String(decoding: redrawn.bytes, as: UTF8.self).contains("\u{1B}[2J"))
        #expect(!redrawn.isLeaving)
        #expect(await editor.turn([.key(.control("q"))], at: .zero).isLeaving)
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"), ("\u{FF}\u{FE}", "w7/Dvg=="),
    ])
    func `base64 as in RFC 4648`(text: String, encoded: String) {
        #expect(Clipboard.base64(Array(text.utf8)) == Array(encoded.utf8))
    }

    @Test func `what a terminal would drop is not offered to its clipboard`() {
        let long = String(repeating: "x", count: Limits.clipboardByteCount + 1)
        #expect(Clipboard.sequence(for: long).isEmpty)
        #expect(Clipboard.sequence(for: "").isEmpty)
    }

    @Test(.enabled(if: isatty(STDOUT_FILENO) == 0))
    func `without a terminal the run refuses`() async {
        let document = TestDocument("one")
        var isRefused = false
        do throws(EditorError) {
            _ = try await Editor.run(title: "t", port: document.port, environment: [:])
        } catch {
            isRefused = error == .notATerminal
        }
        #expect(isRefused)
    }
}
