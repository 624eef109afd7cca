/// Why an editor could not start or had to stop. The document is not touched by any of these.
public enum EditorError: Error, Hashable, Sendable {
    /// Standard input or output is not a terminal.
    case notATerminal
    /// The system refused `call` on the terminal with this `errno`.
    case terminal(call: String, errno: Int32)
    /// The document could not be read when the editor opened; `reason` is for people.
    case documentUnavailable(reason: String)
}
