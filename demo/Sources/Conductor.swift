import Dispatch
import Foundation
import NIOPosix

// Runs one show: relay, proxy and clients, from the invite to the last acknowledgement. What
// the clients type is none of its business; it says which stage to reach, and kills.

/// What a run came to, for the verdict.
struct RunOutcome: Codable, Sendable {
    var bases: [LogBase] = []
    /// Scalars of the text after the trace.
    var scalarCount = 0
    /// By client: its version, a line for each log.
    var versions: [[String]] = []
    /// How long the clients took for the trace, in seconds.
    var replaySeconds = 0.0
    /// How many processes were killed.
    var killCount = 0
    /// How many of them at random during the replay; `nil` if that was not asked for.
    var chaosKillCount: Int?
}

/// The run of one script by one set of clients.
struct Conductor {
    private let directory: RunDirectory
    private var plan: RunPlan
    private let script: Script
    private let progress: Progress
    private let server: ControlServer
    private let proxy: RecordingProxy
    private var relay: RelayProcess
    private var launcher: ClientLauncher
    private var events: AsyncStream<ControlEvent>.Iterator

    private var clients: [ClientState]
    private var order = StageOrder(stage: .joined, link: nil)
    private var outcome = RunOutcome()
    private var kills: [ChaosSchedule.Kill] = []
    private var relayRestart: DispatchTime?
    private let isChaotic: Bool

    private struct ClientState {
        var processID: Int32 = 0
        var reached: Stage?
        var report: ClientReport?
        var typedCount: UInt64 = 0
        var isAlive = false
        /// When to start it again, after it was killed.
        var restart: DispatchTime?
    }

    private static let stallTimeout: Duration = .seconds(120)

    /// Prepares a run; nothing is started but the sockets.
    init(
        _ directory: RunDirectory,
        plan: RunPlan,
        script: Script,
        chaosSeed: UInt64?,
        tmux: Tmux?,
        progress: Progress,
        group: MultiThreadedEventLoopGroup
    ) async throws(DemoError) {
        try directory.make()
        self.directory = directory
        self.script = script
        self.progress = progress
        server = try await ControlServer(path: directory.controlSocket, group: group)
        proxy = try await RecordingProxy(directory: directory.traffic, group: group)
        relay = try RelayProcess(directory)
        launcher = ClientLauncher(directory, tmux: tmux)
        events = server.events.makeAsyncIterator()
        clients = Array(repeating: ClientState(), count: plan.clientCount)
        isChaotic = chaosSeed != nil
        if let chaosSeed {
            kills =
                ChaosSchedule(
                    seed: chaosSeed,
                    clientCount: plan.clientCount,
                    eventCount: script.eventCounts.reduce(0, +)
                ).kills
        }
        self.plan = plan
        self.plan.relayURL = "ws://127.0.0.1:\(proxy.port)"
        try directory.write(self.plan)
    }

    /// Runs it all. Afterwards nothing runs any more, whether it throws or not.
    mutating func run() async throws(DemoError) -> RunOutcome {
        do {
            try await play()
        } catch {
            throw await stop(after: error)
        }
        await stop()
        return outcome
    }

    /// Starts everything and lets people type until they have left.
    mutating func runForHands() async throws(DemoError) {
        do {
            try await join()
            try await reach(.closed, "the editors")
        } catch {
            throw await stop(after: error)
        }
        await stop()
    }

    private mutating func stop(after error: DemoError) async -> DemoError {
        // Ctrl-C may reach all processes at once. Then it is the reason, whoever went first.
        if !Task.isCancelled { try? await Task.sleep(for: .milliseconds(300)) }
        let isInterrupted = Task.isCancelled
        await stop()
        return isInterrupted ? .interrupted : error
    }

    private mutating func stop() async {
        await server.close()
        for client in clients.indices where clients[client].isAlive {
            launcher.kill(client, processID: clients[client].processID)
        }
        await launcher.stop()
        await relay.stop()
        await proxy.close()
    }

    private mutating func play() async throws(DemoError) {
        try await join()

        progress.say("Replaying: every edit is made to exactly the text its author saw.")
        let start = DispatchTime.now()
        try await reach(.replayed, "the trace")
        let end = DispatchTime.now()
        outcome.replaySeconds = Double(end.uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
        if isChaotic { outcome.chaosKillCount = outcome.killCount }
        kills = []
        order.scalarCount = clients[0].report?.scalarCount
        outcome.scalarCount = order.scalarCount ?? 0

        if plan.phases.keystrokeCount > 0 {
            progress.say("Typing in turns, \(plan.phases.keystrokesPerSecond) keys a second.")
        }
        order.typingStart = DispatchTime.now().uptimeNanoseconds + 300_000_000
        try await reach(.typed, "the typing phase")

        relay.kill()
        outcome.killCount += 1
        try directory.keepKilledRelay()
        if plan.phases.offlineEditCount > 0 {
            let count = plan.phases.offlineEditCount
            progress.say("The relay is killed. Offline, everybody makes \(count) random edits.")
        }
        try await reach(.edited, "the offline edits")
        if isChaotic {
            for client in clients.indices { kill(client, pause: .milliseconds(100)) }
        }
        try await relay.start()
        proxy.point(to: relay.port)
        progress.say("The relay is back.")
        try await reach(.settled, "everybody to have everything")
        outcome.versions = clients.map { $0.report?.version ?? [] }
        try await reach(.closed, "the clients to close")
    }

    private mutating func join() async throws(DemoError) {
        try await relay.start()
        proxy.point(to: relay.port)
        for client in clients.indices { try launcher.start(client) }
        // The founder first: the others need its link.
        try await gather("the founder") { $0[0].reached == .joined }
        order.link = clients[0].report?.link
        try await reach(.joined, "everybody to join")
        outcome.bases = clients.compactMap(\.report?.base)
        order.bases = outcome.bases
        let text = plan.isForHands ? "Leave an editor with Ctrl-X." : ""
        progress.say("\(clients.count) clients have joined by invite. \(text)")
    }

    /// Orders all clients to a stage and waits until they are there.
    private mutating func reach(_ stage: Stage, _ what: String) async throws(DemoError) {
        order.stage = stage
        for client in clients.indices { send(to: client) }
        try await gather(what) { clients in
            clients.allSatisfy { client in client.reached.map { $0 >= stage } ?? false }
        }
    }

    private func send(to client: Int) {
        // Before the founder's link is known, there is nothing the others could do.
        if client > 0 && order.link == nil { return }
        var order = order
        if client == 0 { order.link = nil }
        server.send(order, to: client)
    }

    private mutating func gather(
        _ what: String,
        until isDone: ([ClientState]) -> Bool
    ) async throws(DemoError) {
        var lastMove = ContinuousClock.now
        while !isDone(clients) {
            guard let event = await events.next(isolation: nil) else { throw .interrupted }
            if Task.isCancelled { throw .interrupted }
            switch event {
            case .report(let report):
                lastMove = .now
                try take(report)
            case .hungUp(let client, let processID):
                try notice(client, processID)
            case .tick:
                try await tick()
                let isWaitingForPeople = plan.isForHands && order.stage == .closed
                if lastMove.duration(to: .now) > Conductor.stallTimeout, !isWaitingForPeople {
                    throw .stalled(waitingFor: what)
                }
            }
        }
    }

    private mutating func take(_ report: ClientReport) throws(DemoError) {
        let client = report.client
        guard clients.indices.contains(client) else { throw .badMessage("client \(client)") }
        clients[client].typedCount = report.typedCount ?? clients[client].typedCount
        switch report.kind {
        case .hello:
            clients[client].processID = report.processID
            clients[client].isAlive = true
            send(to: client)
        case .progress: break
        case .reached:
            clients[client].reached = report.stage
            clients[client].report = report
        case .failed: throw .clientFailed(client: client, reason: report.reason ?? "")
        case .interrupted: throw .interrupted
        }
    }

    private mutating func notice(_ client: Int, _ processID: Int32) throws(DemoError) {
        guard clients[client].processID == processID else { return }
        clients[client].isAlive = false
        let isExpected = clients[client].restart != nil || clients[client].reached == .closed
        guard isExpected else {
            throw .clientEnded(client: client, logPath: directory.clientLog(client))
        }
    }

    private mutating func tick() async throws(DemoError) {
        let now = DispatchTime.now()
        let typedCount = clients.reduce(0) { $0 + $1.typedCount }
        if order.stage == .replayed, let next = kills.first, next.eventCount <= typedCount {
            switch next.victim {
            case .relay where relayRestart == nil:
                kills.removeFirst()
                relay.kill()
                outcome.killCount += 1
                relayRestart = now.advanced(by: next.pause)
                progress.say("SIGKILL: the relay, after \(typedCount) events.")
            case .client(let client) where clients[client].isAlive:
                kills.removeFirst()
                kill(client, pause: next.pause)
                progress.say("SIGKILL: client \(client + 1), after \(typedCount) events.")
            default: break
            }
        }
        for client in clients.indices {
            guard let time = clients[client].restart, time <= now, !clients[client].isAlive else {
                continue
            }
            clients[client].restart = nil
            try launcher.start(client)
        }
        if let time = relayRestart, time <= now {
            relayRestart = nil
            try await relay.start()
        } else if relayRestart == nil, order.stage != .edited, !relay.isRunning {
            throw .relayEnded(logPath: directory.relayLog)
        }
        progress.update(order.stage, typed: typedCount, of: script.eventCounts.reduce(0, +))
    }

    private mutating func kill(_ client: Int, pause: Duration) {
        launcher.kill(client, processID: clients[client].processID)
        outcome.killCount += 1
        clients[client].restart = DispatchTime.now().advanced(by: pause)
    }
}

extension DispatchTime {
    fileprivate func advanced(by duration: Duration) -> DispatchTime {
        let nanoseconds = UInt64(max(duration / .nanoseconds(1), 0))
        return DispatchTime(uptimeNanoseconds: uptimeNanoseconds + nanoseconds)
    }
}
