import Foundation

/// Starts, kills and restarts the client processes.
struct ClientLauncher {
    private let directory: RunDirectory
    private let program = Programs.ownPath
    private let tmux: Tmux?
    private var processes: [Int: ChildProcess] = [:]
    private var started: Set<Int> = []

    /// - Parameter tmux: shows the clients; `nil` to run them without a screen.
    init(_ directory: RunDirectory, tmux: Tmux?) {
        self.directory = directory
        self.tmux = tmux
    }

    /// Starts a client, again if it ran before.
    mutating func start(_ client: Int) throws(DemoError) {
        let arguments = ["client", "--run", directory.path, "--index", String(client)]
        let isNew = started.insert(client).inserted
        guard let tmux else {
            processes[client] = try ChildProcess(
                program,
                arguments,
                outputPath: directory.clientLog(client)
            )
            return
        }
        let words = [program] + arguments + ["--shown"]
        let command = words.map(ClientLauncher.quoted).joined(separator: " ")
        let log = ClientLauncher.quoted(directory.clientLog(client))
        // No echo: the screen is the editor's.
        try tmux.run("stty -echo; exec \(command) 2>>\(log)", inPane: client, isNew: isNew)
    }

    /// SIGKILL to a client's process.
    func kill(_ client: Int, processID: Int32) {
        if let process = processes[client] {
            process.kill()
        } else if processID > 0 {
            _ = Glibc.kill(processID, SIGKILL)
        }
    }

    /// Waits for clients that are about to end, then ends those that don't.
    func stop() async {
        for process in processes.values { await process.stop() }
        await tmux?.stop()
    }

    /// A word as the shell takes it.
    private static func quoted(_ word: String) -> String {
        "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
