import Foundation

/// What a run needs to know; written once, read by every client.
struct RunPlan: Codable, Hashable, Sendable {
    /// The trace; `nil` for a control run, in which nobody types.
    var tracePath: String?
    /// How many clients there are.
    var clientCount: Int
    var phases: PhasePlan
    /// Where the clients reach the relay: the proxy's address.
    var relayURL: String
    /// What nobody but members may learn.
    var names: Names
    /// At most so many edits a second in each client; `nil` for as fast as it goes.
    var editsPerSecond: Int?
    /// Whether people type, and no script.
    var isForHands = false

    /// Names that are sealed like text.
    struct Names: Codable, Hashable, Sendable {
        var space: String
        var document: String
        /// Of each client's person.
        var people: [String]

        /// All of them.
        var all: [String] { [space, document] + people }
    }
}

/// The directory of one run: everything it makes lies in it.
struct RunDirectory: Sendable {
    let path: String

    /// The plan, in JSON.
    var planFile: String { path + "/plan.json" }
    /// Where clients call the conductor. A socket's path has at most 107 bytes.
    var controlSocket: String { path + "/control.sock" }
    /// The relay's data, its output included: all that it has on disk.
    var relay: String { path + "/relay" }
    /// A copy of that, made when the relay had been killed.
    var killedRelay: String { path + "/relay-killed" }
    /// What the relay prints.
    var relayLog: String { relay + "/output.log" }
    /// Recorded connections.
    var traffic: String { path + "/traffic" }
    /// The tmux server's socket.
    var tmuxSocket: String { path + "/tmux.sock" }
    /// What the run came to, in JSON.
    var outcomeFile: String { path + "/outcome.json" }
    /// The control run, in which nobody types.
    var control: RunDirectory { RunDirectory(path: path + "/control") }

    /// A client's profile.
    func profile(_ client: Int) -> String { path + "/profile-\(client)" }
    /// What a client prints when it fails.
    func clientLog(_ client: Int) -> String { path + "/client-\(client).log" }
    /// When a client typed and saw what.
    func samples(_ client: Int) -> String { path + "/client-\(client).samples" }
    /// A client's text at the end of a stage.
    func text(_ client: Int, _ stage: Stage) -> String { path + "/client-\(client).\(stage).txt" }

    /// Makes the directory and what lies in it.
    func make() throws(DemoError) {
        do {
            for directory in [path, relay, traffic] {
                try FileManager.default.createDirectory(
                    atPath: directory,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
            }
        } catch {
            throw .badFile(path: path, reason: "can't be made")
        }
    }

    /// A directory for a run: an empty one, or else a new one among temporary files.
    static func new(at path: String?) throws(DemoError) -> RunDirectory {
        let directory = path.map(RunDirectory.init(path:)) ?? temporary()
        // It is removed at the end, so it must hold nothing of anybody else's.
        let files = try? FileManager.default.contentsOfDirectory(atPath: directory.path)
        guard files?.isEmpty ?? true else {
            throw .badFile(path: directory.path, reason: "is not empty")
        }
        try directory.make()
        return directory
    }

    private static func temporary() -> RunDirectory {
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let name = UInt32.random(in: 0...UInt32.max)
        return RunDirectory(path: "\(base)/sennit-demo-\(String(name, radix: 36))")
    }

    /// Removes everything.
    func remove() {
        // A process that was just killed may still have made a file meanwhile.
        for _ in 0..<10 where FileManager.default.fileExists(atPath: path) {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    func write(_ plan: RunPlan) throws(DemoError) { try write(plan, to: planFile) }

    func write(_ outcome: RunOutcome) throws(DemoError) { try write(outcome, to: outcomeFile) }

    func readPlan() throws(DemoError) -> RunPlan { try read(RunPlan.self, from: planFile) }

    func readOutcome() throws(DemoError) -> RunOutcome {
        try read(RunOutcome.self, from: outcomeFile)
    }

    /// Keeps the files that a killed relay left on its disk. The socket that it left has no bytes.
    func keepKilledRelay() throws(DemoError) {
        let manager = FileManager.default
        do {
            try manager.createDirectory(atPath: killedRelay, withIntermediateDirectories: false)
            for name in try manager.contentsOfDirectory(atPath: relay) {
                let type = try manager.attributesOfItem(atPath: relay + "/" + name)[.type]
                guard type as? FileAttributeType != .typeSocket else { continue }
                try manager.copyItem(
                    atPath: relay + "/" + name,
                    toPath: killedRelay + "/" + name
                )
            }
        } catch {
            throw .badFile(path: killedRelay, reason: "\(error)")
        }
    }

    func write(text: String, to path: String) throws(DemoError) {
        try write(Data(text.utf8), to: path)
    }

    func readText(_ path: String) throws(DemoError) -> String {
        guard let data = FileManager.default.contents(atPath: path),
            let text = String(validating: [UInt8](data), as: UTF8.self)
        else { throw .badFile(path: path, reason: "is no text, or isn't there") }
        return text
    }

    private func write(_ value: some Encodable, to path: String) throws(DemoError) {
        do {
            try write(JSONEncoder().encode(value), to: path)
        } catch {
            throw .badFile(path: path, reason: "\(error)")
        }
    }

    private func read<Value: Decodable>(
        _ type: Value.Type,
        from path: String
    ) throws(DemoError) -> Value {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .badFile(path: path, reason: "can't be read")
        }
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw .badFile(path: path, reason: "\(error)")
        }
    }

    private func write(_ data: Data, to path: String) throws(DemoError) {
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw .badFile(path: path, reason: "can't be written")
        }
    }
}

extension RunPlan.Names {
    /// Names for the run itself.
    static func main(clientCount: Int, tracePath: String) -> RunPlan.Names {
        let file = URL(fileURLWithPath: tracePath).lastPathComponent
        let title = file.split(separator: ".").first.map(String.init) ?? "trace"
        return RunPlan.Names(
            space: "demo of \(title)",
            document: title + ".txt",
            people: (0..<clientCount).map { "Author \($0 + 1)" }
        )
    }

    /// Names for the control run.
    static func control(clientCount: Int) -> RunPlan.Names {
        RunPlan.Names(
            space: "control",
            document: "empty",
            people: (0..<clientCount).map { "control \($0 + 1)" }
        )
    }

    /// Names for people.
    static func forHands(clientCount: Int) -> RunPlan.Names {
        let people = ["Ada", "Grace", "Barbara", "Radia", "Frances", "Jean", "Hedy", "Margaret"]
        return RunPlan.Names(
            space: "pair",
            document: "notes.txt",
            people: Array(people.prefix(clientCount))
        )
    }
}
