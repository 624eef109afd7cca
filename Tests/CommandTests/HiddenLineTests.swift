import Testing

@testable import SennitCLI

struct HiddenLineTests {
    private func type(_ text: String) -> (text: String, state: HiddenLine.State) {
        var line = HiddenLine()
        var state = HiddenLine.State.open
        for byte in text.utf8 where state == .open { state = line.take(byte) }
        return (line.text, state)
    }

    @Test func `a link is taken up to the end of its line`() {
        #expect(type("sennit:1#Ab-_\r\nrest") == ("sennit:1#Ab-_", .done))
        #expect(type("sennit:1#Ab") == ("sennit:1#Ab", .open))
    }

    @Test func `the marks around a paste are no part of it`() {
        #expect(type("\u{1B}[200~sennit:1#Ab\u{1B}[201~\n") == ("sennit:1#Ab", .done))
    }

    @Test func `backspace and Ctrl-U take back, Ctrl-C cancels`() {
        #expect(type("ab\u{7F}c\n") == ("ac", .done))
        #expect(type("ab\u{15}c\n") == ("c", .done))
        #expect(type("\u{7F}a\u{4}") == ("a", .done))
        #expect(type("ab\u{3}").state == .cancelled)
    }
}
