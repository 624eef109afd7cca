/// Why the demo cannot go on. A verdict that doesn't hold is no error; it is the demo's answer.
enum DemoError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A program of this project was not built, or not beside this one.
    case missingProgram(String)
    /// A process of the demo could not be started.
    case cannotStart(program: String, reason: String)
    /// A client said why it gave up.
    case clientFailed(client: Int, reason: String)
    /// A client ended without a word.
    case clientEnded(client: Int, logPath: String)
    /// The relay ended, or never listened.
    case relayEnded(logPath: String)
    /// Nothing moved for too long.
    case stalled(waitingFor: String)
    /// Somebody pressed Ctrl-C.
    case interrupted
    /// A trace that the demo can't type.
    case unusableTrace(reason: String)
    /// A file of the run is missing or damaged.
    case badFile(path: String, reason: String)
    /// What came over the control socket is no message.
    case badMessage(String)

    var description: String {
        switch self {
        case .missingProgram(let name): "\(name) is not built: run `make build`"
        case .cannotStart(let program, let reason): "\(program) can't be started: \(reason)"
        case .clientFailed(let client, let reason): "client \(client + 1) gave up: \(reason)"
        case .clientEnded(let client, let logPath):
            "client \(client + 1) ended without a word; see \(logPath)"
        case .relayEnded(let logPath): "the relay ended by itself; see \(logPath)"
        case .stalled(let what): "nothing has moved for too long, waiting for \(what)"
        case .interrupted: "stopped"
        case .unusableTrace(let reason): "the trace can't be typed: \(reason)"
        case .badFile(let path, let reason): "\(path): \(reason)"
        case .badMessage(let text): "no message of the demo: \(text)"
        }
    }
}
