import SennitDocument
import Testing

@testable import SennitEditor

struct FrameTests {
    private func peer(_ name: String, at cursor: Int, lastSeen: Duration = .zero) -> Peer {
        Peer(id: name, name: name, cursor: cursor, lastSeen: lastSeen)
    }

    @Test func `the whole screen`() {
        let text = "Sennit plaits strands into one document.\n\n日本語\ttab\u{1B}"
        var editor = Harness(text, size: ScreenSize(rows: 12, columns: 36))
        editor.model.receive(.status(ConnectionStatus(.online)), at: .zero)
        editor.model.receive(.peers([peer("Alice", at: 41), peer("Bob", at: 50)]), at: .zero)
        #expect(
            editor.model.frame(Theme(depth: .none)).grid.text == """
                 notes.txt  ●Alice ●Bob    ● online
                Sennit plaits strands into one
                document.
                 <Alice>
                日本語  tab^[ <Bob>




                 always saved                   1:1
                ^G Help           ^F Find
                ^X Exit           ^Z Undo mine
                """
        )
        #expect(editor.model.frame(Theme(depth: .none)).cursor == .init(row: 1, column: 0))
    }

    @Test(arguments: [
        (ConnectionStatus(.online), "● online"),
        (ConnectionStatus(.online, pendingCount: 2), "⟳ syncing 2"),
        (ConnectionStatus(.offline), "○ offline"),
        (ConnectionStatus(.offline, pendingCount: 1), "○ offline (1 change waiting)"),
        (ConnectionStatus(.offline, pendingCount: 7), "○ offline (7 changes waiting)"),
        (ConnectionStatus(.connecting), "⟳ connecting"),
        (ConnectionStatus(.online, note: "stale"), "● online · stale"),
    ])
    func `the connection is told in words`(status: ConnectionStatus, shown: String) {
        var editor = Harness("", size: ScreenSize(rows: 6, columns: 60))
        editor.model.receive(.status(status), at: .zero)
        #expect(editor.screen.split(separator: "\n")[0].hasSuffix(" " + shown))
    }

    @Test func `peers beyond the screen are pointed at, absent ones are hollow`() {
        let text = (1...30).map { "line \($0)" }.joined(separator: "\n")
        var editor = Harness(text, size: ScreenSize(rows: 8, columns: 60))
        editor.press(Key(.pageDown), Key(.pageDown))
        editor.now = .seconds(100)
        editor.model.receive(
            .peers([
                peer("Up", at: 0, lastSeen: .seconds(99)),
                peer("Down", at: text.count, lastSeen: .seconds(99)),
                peer("Here", at: editor.model.cursor, lastSeen: .seconds(99)),
                peer("Gone", at: editor.model.cursor),
            ]),
            at: editor.now
        )
        #expect(editor.screen.hasPrefix(" notes.txt  ↑Up ↓Down ●Here ○Gone "))
    }

    @Test func `a colour stays while people come and go, and no two share one`() {
        var editor = Harness("text")
        let people = (0..<Theme.peerColorCount).map { peer("p\($0)", at: 0) }
        editor.model.receive(.peers(people), at: .zero)
        let slots = Dictionary(
            uniqueKeysWithValues: editor.model.peers.map { ($0.peer.id, $0.slot) }
        )
        #expect(Set(slots.values).count == people.count)
        editor.model.receive(.peers([people[3]]), at: .zero)
        editor.model.receive(.peers(people.reversed()), at: .zero)
        for state in editor.model.peers { #expect(slots[state.peer.id] == state.slot) }
    }

    @Test func `a name fades when its cursor rests, and comes back when it moves`() {
        var editor = Harness("one\ntwo")
        func label(_ model: EditorModel) -> Bool {
            model.frame(Theme(depth: .trueColor)).grid.text.contains("one  Alice")
        }
        editor.model.receive(.peers([peer("Alice", at: 3)]), at: .zero)
        #expect(label(editor.model))
        #expect(editor.model.deadline == Limits.labelDuration)
        editor.now = Limits.labelDuration
        editor.send(.tick)
        #expect(!label(editor.model))
        editor.model.receive(
            .peers([peer("Alice", at: 2, lastSeen: editor.now)]),
            at: editor.now
        )
        editor.model.receive(
            .peers([peer("Alice", at: 3, lastSeen: editor.now)]),
            at: editor.now
        )
        #expect(label(editor.model))
    }

    @Test func `a peer's cursor goes with the text between two tellings`() {
        var editor = Harness("one| two")
        editor.model.receive(.peers([peer("Alice", at: 3), peer("Bob", at: 7)]), at: .zero)
        editor.type("X")
        #expect(editor.model.peers.map(\.peer.cursor) == [3, 8])
        editor.remote(insert: "Y", at: 3)
        #expect(editor.model.peers.map(\.peer.cursor) == [4, 9])
    }

    @Test func `names from outside cannot steer the terminal`() {
        var editor = Harness("text")
        editor.model.receive(
            .peers([
                peer("\u{1B}[2J", at: 0), peer(" ", at: 0),
                peer(String(repeating: "x", count: 500), at: 0),
            ]),
            at: .zero
        )
        #expect(editor.model.peers[0].peer.name == "^[[2J")
        #expect(editor.model.peers[1].peer.name == "somebody")
        #expect(editor.model.peers[2].peer.name.count == Limits.nameScalarCount)
    }

    @Test func `the first row stays put when others write above it`() {
        let text = (1...30).map { "line \($0)" }.joined(separator: "\n")
        var editor = Harness(text, size: ScreenSize(rows: 8, columns: 30))
        editor.press(Key(.end, .control))
        let body = editor.screen.split(separator: "\n").dropFirst().dropLast()
        editor.remote(insert: "new\nnew\n", at: 0)
        #expect(editor.screen.split(separator: "\n").dropFirst().dropLast() == body)
    }

    @Test func `a larger screen is filled from above`() {
        let text = (1...9).map { "line \($0)" }.joined(separator: "\n")
        var editor = Harness(text, size: ScreenSize(rows: 4, columns: 30))
        editor.press(Key(.end, .control))
        editor.send(.resize(ScreenSize(rows: 20, columns: 30)))
        #expect(editor.screen.contains("line 1\n"))
    }

    @Test func `help shows every key and any key leaves it`() {
        var editor = Harness("text", size: ScreenSize(rows: 24, columns: 80))
        editor.press(.control("g"))
        let shown = editor.model.frame(Theme(depth: .none)).grid.text
        for key in KeyHelp.all { #expect(shown.contains(key.action)) }
        editor.type("x")
        #expect(editor.document == PlainText("text"))
        #expect(editor.screen.contains("text"))
    }

    @Test func `every size of screen can be drawn`() {
        for rows in 1...12 {
            for columns in [1, 2, 3, 9, 30] {
                var editor = Harness("日本語 👩‍👩‍👧|\ttext", size: .init(rows: rows, columns: columns))
                editor.model.receive(.peers([peer("Alice", at: 2)]), at: .zero)
                let frame = editor.model.frame(Theme(depth: .trueColor))
                #expect(frame.cursor != nil)
                editor.press(.control("g"))
                _ = editor.model.frame(Theme(depth: .none))
            }
        }
    }
}
