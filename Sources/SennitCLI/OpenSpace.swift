import Sennit

/// A space of an open profile, for a verb that needs the engine.
struct OpenSpace {
    let space: Space
    /// What the profile says of the space.
    let info: SpaceInfo
    let console: Console
    let network: NetworkOptions

    /// Opens the profile and picks the space.
    static func with(
        _ options: CommonOptions,
        verb: String,
        _ body: (OpenSpace) async throws -> Void
    ) async throws {
        try await OpenProfile.with(options.profile, verb: verb) { opened in
            let space = try await opened.engine.space(options.space)
            try await body(
                try await opened.space(space, options.profile.console, options.network)
            )
        }
    }

    /// Asks the relay for news before reading; says so if it can't be reached.
    func receive() async {
        if network.offline { return }
        if await !reach() { await noteTrouble("showing what is here") }
    }

    /// Waits for the disk, then tries to send, and says how that went.
    /// - Returns: whether the relay has everything that was written here.
    func send(quietly: Bool) async throws -> Bool {
        try await space.saved()
        var isSent = false
        if !network.offline {
            isSent = await reach()
            if !isSent {
                let status = try await space.status()
                isSent =
                    status.connection == .online && status.pendingCount == 0
                    && status.unackedCount == 0
            }
            if !isSent { await noteTrouble(nil) }
        }
        if !quietly {
            console.print(isSent ? "sent" : "will be sent when a later command reaches the relay")
        }
        return isSent
    }

    /// Connects and waits until everything is sent and received, for as long as the person said. If
    /// they said nothing, the first failure of the only relay is taken for an answer.
    func reach() async -> Bool {
        let timeout = (network.chosenWait ?? .standard).duration
        let isPatient = network.chosenWait != nil || info.relays.count > 1
        let (verdicts, verdict) = AsyncStream.makeStream(of: Bool.self)
        let updates = await space.updates()
        let tasks: [Task<Void, Never>] = [
            Task { [space] in
                _ = verdict.yield(await space.waitUntilSynced(timeout: timeout))
            },
            Task { [space] in
                for await _ in updates where !isPatient {
                    if await space.trouble() != nil { verdict.yield(false) }
                }
            },
        ]
        defer { for task in tasks { task.cancel() } }
        return await Progress.shown("waiting for \(info.relays.first ?? "the relay")", console) {
            do { try await space.connect() } catch { return false }
            for await isSynced in verdicts { return isSynced }
            return false
        }
    }

    /// Says why the relay isn't reached.
    private func noteTrouble(_ consequence: String?) async {
        let reason = await space.trouble()?.message ?? "the relay has not answered in time"
        console.note(consequence.map { "\(reason); \($0)" } ?? reason)
    }
}
