import Testing

// What judges the command is itself judged here: a session that differs must fail.
struct ScriptTests {
    private func play(_ text: String) async throws {
        let runner = try ScriptRunner(Script(name: "test", text: text))
        try await runner.run()
    }

    @Test func `a session that is as written passes`() async throws {
        try await play(
            """
            # A comment.
            anna $ printf 'one\\ntwo\\n'; echo oops >&2; exit 3
              one
              t…o
            2> oops
            [3]
            """
        )
    }

    @Test(arguments: [
        "anna $ echo one\n  two", "anna $ echo one", "anna $ true\n  one",
        "anna $ echo one >&2\n  one", "anna $ echo one >&2\n2> two", "anna $ false",
        "anna $ true\n[1]", "await anna: one", "anna & echo one\nawait anna: two",
        "anna $ echo '{\"a\":1}'\n  json: a b", "anna $ echo '[1]'\n  json: a",
    ])
    func `a session that differs fails`(text: String) async {
        await #expect(throws: ScriptRunner.Difference.self) { try await play(text) }
    }

    @Test func `what runs beside the session is awaited and ended`() async throws {
        try await play(
            """
            anna & sh -c 'echo ready; exec sleep 600'
            await anna: ready
            end anna
              ready
            [143]
            """
        )
    }

    @Test func `a line that is neither command nor expectation is refused`() {
        #expect(throws: Script.Fault(line: 2, text: "what")) {
            try Script(name: "test", text: "# comment\nwhat")
        }
    }

    @Test func `an ellipsis stands for any text, and alone for any number of lines`() {
        #expect(LinePattern.matches("a…c", "abc"))
        #expect(LinePattern.matches("a…", "a"))
        #expect(!LinePattern.matches("a…c", "abd"))
        #expect(!LinePattern.matches("a…b…c", "ac b"))
        #expect(LinePattern.matches(["a", "…", "z"], ["a", "z"]))
        #expect(LinePattern.matches(["…", "z"], ["a", "b", "z"]))
        #expect(!LinePattern.matches(["…", "z"], ["a", "b"]))
        #expect(LinePattern.matches("json: a b", #"{"b":1,"a":[2]}"#))
    }
}
