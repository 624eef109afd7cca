import Dispatch
import SennitWire

// One client: an editor on a real profile, driven by the script instead of a keyboard.
//
// The loop: woken by the document, the conductor or the clock, it types whatever the script allows
// now, takes in what has come, draws, and says how far it is. It waits for nothing but the parents
// of its next step. It remembers nothing that matters: where it stands in the script it asks its
// own document, so it can be killed at any moment.

/// Types one client's part of the script.
struct ClientRunner {
    private let directory: RunDirectory
    private let plan: RunPlan
    private let client: Int
    private let space: ClientSpace
    private let control: ControlClient
    private let bell: Bell
    private var screen: ClientScreen
    private var journal: ClientJournal

    private var order: StageOrder
    private var reached = Stage.joined
    private var script: Script
    // By client, how many events the script has up to the end of each stage.
    private var bounds: [Stage: [UInt64]] = [:]
    private var cursor: ScriptCursor
    private var probes: Probes
    private var logs: [LogID] = []
    private var bases: [UInt64] = []
    private var replayStart: DispatchTime?
    private var replayFirst: UInt64 = 0
    // Steps to type one by one, because one of them doesn't fit its text.
    private var singleStepCount = 0
    private var lastReport = DispatchTime.now()

    // How long it types before it draws again: three screens of a fast terminal.
    private static let typingSlice: UInt64 = 25_000_000
    private static let maximumBatchStepCount = 512

    init(
        directory: RunDirectory,
        plan: RunPlan,
        client: Int,
        trace: Script,
        space: ClientSpace,
        control: ControlClient,
        bell: Bell,
        order: StageOrder,
        isShown: Bool
    ) throws(DemoError) {
        self.directory = directory
        self.plan = plan
        self.client = client
        self.space = space
        self.control = control
        self.bell = bell
        self.order = order
        script = trace
        bounds[.replayed] = trace.eventCounts
        cursor = ScriptCursor(trace, client: client)
        probes = Probes(trace, client: client)
        journal = try ClientJournal(path: directory.samples(client))
        screen = ClientScreen(title: plan.names.document, port: space.port, isShown: isShown)
    }

    /// Runs until the conductor has the client close.
    mutating func run() async throws {
        try await screen.draw()
        control.send(
            ClientReport(
                kind: .reached,
                client: client,
                stage: .joined,
                // One invite is enough, however often the founder is killed.
                link: client == 0 && order.bases.isEmpty ? try await space.link() : nil,
                base: LogBase(log: space.ownLog.hex, firstEvent: try await space.nextEvent())
            )
        )
        for await _ in bell.rings {
            if let order = bell.takeOrder() { try await follow(order) }
            guard bell.isConducted else { break }
            guard order.stage > .joined else { continue }
            try await type()
            let arrived = try await lookForProbes()
            try await screen.draw()
            let now = DispatchTime.now().uptimeNanoseconds
            for event in arrived { journal.noteShown(event, time: now) }
            try await reachStages()
            report()
            if reached == .closed { break }
        }
        journal.flush()
    }

    // MARK: Orders

    private mutating func follow(_ order: StageOrder) async throws {
        self.order = order
        guard order.stage > .joined else { return }
        let isFirst = logs.isEmpty
        logs = try order.bases.map { base throws(DemoError) in
            guard let log = LogID(hex: base.log) else { throw .badMessage(base.log) }
            return log
        }
        bases = order.bases.map(\.firstEvent)
        if let scalarCount = order.scalarCount, bounds[.typed] == nil {
            script.appendTyping(plan.phases, scalarCount: scalarCount)
            bounds[.typed] = script.eventCounts
            let typed = scalarCount + plan.phases.keystrokeCount
            script.appendOffline(plan.phases, scalarCount: typed)
            bounds[.edited] = script.eventCounts
            try await takeUpScript()
        } else if isFirst {
            try await takeUpScript()
        }
    }

    /// Goes to where the own document says this client stands in the script.
    private mutating func takeUpScript() async throws {
        cursor = ScriptCursor(script, client: client)
        cursor.resume(typedCount: try await space.nextEvent() - bases[client])
        probes = Probes(script, client: client)
        // What was here before has no moment of arrival.
        _ = try await lookForProbes()
        replayStart = replayStart ?? .now()
        replayFirst = cursor.typedCount
    }

    // MARK: Typing

    private mutating func type() async throws {
        let start = DispatchTime.now()
        while let bound = typingBound {
            let limit = typingLimit
            if limit == 0 {
                bell.ring(after: .milliseconds(10))
                return
            }
            switch cursor.verdict(below: bound, elapsed: elapsedInTyping, limit: limit) {
            case .batch(let batch):
                try await type(batch)
            case .missing(let events):
                guard try await learn(events) else { return }
            case .early(let pause):
                bell.ring(after: pause)
                return
            case .finished:
                return
            }
            if DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds
                > ClientRunner.typingSlice
            {
                bell.ring()
                return
            }
        }
    }

    private mutating func type(_ batch: ScriptCursor.Batch) async throws {
        let time = DispatchTime.now().uptimeNanoseconds
        let parents = batch.parents.map(name)
        if let scalarCount = try await space.edit(batch.patches, at: parents) {
            guard batch.patches.count == 1, let step = cursor.nextStep else {
                // One at a time, to find the one that doesn't fit.
                singleStepCount = batch.patches.count
                return
            }
            let fitted = step.fitted(toScalarCount: scalarCount)
            // Written down first: the verdict must know what was really typed.
            journal.noteFitted(firstNumber: step.firstNumber, scalarCount: scalarCount)
            guard try await space.edit([fitted.patch], at: parents) == nil else {
                throw DemoError.unusableTrace(reason: "\(fitted) doesn't fit its text")
            }
        }
        singleStepCount = max(singleStepCount - 1, 0)
        cursor.advance(over: batch)
        journal.noteTyped(end: cursor.typedCount, time: time)
    }

    /// The first own event that belongs to a later stage; `nil` if there is nothing to type.
    private var typingBound: UInt64? {
        switch order.stage {
        case .joined: nil
        case .replayed: bounds[.replayed]?[client]
        case .typed: bounds[.typed]?[client]
        case .edited, .settled, .closed: bounds[.edited]?[client]
        }
    }

    /// How many steps may be typed at once, given the speed that was asked for.
    private var typingLimit: Int {
        if singleStepCount > 0 { return 1 }
        guard let speed = plan.editsPerSecond, order.stage == .replayed, let replayStart else {
            return order.stage == .edited ? 1 : ClientRunner.maximumBatchStepCount
        }
        let passed = DispatchTime.now().uptimeNanoseconds - replayStart.uptimeNanoseconds
        let allowed = Double(passed) / 1e9 * Double(speed)
        let typed = Double(cursor.typedCount - replayFirst)
        return min(max(Int(allowed - typed), 0), ClientRunner.maximumBatchStepCount)
    }

    private var elapsedInTyping: Duration {
        let now = DispatchTime.now().uptimeNanoseconds
        guard let start = order.typingStart, now > start else { return .nanoseconds(-1) }
        return .nanoseconds(Int64(now - start))
    }

    /// Asks the document for events.
    /// - Returns: Whether it has them all.
    private mutating func learn(_ events: [ScriptEvent]) async throws -> Bool {
        for event in events {
            guard try await space.contains(name(event)) else { return false }
            cursor.learn(event)
        }
        return true
    }

    private func name(_ event: ScriptEvent) -> EventID {
        EventID(log: logs[event.client], number: bases[event.client] + event.number)
    }

    private mutating func lookForProbes() async throws -> [ScriptEvent] {
        var arrived: [ScriptEvent] = []
        for other in script.eventCounts.indices where other != client {
            while let event = probes.next(ofClient: other) {
                if event.number >= cursor.knownCounts[other] {
                    guard try await learn([event]) else { break }
                }
                probes.pass(event)
                arrived.append(event)
            }
        }
        return arrived
    }

    // MARK: Stages

    private mutating func reachStages() async throws {
        while reached < order.stage {
            let next = Stage(rawValue: reached.rawValue + 1) ?? .closed
            guard try await isReached(next) else { return }
            reached = next
            journal.flush()
            var report = ClientReport(kind: .reached, client: client, stage: next)
            report.typedCount = cursor.typedCount
            switch next {
            case .replayed, .settled:
                // A client that was killed later goes through here again with a later text.
                guard next == order.stage else { break }
                let text = try await space.text()
                try directory.write(text: text, to: directory.text(client, next))
                report.scalarCount = text.unicodeScalars.count
                report.version = try await space.version()
            case .closed:
                try await space.close()
                await control.close(report)
                return
            default: break
            }
            control.send(report)
        }
    }

    private mutating func isReached(_ stage: Stage) async throws -> Bool {
        switch stage {
        case .joined, .closed: return true
        case .replayed, .typed: return try await hasEverything(of: stage)
        case .edited:
            guard let counts = bounds[.edited], cursor.typedCount >= counts[client] else {
                return false
            }
            try await space.saved()
            return true
        case .settled:
            guard try await hasEverything(of: .edited) else { return false }
            return try await space.isSynced()
        }
    }

    private mutating func hasEverything(of stage: Stage) async throws -> Bool {
        guard let counts = bounds[stage] else { return false }
        for other in counts.indices where cursor.knownCounts[other] < counts[other] {
            let last = ScriptEvent(client: other, number: counts[other] - 1)
            guard other != client, try await learn([last]) else { return false }
        }
        return true
    }

    private mutating func report() {
        let now = DispatchTime.now()
        guard now.uptimeNanoseconds - lastReport.uptimeNanoseconds > 100_000_000 else { return }
        lastReport = now
        var report = ClientReport(kind: .progress, client: client)
        report.typedCount = cursor.typedCount
        control.send(report)
    }
}
