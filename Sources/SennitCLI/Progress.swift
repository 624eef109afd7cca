/// Tells a person who waits what for.
enum Progress {
    /// What takes less is not worth a word.
    static let patience = Duration.seconds(1)

    /// Runs `body`, and says in a terminal what is going on if it takes longer than a second.
    static func shown<Result>(
        _ message: String,
        _ console: Console,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        guard console.error.isTerminal else { return try await body() }
        let task = Task {
            try await Task.sleep(for: patience)
            console.note(message + " …")
        }
        defer { task.cancel() }
        return try await body()
    }
}
