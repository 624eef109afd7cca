import Testing

@testable import SennitCLI

struct ConsoleTests {
    private func isColored(_ environment: [String: String], terminal: Bool = true) -> Bool {
        Console.Dress(isTerminal: terminal, environment: environment, noColor: false).isColored
    }

    @Test func `colours are for terminals that want them`() {
        #expect(isColored(["TERM": "xterm"]))
        #expect(isColored(["TERM": "xterm", "NO_COLOR": ""]))
        #expect(!isColored(["TERM": "xterm", "NO_COLOR": "1"]))
        #expect(!isColored(["TERM": "dumb"]))
        #expect(!isColored([:]))
        #expect(!isColored(["TERM": "xterm"], terminal: false))
        let environment = ["TERM": "xterm"]
        #expect(
            !Console.Dress(isTerminal: true, environment: environment, noColor: true).isColored
        )
    }

    @Test func `a terminal is not moved by what others wrote, a pipe gets texts as they are`() {
        let text = "a\u{1B}[2Jb\u{202E}c\u{9B}\td\n"
        let terminal = Console.Dress(isTerminal: true, environment: [:], noColor: false)
        let pipe = Console.Dress(isTerminal: false, environment: [:], noColor: false)
        let shown = "a␛[2Jb\u{FFFD}c\u{FFFD}\td\n"
        #expect(terminal.safe(text) == shown)
        #expect(pipe.safe(text) == shown)
        #expect(terminal.contents(text) == shown)
        #expect(pipe.contents(text) == text)
        #expect("a\nb\tc".onOneLine == "a␊b c")
    }

    @Test func `options may stand before the verb`() {
        let moved = SennitCommand.withOptionsBehindVerb([
            "--profile", "ls", "--space=x", "--offline", "cat", "a.md",
        ])
        #expect(moved == ["cat", "--profile", "ls", "--space=x", "--offline", "a.md"])
        #expect(SennitCommand.withOptionsBehindVerb(["ls", "--json"]) == ["ls", "--json"])
        #expect(SennitCommand.withOptionsBehindVerb(["--version"]) == ["--version"])
    }

    @Test func `what the parser says is put in our words`() {
        let failure = Failure(
            parserMessage: "Unknown option '--jsn'. Did you mean '--json'?",
            help: "run `sennit ls --help`"
        )
        #expect(failure.message == "unknown option '--jsn'")
        #expect(failure.hint == "did you mean `--json`?")
        #expect(failure.status == .usage)
    }
}
