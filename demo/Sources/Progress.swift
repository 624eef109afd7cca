import Foundation
import Synchronization

/// What a person sees while it runs: lines, or the line below the panes.
final class Progress: Sendable {
    // A class: it stands for the screen.

    private let tmux: Tmux?
    private let isQuiet: Bool
    private let state = Mutex(State())

    private struct State {
        var headline = ""
        var lastUpdate = ContinuousClock.now - .seconds(3600)
    }

    init(tmux: Tmux?, isQuiet: Bool = false) {
        self.tmux = tmux
        self.isQuiet = isQuiet
    }

    /// Says what begins.
    func say(_ text: String) {
        if isQuiet { return }
        state.withLock { $0.headline = text }
        print(text)
        Progress.flush()
        tmux?.show(text)
    }

    /// How far it is; said every other second.
    func update(_ stage: Stage, typed: UInt64, of total: UInt64) {
        let headline: String? = state.withLock { state in
            let now = ContinuousClock.now
            guard state.lastUpdate.duration(to: now) >= .seconds(2) else { return nil }
            state.lastUpdate = now
            return state.headline
        }
        guard let headline, !isQuiet, stage == .replayed, total > 0 else { return }
        let share = "\(typed) of \(total) events, \(typed * 100 / total) %"
        print("  \(share)")
        Progress.flush()
        tmux?.show(headline + " " + share)
    }

    private static func flush() {
        // nil is every open stream, and stdout itself is a global variable of C.
        fflush(nil)
    }
}
