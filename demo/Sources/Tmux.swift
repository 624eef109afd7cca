import Foundation

/// A tmux server of the demo's own, with one pane for each client.
final class Tmux: Sendable {
    // A class: it stands for the server's process.

    private let socket: String
    private let logPath: String
    private let server: ChildProcess
    private static let session = "sennit"

    /// Starts the server, without a pane.
    init(_ directory: RunDirectory) async throws(DemoError) {
        socket = directory.tmuxSocket
        logPath = directory.path + "/tmux.log"
        // -D: not as a daemon. One would keep open what tells us that its parent has ended.
        // -f /dev/null: somebody's own configuration has no place here.
        server = try ChildProcess(
            "/usr/bin/env",
            ["tmux", "-S", socket, "-f", "/dev/null", "-D"],
            outputPath: logPath
        )
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: socket) {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Runs a shell command in a new pane, or again in one whose process has ended.
    func run(_ command: String, inPane pane: Int, isNew: Bool) throws(DemoError) {
        if !isNew {
            try tmux(["respawn-pane", "-k", "-t", target(pane), command])
        } else if pane == 0 {
            let start = ["new-session", "-d", "-s", Tmux.session]
            try tmux(start + ["-x", "160", "-y", "48", command])
            for (option, value) in Tmux.options { try tmux(["set-option", "-g", option, value]) }
        } else {
            try tmux(["split-window", "-t", target(pane - 1), command])
            try tmux(["select-layout", "-t", Tmux.session, pane == 1 ? "even-horizontal" : "tiled"])
        }
    }

    /// Shows a line below the panes.
    func show(_ line: String) {
        // "#" would begin a format.
        let text = " " + line.replacing("#", with: "##") + " "
        try? tmux(["set-option", "-g", "status-left", text])
    }

    /// Ends the server and all in it.
    func stop() async {
        try? tmux(["kill-server"])
        await server.stop()
    }

    private static let options = [
        ("remain-on-exit", "on"), ("status-left-length", "200"), ("status-right", ""),
        ("window-status-format", ""), ("window-status-current-format", ""),
        ("status-style", "reverse"), ("default-terminal", "tmux-256color"), ("escape-time", "10"),
    ]

    private func target(_ pane: Int) -> String { "\(Tmux.session):0.\(pane)" }

    private func tmux(_ arguments: [String]) throws(DemoError) {
        let process = try ChildProcess(
            "/usr/bin/env",
            ["tmux", "-S", socket] + arguments,
            outputPath: logPath
        )
        guard process.waitUntilExit() == 0 else {
            throw .cannotStart(program: "tmux", reason: "see \(logPath)")
        }
    }
}
