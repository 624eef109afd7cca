import SennitDocument
import Synchronization

/// Why `Editor.run` returned. The document is saved in either case.
public enum EditorExit: Hashable, Sendable {
    /// The person left.
    case left
    /// The system ended the process, or the terminal went away.
    case terminated
}

extension Editor {
    /// Opens the document on the terminal at standard input and output, until the person leaves.
    ///
    /// The terminal is put back as it was on every way out, a crash included.
    /// - Parameters:
    ///   - title: what the document is called on the screen.
    ///   - environment: `NO_COLOR`, `COLORTERM` and `TERM` are read.
    ///   - usesMouse: whether clicks and the wheel go to the editor. Terminals then need Shift for
    ///     their own selection.
    ///   - script: events that are played beside those of the keyboard.
    /// - Throws: `notATerminal`; `terminal`; `documentUnavailable` if the first exchange fails.
    public static func run(
        title: String,
        port: DocumentPort,
        environment: [String: String],
        usesMouse: Bool = true,
        script: AsyncStream<EditorEvent>? = nil
    ) async throws(EditorError) -> EditorExit {
        let bell = Doorbell()
        let terminal = try Terminal.open(bell: bell, usesMouse: usesMouse)
        var loop = RunLoop(
            editor: Editor(
                title: title,
                size: terminal.size,
                colors: ColorDepth(environment: environment),
                port: port
            ),
            bell: bell,
            script: script
        )
        defer { loop.stop() }
        let opening = await loop.editor.turn([], at: loop.now)
        if let reason = opening.failure {
            terminal.leave()
            throw .documentUnavailable(reason: reason)
        }
        terminal.write(opening.bytes)
        loop.setAlarm()
        var exit = EditorExit.left
        for await _ in bell.rings {
            let reasons = bell.take()
            var input: [UInt8]? = []
            if reasons.contains(.input) { input = terminal.read() }
            guard let input, !reasons.contains(.terminate) else {
                exit = .terminated
                break
            }
            if reasons.contains(.resumed), terminal.enterAgain() { loop.editor.forgetScreen() }
            let size = reasons.contains(.resized) ? terminal.size : nil
            let events = loop.events(input, size: size)
            let output = await loop.editor.turn(events, at: loop.now)
            terminal.write(output.bytes)
            if output.isLeaving { break }
            loop.setAlarm()
        }
        terminal.leave()
        return exit
    }
}

/// What `run` keeps besides the terminal: clock, decoder, alarm and the tasks that ring the bell.
private struct RunLoop: ~Copyable {
    var editor: Editor
    private let bell: Doorbell
    private let start = ContinuousClock.now
    private var decoder = KeyDecoder()
    private var escapeDeadline: Duration?
    private var alarm: (time: Duration, task: Task<Void, Never>)?
    private let played = Played()
    private let feeders: [Task<Void, Never>]

    /// Events of a script that were not yet taken. A script is ours and as long as it is.
    private final class Played: Sendable {
        let events = Mutex<[EditorEvent]>([])
    }

    init(editor: Editor, bell: Doorbell, script: AsyncStream<EditorEvent>?) {
        self.editor = editor
        self.bell = bell
        let wakeUps = editor.wakeUps
        let played = played
        feeders = [
            Task { for await _ in wakeUps { bell.ring(.document) } },
            Task {
                guard let script else { return }
                for await event in script {
                    played.events.withLock { $0.append(event) }
                    bell.ring(.script)
                }
            },
        ]
    }

    var now: Duration { start.duration(to: .now) }

    /// What to handle now: these bytes, the script's events, and ESC if nothing follows it.
    mutating func events(_ input: [UInt8], size: ScreenSize?) -> [EditorEvent] {
        var events: [EditorEvent] = size.map { [.resize($0)] } ?? []
        events += decoder.decode(input)
        if !decoder.isWaiting {
            escapeDeadline = nil
        } else if !input.isEmpty {
            escapeDeadline = now + Limits.escapePause
        } else if let deadline = escapeDeadline, deadline <= now {
            events += decoder.flush()
            escapeDeadline = nil
        }
        events += played.events.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        return events
    }

    /// Has the bell ring when something is due.
    mutating func setAlarm() {
        let due = [editor.model.deadline, escapeDeadline].compactMap(\.self).min()
        if alarm?.time == due { return }
        alarm?.task.cancel()
        alarm = due.map { due in
            let bell = bell
            let wake = start + due
            let task = Task {
                do {
                    try await Task.sleep(until: wake, clock: .continuous)
                    bell.ring(.time)
                } catch {
                    // Another alarm was set.
                }
            }
            return (due, task)
        }
    }

    mutating func stop() {
        alarm?.task.cancel()
        for feeder in feeders { feeder.cancel() }
    }
}
