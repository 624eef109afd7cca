import Testing

struct SessionTests {
    @Test(.timeLimit(.minutes(5)), arguments: try Script.all())
    func `a session goes as its script says`(script: Script) async throws {
        let runner = try ScriptRunner(script)
        try await runner.run()
    }
}
